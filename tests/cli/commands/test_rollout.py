"""`ops rollout` from the outside, on a real region with traffic: its ends, and what a person or a crash does to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import state
from tests.cli.drill import NAME, REGION, SERVICE, Drill, ops, region, traffic, until
from tests.conftest import ROOT

WIDE = 80


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """The region of this module, with traffic."""
    with region(tmp_path_factory.mktemp("drill")) as made, traffic(made):
        yield made


@pytest.fixture
def drill(busy: Drill) -> Iterator[Drill]:
    """The region with v1 everywhere and nothing open, before and after."""
    yield busy
    busy.clean()
    if busy.place.record.read() != "v1":
        assert busy.ops("undo", SERVICE, "--yes").returncode == 0
    busy.stays("v1")


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, answer and story of a process that ends by itself."""
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err, err
    return process.returncode, out, err


def narrow(text: str) -> bool:
    """Whether it fits on a terminal, but for paths."""
    return all(len(line) <= WIDE or "/" in line for line in text.splitlines())


def test_a_good_release_is_promoted_and_told_and_taken_back(drill: Drill) -> None:
    """Exit 0 with proof, cost and journal; explain, history and status agree; undo brings the old release back."""
    done = drill.ops("start", SERVICE, "--release", "v2", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"promoted: chat in {REGION} runs v2\n") and "proof" in done.stdout
    assert narrow(done.stdout)
    drill.stays("v2")
    explained = drill.ops("explain", SERVICE).stdout
    assert "give the canary 50 % of the traffic" in explained and "verdict pass" in explained and narrow(explained)
    listed = drill.ops("status", SERVICE)
    assert "v1 -> v2  promoted" in listed.stdout and narrow(listed.stdout)
    told = json.loads(drill.ops("history", SERVICE, "-o", "json").stdout)["rollouts"][-1]
    assert (told["phase"], told["from"], told["to"], told["region"]) == ("promoted", "v1", "v2", REGION)
    again = drill.ops("start", SERVICE, "--release", "v2", "--yes")
    assert again.returncode == 0 and "already runs v2; nothing to change" in again.stderr
    back = drill.ops("undo", SERVICE, "--yes")
    assert back.returncode == 0 and "undone by a person" in back.stdout
    drill.stays("v1")
    listed = drill.ops("history", SERVICE)
    assert "v2 -> v1  undone" in listed.stdout and "v1 -> v2  promoted" in listed.stdout and narrow(listed.stdout)
    told = json.loads(drill.ops("history", SERVICE, "-o", "json").stdout)["rollouts"][-2:]
    assert [one["kind"] for one in told] == ["canary", "undo"]


def test_a_canary_that_crashes_is_rolled_back_for_that(drill: Drill) -> None:
    """Exit 3, soon, and the reason is not "no proof"."""
    process = drill.begin()
    seen: set[int] = set()
    while process.poll() is None and len(seen) < 3:
        for pid in set(drill.replicas("canary")) - seen if drill.open() else ():
            os.kill(pid, signal.SIGKILL)
            seen.add(pid)
    code, out, err = ended(process)
    assert code == 3, err
    assert "crashed 3 times" in " ".join(out.split())
    assert "ops: chat stays on v1: the canary's replicas crashed" in err
    drill.stays("v1")


def test_a_second_start_learns_who_drives(drill: Drill) -> None:
    """Exit 7 with person, host, process and the command to watch it; the first one is not disturbed."""
    first = drill.begin()
    second = drill.ops("start", SERVICE, "--release", "v3", "--yes")
    assert second.returncode == 7 and second.stdout == ""
    assert f"(process {first.pid})" in second.stderr and "next: ops rollout watch chat" in second.stderr
    assert len(drill.place.runs.of(SERVICE, REGION)) == len(drill.place.runs.all())
    shown = drill.ops("status", SERVICE).stdout
    assert f"(process {first.pid})" in " ".join(shown.split()) and "last seen" in shown and narrow(shown)
    assert ended(first)[0] == 0


def test_of_two_starts_at_once_one_begins(drill: Drill) -> None:
    """The other has exit 7, and there is one journal more."""
    before = len(drill.place.runs.all())
    both = [drill.start("start", SERVICE, "--release", "v2", "--yes") for _ in range(2)]
    until(lambda: any(process.poll() is not None for process in both))
    loser = next(process for process in both if process.poll() is not None)
    assert ended(loser)[0] == 7
    assert len(drill.place.runs.all()) == before + 1


def test_after_kill_9_another_process_finishes(drill: Drill) -> None:
    """The lease of a dead process is free at once."""
    process = drill.begin()
    process.kill()
    process.wait()
    done = drill.ops("start", SERVICE, "--release", "v2", "--yes")
    assert done.returncode == 7 and "nobody drives it" in done.stderr and "ops rollout resume chat" in done.stderr
    assert "nobody drives it: `ops rollout resume chat`" in drill.ops("status").stdout
    assert json.loads(drill.ops("status", "-o", "json").stdout)["rollouts"][-1]["driver"] is None
    done = drill.ops("resume", SERVICE)
    assert done.returncode == 0, done.stderr
    drill.stays("v2")


def test_ctrl_c_leaves_it_open_and_says_how_to_go_on(drill: Drill) -> None:
    """Exit 130; resume promotes, and a person may do so without evidence."""
    process = drill.begin()
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)
    assert (code, out) == (130, "") and "next: ops rollout resume chat" in err
    assert drill.open() and not drill.driver()
    assert drill.ops("promote", SERVICE, "--reason", "tested by hand", "--yes").returncode == 0
    done = drill.ops("resume", SERVICE)
    assert done.returncode == 0 and "tested by hand" in done.stdout
    drill.stays("v2")


def test_after_the_timeout_the_canary_expires_and_can_be_aborted(drill: Drill) -> None:
    """Exit 124 with the rollout open; without a driver Envoy's weight goes to 0; abort takes over and ends it."""
    process = drill.begin()
    process.kill()  # and not waited for: a zombie drives nothing
    done = drill.ops("resume", SERVICE, "--timeout", "300ms")
    assert done.returncode == 124 and "next: ops rollout resume chat" in done.stderr
    assert "or ops rollout abort chat" in done.stderr
    seen = drill.ops("watch", SERVICE, "--timeout", "300ms")
    assert seen.returncode == 124 and "nobody drives it" in seen.stderr
    until(lambda: drill.canary() == 0)
    assert drill.open()
    done = drill.ops("abort", SERVICE, "--reason", "enough")
    assert done.returncode == 0 and "enough" in done.stdout
    drill.stays("v1")


def test_a_pause_holds_and_an_abort_from_another_terminal_ends_it(drill: Drill) -> None:
    """The driver obeys both and exits 3; the abort itself exits 0."""
    process = drill.begin()
    paused = drill.ops("pause", SERVICE, "--reason", "odd")
    assert paused.returncode == 0 and "obeys within a second" in paused.stderr
    listed = json.loads(drill.ops("status", SERVICE, "-o", "json").stdout)["rollouts"]
    assert [one["paused"] for one in listed] == [True]
    done = drill.ops("abort", SERVICE, "--reason", "odd indeed")
    assert done.returncode == 0 and "odd indeed" in done.stdout
    code, out, _ = ended(process)
    assert code == 3 and "aborted by" in out
    drill.stays("v1")


def test_a_detached_driver_is_restarted_and_keeps_a_pause(drill: Drill) -> None:
    """kill -9 in a pause: the supervisor starts another one, which waits; a person lifts the pause and sees the end."""
    done = drill.ops("start", SERVICE, "--release", "v2", "--yes", "--detach")
    assert done.returncode == 0 and "supervisor drives" in done.stderr
    until(drill.judged)
    assert drill.ops("pause", SERVICE).returncode == 0
    first = until(drill.driver)
    os.kill(first, signal.SIGKILL)
    until(lambda: drill.driver() not in (0, first))
    run = drill.place.runs.open(SERVICE, REGION)
    assert run is not None and run.state.paused_since is not None
    done = drill.ops("resume", SERVICE)
    assert done.returncode == 0, done.stderr
    drill.stays("v2")
    until(lambda: not list((drill.place.root / "jobs").glob("*.json")))


def test_an_abort_needs_no_prometheus(drill: Drill) -> None:
    """It hangs; the rollback does not."""
    process = drill.begin()
    frozen = drill.process("prometheus")
    os.kill(frozen, signal.SIGSTOP)
    try:
        process.kill()
        done = drill.ops("abort", SERVICE)
    finally:
        os.kill(frozen, signal.SIGCONT)
    assert done.returncode == 0, done.stderr
    drill.stays("v1")


def test_an_abort_needs_neither_journal_nor_lease(drill: Drill) -> None:
    """Both corrupt: weight 0 in Envoy, slices retired, exit 6, and what is left for a person to do."""
    drill.begin().kill()
    journal = sorted(state.journal_dir(NAME).glob("*.jsonl"), key=lambda path: path.stat().st_mtime)[-1]
    whole = journal.read_bytes()
    journal.write_bytes(whole.replace(b'"phase"', b'"phrase"').replace(b'"decision"', b'"derision"', 1))
    lease = state.lease_path(NAME, SERVICE, REGION)
    lease.write_text("[]")
    done = drill.ops("abort", SERVICE, "--reason", "help")
    assert done.returncode == 6 and "Traceback" not in done.stderr
    assert "its canary has no traffic any more and its slices are retired" in done.stderr
    assert "the release of record is v1" in done.stderr and f"next: mv {journal}" in done.stderr
    assert drill.canary() == 0
    until(lambda: drill.place.traffic().observe().slices is None)
    refused = drill.ops("start", SERVICE, "--release", "v2", "--yes")
    assert refused.returncode == 6 and journal.name in refused.stderr
    listed = drill.ops("history")
    assert listed.returncode == 0 and "not readable" in listed.stderr
    journal.unlink()
    lease.unlink()


def test_a_region_that_dies_is_waited_for(drill: Drill) -> None:
    """The supervisor is killed: the driver says so and waits, and goes on in the region that comes up elsewhere."""
    process = drill.begin()
    assert drill.ops("pause", SERVICE).returncode == 0
    os.kill(drill.process("supervisor"), signal.SIGKILL)
    until(lambda: not drill.place.traffic().supervised())
    assert drill.ops("start", SERVICE, "--release", "v3", "--yes").returncode == 7
    assert process.poll() is None
    done = drill.ops("abort", SERVICE)
    assert done.returncode == 6 and "weight 0 is wished" in done.stderr and "ops local down" in done.stderr
    drill.up()
    code, _, err = ended(process)
    assert code == 3, err
    drill.stays("v1")


WRONG = [
    (("start", "chatt", "--release", "v2", "--yes"), 2, "chatt"),
    (("start", "chat", "--release", "v9", "--yes"), 2, "v9"),
    (("start", "chat", "--release", "infra/releases/chat-mini/v1.yaml", "--yes"), 4, "does not lie in"),
    (("start", "chat", "--release", "README.md", "--yes"), 2, "README.md"),
    (("start", "chat", "--release", "./nowhere/v2.yaml", "--yes"), 2, "there is no file"),
    (("start", "chat", "--release", "", "--yes"), 2, "release"),
    (("start", "chat", "--release", "v2", "--region", "nowhere", "--yes"), 2, "eastus2"),
    (("start", "chat", "--release", "v2", "--timeout", "soon", "--yes"), 2, "--timeout"),
    (("start", "chat", "--release", "v2", "--timeout", "0s", "--yes"), 2, "more than zero"),
    (("start", "chat", "--release", "v2", "--yes"), 6, "ops local up"),
    (("resume", "chat"), 2, "no rollout of chat in eastus2 is under way"),
    (("resume", "chat", "--timeout", "-3s"), 2, "--timeout"),
    (("watch", "chat"), 2, "there was no rollout of chat"),
    (("pause", "chat"), 2, "no rollout of chat"),
    (("promote", "chat", "--reason", " ", "--yes"), 2, "say why"),
    (("promote", "chat", "--yes"), 2, "--reason"),
    (("promote", "chat", "--reason", "because", "--yes"), 2, "no rollout of chat"),
    (("undo", "chat", "--yes"), 4, "no promotion of v1"),
    (("explain", "chat"), 2, "there was no rollout of chat"),
    (("explain", "rollout-nothing"), 2, "rollout-nothing"),
    (("explain", "../../etc/passwd"), 2, "passwd"),
    (("status", "chatt"), 2, "chatt"),
    (("history", "--region", "nowhere"), 2, "eastus2"),
    *(((name, "chat", "--region", "nowhere"), 2, "eastus2") for name in ("resume", "watch", "pause", "abort", "undo")),
    *(((name, "chatt"), 2, "chatt") for name in ("resume", "watch", "pause", "abort", "undo")),
]


@pytest.mark.parametrize(
    ("words", "code", "said"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_wrong_input_is_told_and_changes_nothing(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a state directory of its own, where nothing is up: nothing is written."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    done = ops("rollout", *words)
    assert done.returncode == code, done.stderr
    assert done.stdout == "" and done.stderr.startswith("ops: ")
    assert said in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.json*"))


def test_an_abort_where_nothing_runs_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to take out."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    done = ops("rollout", "abort", "chat")
    assert done.returncode == 0 and "no rollout of chat in eastus2 is under way" in done.stderr


def test_a_journal_that_cannot_be_had_is_told_and_not_called_corrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list goes on without it; what needs it ends 6 with the path, the reason and what to do."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    folder = state.journal_dir("demo")
    (folder / "rollout-chat-eastus2-1.jsonl").mkdir(parents=True)
    listed = ops("rollout", "history")
    assert listed.returncode == 0 and "cannot be read: Is a directory" in listed.stderr
    paused = ops("rollout", "pause", "chat")
    assert paused.returncode == 6 and "cannot be read: Is a directory" in paused.stderr
    assert "not done: nothing was read from it and nothing was changed" in paused.stderr
    assert f"next: make room in {folder}, or give access to it" in paused.stderr and "corrupt" not in paused.stderr


def test_what_only_reads_needs_no_mathematics() -> None:
    """numpy and scipy take most of a second to import: only what judges may."""
    modules = "cli.commands.rollout, cli.adapters.run_files, cli.adapters.lease_file, cli.rollouts.report"
    code = f"import sys, {modules}; print(sorted({{'numpy', 'scipy', 'httpx'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_without_a_terminal_nothing_is_started_unasked(drill: Drill) -> None:
    """Exit 4 names --yes."""
    done = drill.ops("start", SERVICE, "--release", "v2")
    assert done.returncode == 4 and "--yes" in done.stderr
    assert not drill.open()
