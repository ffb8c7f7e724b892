"""`ops local` as a person uses it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.store import write_atomic
from tests.conftest import BIN, Ops
from tests.infra.local.lab import until, write_fleet


@pytest.fixture(scope="module")
def place(ops: Ops, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """Options that name a region of its own, which is up; down after the module."""
    options = ("--fleet", str(write_fleet(tmp_path_factory.mktemp("fleet"), "mine")))
    done = ops("local", "up", "--replicas", "1", *options)
    assert done.returncode == 0, done.stderr
    yield options
    ops("local", "down", *options)


def test_up_prints_addresses_and_says_when_there_was_nothing_to_do(ops: Ops, place: tuple[str, ...]) -> None:
    """The addresses on stdout, the story on stderr."""
    done = ops("local", "up", *place)
    assert done.returncode == 0 and "already up" in done.stderr
    assert "chat-mini" in done.stdout and "http://127.0.0.1:" in done.stdout and "prometheus" in done.stdout


def test_status_shows_arms_processes_and_memory(ops: Ops, place: tuple[str, ...]) -> None:
    """As a table, and the same as JSON."""
    table = ops("local", "status", *place).stdout
    assert "100%" in table and "chat-stable-1" in table and "memory" in table
    data = json.loads(ops("local", "status", "-o", "json", *place).stdout)
    assert data["kind"] == "LocalStatus" and data["services"]["chat"]["arms"]["stable"]["release"] == "v1"
    assert 0 < data["memory_bytes"] < 600e6


def test_logs_are_shown_by_process(ops: Ops, place: tuple[str, ...]) -> None:
    """A name that has none is answered with the nearest that has, or with all."""
    assert ops("local", "logs", "chat-stable-1", "--lines", "3", *place).returncode == 0
    near, far = ops("local", "logs", "envoi", *place), ops("local", "logs", "x", *place)
    assert near.returncode == far.returncode == 2
    assert "did you mean envoy?" in near.stderr and "chat-stable-1" in far.stderr


def test_logs_are_followed_until_the_reader_has_enough(place: tuple[str, ...], ops: Ops, tmp_path: Path) -> None:
    """Lines that come later are printed; Ctrl-C ends it without an error."""
    root = Path(json.loads(ops("local", "up", "-o", "json", *place).stdout)["state"])
    command = [str(BIN / "ops"), "local", "logs", "envoy", "--follow", *place]
    shown = tmp_path / "shown"
    with shown.open("w") as out, subprocess.Popen(command, stdout=out) as process:
        log = root / "logs" / "envoy.log"

        def written() -> bool:
            with log.open("a") as file:
                file.write("a later line\n")
            return "a later line" in shown.read_text()

        until(written)
        process.send_signal(2)
        assert process.wait(10) == 0


def test_down_says_what_it_stopped_and_then_that_there_is_nothing(ops: Ops, tmp_path: Path) -> None:
    """And status of what is not up is exit 6 with the command that helps."""
    options = ("--fleet", str(write_fleet(tmp_path, "other")))
    assert ops("local", "up", "--replicas", "1", *options).returncode == 0
    assert "supervisor" in ops("local", "down", *options).stdout
    again = ops("local", "down", *options)
    assert again.returncode == 0 and "was running" in again.stdout
    status = ops("local", "status", *options)
    assert status.returncode == 6 and "next: ops local up" in status.stderr


def test_a_region_that_never_ran_has_no_logs(ops: Ops, tmp_path: Path) -> None:
    """Exit 6 and the command that starts it here, as for a region that is not up."""
    done = ops("local", "logs", "--fleet", "atlas", "--region", "westeurope", state=tmp_path)
    assert (done.returncode, done.stdout) == (6, "") and "never ran" in done.stderr
    assert "next: ops local up --fleet atlas --region westeurope\n" in done.stderr


def test_a_file_of_the_region_that_cannot_be_read_is_named_with_what_helps(ops: Ops, tmp_path: Path) -> None:
    """The supervisor's own log is empty then, so it is not what a person is sent to; `logs` tells it again."""
    file = region_dir_in(tmp_path) / "accepted.json"
    write_atomic(file, "{torn")
    done = ops("local", "up", state=tmp_path)
    assert done.returncode == 6 and f"supervisor: {file}, which has" in done.stderr
    assert f"next: mv {file} {file}.corrupt, then ops local up" in done.stderr
    assert str(file) in ops("local", "logs", state=tmp_path).stderr


def test_addresses_that_cannot_be_read_are_made_anew(ops: Ops, place: tuple[str, ...]) -> None:
    """The file is named, and the commands that write it again are, for this fleet."""
    file = Path(json.loads(ops("local", "up", "-o", "json", *place).stdout)["state"]) / "region.json"
    kept = file.read_text()
    write_atomic(file, "{torn")
    done = ops("local", "up", *place)
    write_atomic(file, kept)
    options = " ".join(place)
    assert done.returncode == 6 and f"{file} cannot be read" in done.stderr
    assert f"next: ops local down {options}, then ops local up {options}\n" in done.stderr


def test_a_release_that_is_not_there_is_told_before_anything_is_started(ops: Ops, tmp_path: Path) -> None:
    """Exit 2, with who names it."""
    file = write_fleet(tmp_path, "gone")
    file.write_text(file.read_text().replace("release: v1", "release: v99", 1))
    done = ops("local", "up", "--fleet", str(file), state=tmp_path / "state")
    assert done.returncode == 2 and "'v99' of chat" in done.stderr and "the fleet file names it" in done.stderr
    assert not (tmp_path / "state").exists()


def region_dir_in(state: Path) -> Path:
    """The demo fleet's region in a state directory."""
    return state / "demo" / "local" / "eastus2"


def test_two_ups_at_once_end_with_one_region_and_exit_7_for_the_other(tmp_path: Path) -> None:
    """The loser names the pid that holds it."""
    options = ["--fleet", str(write_fleet(tmp_path, "race")), "--replicas", "1"]
    command = [str(BIN / "ops"), "local", "up", *options]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in both]
    try:
        codes = {process.returncode: text for process, text in zip(both, said, strict=True)}
        assert set(codes) == {0, 7} and "pid " in codes[7] and "not done" in codes[7]
    finally:
        subprocess.run([str(BIN / "ops"), "local", "down", *options[:2]], check=True, capture_output=True)


@pytest.mark.parametrize(
    "arguments",
    [("up", "--replicas", "0"), ("up", "--region", "nowhere"), ("up", "--fleet", "nope"), ("logs", "-n", "-1")],
)
def test_wrong_input_is_exit_2(ops: Ops, arguments: tuple[str, ...]) -> None:
    """Without a traceback, and nothing is started."""
    done = ops("local", *arguments)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr


def test_help_has_an_example_for_every_command(ops: Ops) -> None:
    """A `$ ops` line each."""
    for command in ("up", "status", "down", "logs"):
        assert "$ ops local" in ops("local", command, "--help").stdout
