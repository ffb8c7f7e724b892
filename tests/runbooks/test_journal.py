"""The journal is a valid prefix of what was written, after anything that can happen to a process or a file."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import Unavailable
from runbooks.journal import GENESIS, START, Event, Journal, JournalError, JournalUnusable, decode, digest, encode

ROOT = Path(__file__).parent.parent.parent
AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
WRITER = """
import sys
from pathlib import Path
from runbooks.journal import Journal
journal = Journal(Path(sys.argv[1]), sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    journal.extend([("note", {"number": number, "filler": "x" * 300})] * 3)
    print(number, flush=True)
"""
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
entries = st.lists(st.tuples(st.text(), st.dictionaries(st.text(), values, max_size=4)), max_size=6)


def journal(folder: Path, lines: int = 0) -> Journal:
    made = Journal(folder / "deep" / "run-1.jsonl", "ana", lambda: AT)
    for number in range(lines):
        made.append("note", number=number)
    return made


def chain(written: list[tuple[str, dict[str, Any]]]) -> bytes:
    data, prev = b"", GENESIS
    for seq, (kind, payload) in enumerate(written, start=1):
        line = encode(Event(seq, AT, "ana", kind, payload), prev)
        data, prev = data + line, digest(line)
    return data


def writer(path: Path, actor: str, lines: int) -> subprocess.Popen[str]:
    """A real process that appends; it waits for a line on its standard input."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), actor, str(lines)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


@given(entries)
def test_events_come_back_as_they_were_written(written: list[tuple[str, dict[str, Any]]]) -> None:
    events, mark = decode(chain(written), "run")
    assert [(event.kind, event.payload) for event in events] == written
    assert mark.offset == len(chain(written))


@given(entries, st.data())
def test_every_prefix_of_a_journal_is_a_journal(written: list[tuple[str, dict[str, Any]]], data: st.DataObject) -> None:
    """A crash may cut it at any byte; what is left is the events whose line is whole."""
    text = chain(written)
    cut = data.draw(st.integers(0, len(text)))
    events, mark = decode(text[:cut], "run")
    assert events == decode(text, "run")[0][: len(events)]
    assert len(events) == text[:cut].count(b"\n")
    assert mark.offset <= cut


def test_an_append_returns_what_is_on_disk(tmp_path: Path) -> None:
    it = journal(tmp_path)
    event = it.append("plan", weights=[25, 50])
    assert (event, event.seq, event.actor, event.at) == (it.events()[0], 1, "ana", AT)
    assert it.run == "run-1"


def test_a_journal_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert journal(tmp_path).events() == ()


def test_a_reason_that_is_not_utf8_can_be_journalled(tmp_path: Path) -> None:
    """As the shell hands over such an argument: an abort must not fail for it."""
    it = journal(tmp_path)
    it.append("command", reason="caf\udce9")
    assert it.events()[0].payload == {"reason": "caf\udce9"}


def test_the_wall_clock_is_utc(tmp_path: Path) -> None:
    event = Journal(tmp_path / "run.jsonl", "ana").append("note")
    assert event.at.tzinfo is UTC


@pytest.mark.parametrize("tail", [b'{"seq":4,"at":', b"{", b"\xff\x00", b"x" * 5000])
def test_an_append_cuts_a_torn_last_line_and_goes_on(tmp_path: Path, tail: bytes) -> None:
    it = journal(tmp_path, 3)
    it.path.write_bytes(it.path.read_bytes() + tail)
    assert [event.seq for event in it.events()] == [1, 2, 3]
    it.append("note", number=3)
    assert [event.payload["number"] for event in it.events()] == [0, 1, 2, 3]


def without(key: str) -> Any:
    def change(line: dict[str, Any]) -> Any:
        return {name: value for name, value in line.items() if name != key}

    return change


CORRUPTIONS: dict[str, Any] = {
    "changed payload": lambda line: {**line, "payload": {"number": 7}},
    "changed actor": lambda line: {**line, "actor": "eve"},
    "other predecessor": lambda line: {**line, "prev": GENESIS},
    "other number": lambda line: {**line, "seq": 9},
    "a time without zone": lambda line: {**line, "at": "2026-11-21T03:00:00"},
    "no time": lambda line: {**line, "at": 3},
    "payload is a list": lambda line: {**line, "payload": []},
    "no kind": without("kind"),
    "a list": lambda line: [line],
    "a number": lambda line: 3,
}


@pytest.mark.parametrize("change", CORRUPTIONS.values(), ids=CORRUPTIONS.keys())
def test_a_corrupt_line_stops_the_replay_at_its_number_and_the_file_is_kept(tmp_path: Path, change: Any) -> None:
    it = journal(tmp_path, 4)
    lines = it.path.read_bytes().splitlines(keepends=True)
    lines[1] = json.dumps(change(json.loads(lines[1]))).encode() + b"\n"
    spoilt = b"".join(lines)
    it.path.write_bytes(spoilt)
    for use in (it.events, lambda: journal(tmp_path).append("note")):
        with pytest.raises(JournalError, match=r"run-1\.jsonl:[23]: the journal is corrupt here"):
            use()
    assert it.path.read_bytes() == spoilt


@pytest.mark.parametrize("line", [b"", b"\x00" * 40, b"\xff", b"[" * 200_000, b'{"seq":2', b'"'])
def test_garbage_in_the_middle_is_named_with_its_line(tmp_path: Path, line: bytes) -> None:
    it = journal(tmp_path, 3)
    first, _, third = it.path.read_bytes().splitlines()
    it.path.write_bytes(b"\n".join([first, line, third, b""]))
    with pytest.raises(JournalError, match=r"run-1\.jsonl:2:") as raised:
        it.events()
    assert isinstance(raised.value, Unavailable)


@given(entries, st.data())
def test_a_reader_that_goes_on_sees_every_event_once(
    written: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    """In two parts, wherever the first one was cut: the same events and the same end."""
    text = chain(written)
    cut = data.draw(st.integers(0, len(text)))
    first, mark = decode(text[:cut], "run")
    rest, end = decode(text[mark.offset :], "run", mark)
    assert (first + rest, end) == decode(text, "run")


def test_a_reader_verifies_what_is_new_and_only_that(tmp_path: Path) -> None:
    """Each line is read once; one that does not follow from what was read is refused with its number."""
    it = journal(tmp_path, 2)
    _, mark = it.after(START)
    other = journal(tmp_path)
    other.append("note", number=2)
    assert [event.seq for event in it.after(mark)[0]] == [3]
    assert it.append("note", number=3).seq == 4
    whole = it.path.read_bytes()
    it.path.write_bytes(b"x" + whole[1:])  # before the mark
    assert [event.seq for event in it.after(mark)[0]] == [3, 4]
    it.path.write_bytes(whole[: mark.offset] + b"{}\n")
    with pytest.raises(JournalError, match=":3:"):
        it.after(mark)


def test_a_journal_that_shrinks_or_goes_while_it_is_used_is_not_begun_anew(tmp_path: Path) -> None:
    """Neither read nor written: its first lines are missing."""
    it = journal(tmp_path, 3)
    _, mark = it.after(START)
    it.path.write_bytes(it.path.read_bytes().splitlines(keepends=True)[0])
    for use in (lambda: it.after(mark), lambda: it.append("note")):
        with pytest.raises(JournalError, match=r":3: .* is gone"):
            use()
    it.path.unlink()
    for use in (lambda: it.after(mark), lambda: it.append("note")):
        with pytest.raises(JournalUnusable, match="No such file"):
            use()
    assert not it.path.exists()


@pytest.mark.parametrize("place", ["a folder is there", "its folder is a file"])
def test_a_journal_that_cannot_be_used_is_told_with_its_path(tmp_path: Path, place: str) -> None:
    """What could not be done, where, why, and that nothing was."""
    path = tmp_path / "journal" / "run.jsonl"
    if place == "a folder is there":
        path.mkdir(parents=True)
    else:
        path.parent.write_text("")
    it = Journal(path, "ana")
    for use in (it.events, lambda: it.append("note")):
        with pytest.raises(JournalUnusable, match=rf"{path} cannot be (read|written): (Is|Not|File)") as raised:
            use()
        assert raised.value.not_done and str(path.parent) in raised.value.next


def test_a_disk_without_room_is_told_and_the_journal_stays_a_valid_prefix(tmp_path: Path) -> None:
    """The line that did not fit is torn; when there is room again, the next append cuts it off and goes on."""
    it = journal(tmp_path, 3)
    before = it.events()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (it.path.stat().st_size + 50, limits[1]))
    try:
        with pytest.raises(JournalUnusable, match="cannot be written: File too large"):
            it.append("note", filler="x" * 300)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert it.events() == before
    assert it.append("note").seq == 4
    assert len(it.events()) == 4


def test_a_line_that_was_taken_out_breaks_the_chain(tmp_path: Path) -> None:
    it = journal(tmp_path, 4)
    lines = it.path.read_bytes().splitlines(keepends=True)
    it.path.write_bytes(b"".join(lines[:2] + lines[3:]))
    with pytest.raises(JournalError, match=r":3: .* does not follow"):
        it.events()


def test_several_processes_that_append_at_once_keep_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    children = [writer(path, f"actor-{number}", 15) for number in range(3)]
    for child in children:
        go(child)
    for child in children:
        child.communicate(timeout=60)
        assert child.returncode == 0
    events = Journal(path, "reader").events()
    assert len(events) == 3 * 15 * 3
    for number in range(3):
        mine = [event.payload["number"] for event in events if event.actor == f"actor-{number}"]
        assert mine == sorted(mine)
        assert len(mine) == 45


@pytest.mark.parametrize("after", [0, 1, 7, 20])
def test_a_process_killed_while_it_appends_leaves_a_valid_prefix(tmp_path: Path, after: int) -> None:
    """Whatever it said was written is there, in order, and the next append goes on from it."""
    path = tmp_path / "run.jsonl"
    child = writer(path, "victim", 100_000)
    go(child)
    assert child.stdout is not None
    said = [int(child.stdout.readline()) for _ in range(after)]
    os.kill(child.pid, signal.SIGKILL)
    said += [int(line) for line in child.communicate(timeout=60)[0].splitlines() if line]
    it = Journal(path, "heir")
    before = it.events()
    assert [event.payload["number"] for event in before] == [n // 3 for n in range(len(before))]
    assert len(before) >= 3 * len(said)
    it.append("note", number="next")
    assert it.events()[:-1] == before
