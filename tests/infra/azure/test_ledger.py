"""The ledger: one file, several processes, and a kill at any byte."""

from __future__ import annotations

import fcntl
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.azure import ledger as module
from infra.azure.ledger import Ledger, LedgerError
from infra.azure.refusal import ArmError
from tests.infra.azure.writer import ID, TENANT, add, identity, opened


def anew(ledger: Ledger) -> Ledger:
    """As a process that never saw the file."""
    module._KNOWN.clear()
    return Ledger(ledger.path)


def names(ledger: Ledger) -> list[str]:
    with ledger.session() as azure:
        return [id.rpartition("/")[2] for id in azure.resources()]


def test_what_was_put_is_there_for_the_next_process(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.jsonl")
    add(ledger, "id-a")
    with anew(ledger).session() as azure:
        assert azure.read(identity("id-a"))
        assert (azure.id, azure.tenant) == (ID, TENANT)


def test_the_file_is_lines_of_json_that_begin_with_the_subscription(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "deep" / "ledger.jsonl")
    lines = [json.loads(line) for line in ledger.path.read_text().splitlines()]
    assert lines[0] == {"do": "open", "subscription": ID, "tenant": TENANT, "features": []}
    assert [line["do"] for line in lines[1:]] == ["begin", "put", "end"]


def test_what_happened_before_a_refusal_is_kept(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.jsonl")
    with pytest.raises(ArmError), ledger.session() as azure:
        azure.next_call()
        azure.remove(identity("id-lost"))
    with anew(ledger).session() as azure:
        assert azure.calls == 1


def test_a_torn_last_line_is_cut(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.jsonl")
    whole = ledger.path.read_bytes()
    add(ledger, "id-a")
    torn = ledger.path.read_bytes()[: len(whole) + 20]
    ledger.path.write_bytes(torn)
    assert names(anew(ledger)) == ["rg"]
    assert ledger.path.read_bytes() == whole
    add(ledger, "id-b")
    assert names(anew(ledger)) == ["rg", "id-b"]


@cache
def gone() -> int:
    """The number of a process that is no more."""
    with subprocess.Popen(["true"]) as process:
        return process.pid


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=0, max_value=10_000))
def test_a_kill_at_any_byte_leaves_a_ledger_that_goes_on(tmp_path_factory: pytest.TempPathFactory, at: int) -> None:
    ledger = opened(tmp_path_factory.mktemp("ledger") / "ledger.jsonl")
    add(ledger, "id-a")
    data = re.sub(rb'"owner":\[\d+', b'"owner":[%d' % gone(), ledger.path.read_bytes())
    ledger.path.write_bytes(data[: at % (len(data) + 1)])
    after = opened(anew(ledger).path)
    add(after, "id-a")
    assert names(anew(after)) == ["rg", "id-a"]


@pytest.mark.parametrize("line", ["{torn", "[1]", '{"id": 1}'])
def test_a_line_that_is_no_event_stops_with_its_number(tmp_path: Path, line: str) -> None:
    ledger = opened(tmp_path / "ledger.jsonl")
    with ledger.path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(LedgerError, match=r"ledger\.jsonl:5: "), anew(ledger).session():
        pass


def test_a_ledger_that_was_made_anew_is_read_anew(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.jsonl")
    add(ledger, "id-a")
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole.replace(b"id-a", b"id-b"))
    assert names(ledger) == ["rg", "id-b"]
    ledger.path.write_bytes(b"")
    opened(ledger.path)
    assert names(ledger) == ["rg"]


def test_what_cannot_be_written_did_not_happen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = opened(tmp_path / "ledger.jsonl")

    def full(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(module.os, "write", full)
        add(ledger, "id-a")
    assert names(ledger) == ["rg"]


def process(ledger: Ledger, what: str, mark: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.infra.azure.writer", str(ledger.path), what, mark]
    root = Path(__file__).parent.parent.parent.parent
    return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.jsonl")
    workers = [process(ledger, "add", mark) for mark in ("a", "b")]
    for number in range(20):
        add(ledger, f"id-c-{number}")
    assert [worker.communicate(timeout=60)[0] for worker in workers] == ["", ""]
    assert [worker.returncode for worker in workers] == [0, 0]
    expected = {"rg"} | {f"id-{mark}-{number}" for mark in "abc" for number in range(20)}
    assert set(names(ledger)) == set(names(anew(ledger))) == expected
    with ledger.session() as azure:
        assert azure.calls == 40


def test_a_session_is_alone_with_the_ledger(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.jsonl")
    with process(ledger, "stay") as worker:
        assert worker.stdout and worker.stdout.readline() == "inside\n"
        with ledger.path.open("rb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        worker.communicate("go\n", timeout=60)
    assert names(ledger) == ["rg"]


def test_what_a_killed_process_began_is_finished_by_the_next(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.jsonl")
    with process(ledger, "begin") as worker:
        assert worker.stdout and worker.stdout.readline() == "begun\n"
        with ledger.session() as azure:
            assert azure.read(identity("id-left")) is None
            assert [operation.id for operation in azure.operations()] == [identity("id-left")]
        worker.kill()
    with ledger.session() as azure:
        assert azure.read(identity("id-left"))
        assert azure.operations() == ()
    assert names(anew(ledger)) == ["rg", "id-left"]


def test_a_process_reads_on_and_not_all_over(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.jsonl")
    with ledger.session() as azure:
        before = azure
    with Ledger(ledger.path).session() as azure:
        assert azure is before
