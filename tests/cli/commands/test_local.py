"""`ops local` as a person uses it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    """A name that has none is answered with those that have."""
    assert ops("local", "logs", "chat-stable-1", "--lines", "3", *place).returncode == 0
    wrong = ops("local", "logs", "chatty", *place)
    assert wrong.returncode == 2 and "chat-stable-1" in wrong.stderr


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
