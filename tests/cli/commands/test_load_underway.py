"""Loads that others know of: who may be beside whom, what is written down of each, and what is seen of it later."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import opening
from cli.adapters.activity import Activity, Doing
from cli.adapters.run_files import RunFiles
from cli.commands.load.past import replay
from cli.commands.load.underway import Log
from cli.wiring import place
from infra import state
from infra.errors import Locked
from runbooks.journal import Journal
from tests.cli.commands.made_region import REGION, bring_up
from tests.cli.drill import ops, until
from tests.conftest import BIN, ROOT
from tests.fakes import PLAN
from tests.loadtests.truth import Truth, serving

SHORT = ("--rate", "20/s", "--duration", "500ms")
SYNTHETIC = ("load", "run", "--target", f"http://{REGION}.demo.example.com", "--service", "chat", *SHORT)
USERS = ("load", "run", "--service", "chat", *SHORT)


@pytest.fixture
def truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Truth]:
    """A region of the demo fleet, as its files say, whose service `chat` is the server of known truth."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    with serving(Truth()) as server:
        bring_up("demo", REGION, server.url)
        yield server


def activity() -> Activity:
    return Activity(state.activity_dir("demo"), "ben@there")


def doing(kind: Any = "load", *, alone: bool = False) -> Doing:
    what = "a rollout of chat" if kind == "rollout" else "synthetic load" if alone else "users' load on chat"
    return Doing(kind, what, f"{kind}-x", REGION, "chat", alone)


def loads() -> list[dict[str, Any]]:
    """What `ops load history` lists."""
    return list(json.loads(ops("load", "history", "-o", "json").stdout)["loads"])


@pytest.mark.parametrize(
    ("words", "held", "said"),
    [
        (USERS, doing(alone=True), "ops: eastus2 is taken by synthetic load (load-x) by ben@there on "),
        (("load", "gate", *USERS[2:]), doing(alone=True), "users' load on chat cannot be beside it"),
        (("load", "search", *USERS[2:4]), doing(alone=True), "users' load on chat cannot be beside it"),
        (("load", "replay", *USERS[2:4], "--trace", "conv"), doing(alone=True), "cannot be beside it"),
        (SYNTHETIC, doing(alone=True), "synthetic load on http://eastus2.demo.example.com must be alone in it"),
        (SYNTHETIC, doing(), "taken by users' load on chat (load-x) by ben@there on "),
        (SYNTHETIC, doing("rollout"), "next: ops rollout watch chat; when it has ended, the same command again"),
        ((*SYNTHETIC[:3], "http://us.demo.example.com", *SYNTHETIC[4:], "--region", REGION), doing(), "is taken by"),
    ],
)
def test_who_is_in_the_way_is_named_and_nothing_is_sent(
    truth: Truth, words: tuple[str, ...], held: Doing, said: str
) -> None:
    """Exit 7, and no journal of a load that never was."""
    with activity().held(held, ""):
        done = ops(*words)
    assert (done.returncode, done.stdout, truth.asked) == (7, "", [])
    assert said in done.stderr and "not done: no load was started" in done.stderr
    assert loads() == []


def test_a_rollout_does_not_begin_or_go_on_beside_synthetic_load(truth: Truth) -> None:
    """Neither the lease nor a journal is touched."""
    here = place("demo", None, "chat")
    refused = pytest.raises(Locked, match="a rollout of chat cannot be beside it")
    with activity().held(doing(alone=True), ""), refused, opening.held(here, PLAN.run):
        pass
    assert here.lease("").holder() is None and here.runs.all() == []


def test_while_a_rollout_is_driven_its_driver_is_seen(truth: Truth) -> None:
    """For as long as it holds the lease."""
    here = place("demo", None, "chat")
    with opening.held(here, "rollout-y"):
        (holder,) = here.activity.holders()
        assert (holder.doing.kind, holder.doing.run, holder.pid) == ("rollout", "rollout-y", os.getpid())
    assert here.activity.holders() == []


def test_users_load_is_told_to_who_starts_a_rollout_of_that_service(truth: Truth) -> None:
    """Its requests count for the judge; those of others do not concern it."""
    with activity().held(doing(), ""), activity().held(doing("rollout"), ""):
        (said,) = opening.counted(place("demo", None, "chat"))
        assert said.startswith("users' load on chat (load-x) by ben@there on ")
        assert said.endswith("its requests count for the judge")
        assert opening.counted(place("demo", None, "chat-mini")) == []


def test_an_open_rollout_is_told_to_users_load_and_refuses_synthetic(truth: Truth) -> None:
    """Also one that nobody drives: an open canary is judged by what comes."""
    runs = RunFiles(state.journal_dir("demo"))
    runs.journal(PLAN.run).append("plan", plan=PLAN.to_json(), digest=PLAN.digest())
    done = ops(*SYNTHETIC)
    assert done.returncode == 7 and f"{PLAN.run} has not ended and nobody drives it" in done.stderr
    assert "next: ops rollout resume chat, or ops rollout abort chat; then the same command again" in done.stderr
    assert activity().holders() == [] and loads() == []
    done = ops(*USERS)
    assert done.returncode == 0 and f"{PLAN.run} is under way: these requests count for its judge" in done.stderr
    assert len(truth.asked) > 0


def test_a_rollout_that_cannot_be_read_may_be_open(truth: Truth) -> None:
    """Synthetic load does not begin then; users' load says that it does not know, and where."""
    broken = state.journal_dir("demo") / f"{PLAN.run}.jsonl"
    broken.parent.mkdir(parents=True)
    broken.write_text("{\n")
    done = ops(*SYNTHETIC)
    assert done.returncode == 6 and f"{PLAN.run}.jsonl:1: the journal is corrupt here" in done.stderr
    done = ops(*USERS)
    assert done.returncode == 0 and f"is not known: {PLAN.run}.jsonl:1: the journal is corrupt" in done.stderr


def test_synthetic_load_has_its_region_alone_and_elsewhere_nobody_asks(
    truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A region's own host at the edge is the region; an endpoint of others meets nobody of ours."""
    monkeypatch.setenv("KEY", "sk-secret")
    elsewhere = ("load", "run", "--target", truth.url, "--allow-host", "127.0.0.1", "--model", "m", *SHORT)
    with activity().held(doing(), ""):
        done = ops(*elsewhere, "--credential", "env:KEY")
    assert done.returncode == 0, done.stderr
    assert ops(*SYNTHETIC).returncode == 0
    inside, outside = loads()
    assert (inside["regions"], inside["service"], inside["state"]) == ([REGION], "chat", "done")
    assert (outside["regions"], outside["service"]) == ([], "target")
    assert outside["orders"][0]["credentials"] == ["env:KEY"]
    assert "sk-secret" not in Path(journal_of(outside)).read_text()
    assert all(word in ops("load", "history").stdout for word in ("target", "chat", REGION, "done"))


def test_a_gate_is_remembered_with_its_verdict_and_its_files(truth: Truth, tmp_path: Path) -> None:
    """Order, outcomes, percentiles, how it ended; JUnit has the criteria that were asked for."""
    kept, junit = tmp_path / "run.json", tmp_path / "run.xml"
    wanted = ("--slo", "goodput >= 50%", "--save", str(kept), "--junit", str(junit))
    done = ops("load", "gate", "--service", "chat", *SHORT, *wanted, "-o", "json")
    found = json.loads(done.stdout)
    (one,) = loads()
    assert (one["command"], one["verdict"], one["reasons"]) == ("gate", found["verdict"], found["reasons"])
    assert one["state"] == {0: "done", 3: "gate said no", 5: "cannot tell"}[done.returncode]
    assert one["files"] == [str(junit), str(kept)]
    assert one["orders"][0]["rate"] == 20.0
    (sent,) = one["sent"]
    assert sent["outcomes"] == found["report"]["outcomes"] and sent["metrics"] == found["report"]["metrics"]
    assert one["requests"] == len(truth.asked)
    assert 'name="goodput &gt;= 50%"' in junit.read_text() and 'name="outcomes"' not in junit.read_text()
    shown = ops("load", "history", "chat")
    assert f"gate  chat     {REGION}" in shown.stdout and str(kept) in shown.stdout
    assert all(len(line) <= 80 or "/" in line for line in shown.stdout.splitlines())
    assert ops("load", "history", "chat-mini").stdout == "no load yet\n"
    assert json.loads(ops("rollout", "history", "-o", "json").stdout)["rollouts"] == []
    assert ops("rollout", "explain", one["run"]).returncode == 2


def test_options_reach_the_requests(truth: Truth) -> None:
    """Each conversation has one of the adapters; goodput goes by the SLO that was given; a 429 is asked again."""
    truth.behaviours = ("429", "ok")
    how = ("--lora", "a", "--lora", "b", "--users", "2", "--retries", "1", "--slo", "e2e p99 < 5s")
    done = ops("load", "run", "--service", "chat", "--rate", "40/s", "--duration", "500ms", *how, "-o", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert {asked.body["model"] for asked in truth.asked} == {"a", "b"}
    assert len({asked.headers["x-user-id"] for asked in truth.asked}) == 2
    assert report["goodput"]["slo"] == {"e2e": 5.0}
    assert report["retries"] > 0


def test_a_load_that_was_killed_is_seen_as_that(truth: Truth) -> None:
    """kill -9: while it sends it is under way and in the way; after that it has no end, and the region is free."""
    words = [str(BIN / "ops"), "load", "run", "--service", "chat", "--rate", "20/s", "--duration", "forever"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: truth.asked)
            assert [one["state"] for one in loads()] == ["under way"]
            refused = ops(*SYNTHETIC)
        finally:
            process.kill()
    assert refused.returncode == 7 and f"(process {process.pid})" in refused.stderr
    (one,) = loads()
    assert (one["state"], one["ended"], one["sent"]) == ("killed", None, [])
    with activity().held(doing(alone=True), ""):
        pass


def test_what_cannot_be_written_down_is_not_sent(truth: Truth, tmp_path: Path) -> None:
    """Exit 6; the place is free again."""
    (tmp_path / "demo" / "journal").write_text("in the way")
    done = ops(*USERS)
    assert (done.returncode, truth.asked) == (6, []) and "the journal " in done.stderr
    assert activity().holders() == []


def test_what_came_of_a_load_is_not_lost_with_its_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was measured is answered all the same; that it is not written down is said."""
    journal = begin(tmp_path / "load-chat-here-1.jsonl")
    journal.path.unlink()
    Log(journal).kept(None, tmp_path / "run.json")
    assert capsys.readouterr().err.startswith(f"warning: the journal {journal.path} cannot be written")


def test_a_journal_that_cannot_be_read_is_named_and_hides_no_other(truth: Truth) -> None:
    """Corrupt, or of another version."""
    folder = state.journal_dir("demo")
    begin(folder / "load-chat-eastus2-1.jsonl")
    (folder / "load-chat-eastus2-2.jsonl").write_text("{\n")
    Journal(folder / "load-chat-eastus2-3.jsonl", "ana@here").append("nap")
    done = ops("load", "history", "-o", "json")
    found = json.loads(done.stdout)
    assert ([one["state"] for one in found["loads"]], len(found["unreadable"])) == (["killed"], 2)
    assert done.stderr.count("not readable: ") == 2


def test_a_journal_is_replayed_line_by_line(tmp_path: Path) -> None:
    """The worst that the client was in any part is what the load's figures are worth."""
    journal = begin(tmp_path / "load-chat-here-1.jsonl")
    for verdict in ("INVALID", "VALID"):
        facts = {"arrivals": {"sent": 3}, "metrics": {"ttft": {"p99": 0.25}}, "client": {"verdict": verdict}}
        journal.append("sent", **facts)
    journal.append("end", how="done", why="", verdict=None, reasons=[])
    past = replay(journal.run, journal.events())
    assert past is not None
    assert (past.requests, past.ttft_p99, past.client, past.how) == (6, 0.25, "INVALID", "done")
    assert replay("load-empty", ()) is None
    journal.append("nap")
    with pytest.raises(KeyError, match="it holds nap"):
        replay(journal.run, journal.events())


def begin(path: Path) -> Journal:
    """The journal of a load that was begun."""
    journal = Journal(path, "ana@here")
    journal.append("begin", command="run", orders=[{"service": "chat", "region": "here"}])
    return journal


def journal_of(load: dict[str, Any]) -> str:
    return str(state.journal_dir("demo") / f"{load['run']}.jsonl")
