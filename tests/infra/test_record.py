"""The release of record is changed only by who read it last, and never taken for empty when it cannot be read."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from infra.fleet import load_fleet
from infra.record import RecordError, RecordMoved, RecordStore
from infra.store import UnusableState

DEMO = load_fleet("demo")
PLACE = ("chat", "eastus2")


def store(where: Path) -> RecordStore:
    """A store with a clock that stands still."""
    return RecordStore(where / "record.json", lambda: "2026-11-21T03:00:00Z")


def test_without_a_record_the_fleet_file_says(tmp_path: Path) -> None:
    """A service that was never rolled out has the release of the fleet file, and reading writes nothing."""
    record = store(tmp_path).read(DEMO)
    assert (record.release(*PLACE), record.entry(*PLACE)) == ("v1", None)
    assert list(tmp_path.iterdir()) == []


def test_what_was_set_is_read_with_run_and_time(tmp_path: Path) -> None:
    """Other services and regions keep theirs."""
    store(tmp_path).set(*PLACE, "v2", run="run-1", expect="v1")
    store(tmp_path).set("chat", "westeurope", "v3", run=None, expect=None)
    record = store(tmp_path).read(DEMO)
    entry = record.entry(*PLACE)
    assert record.release(*PLACE) == "v2"
    assert entry is not None
    assert (entry.run, entry.at) == ("run-1", "2026-11-21T03:00:00Z")
    assert record.release("chat-mini", "eastus2") == "v1"


def test_the_file_has_the_agreed_form(tmp_path: Path) -> None:
    """Others read it too."""
    store(tmp_path).set(*PLACE, "v2", run=None, expect="v1")
    assert json.loads((tmp_path / "record.json").read_text(encoding="utf-8")) == {
        "apiVersion": "bellwether/v1",
        "releases": {"chat": {"eastus2": {"release": "v2", "run": None, "at": "2026-11-21T03:00:00Z"}}},
    }


def test_who_read_an_older_record_is_refused(tmp_path: Path) -> None:
    """Compare-and-set: the second of two rollouts that both saw v1 changes nothing."""
    store(tmp_path).set(*PLACE, "v2", run="run-1", expect="v1")
    with pytest.raises(RecordMoved, match=r"has release v2, set by run run-1 at .*, and not v1 any more"):
        store(tmp_path).set(*PLACE, "v3", run="run-2", expect="v1")
    assert store(tmp_path).read(DEMO).release(*PLACE) == "v2"


def test_setting_what_is_there_already_is_safe_to_repeat(tmp_path: Path) -> None:
    """A driver that died after the write and before its journal does it again."""
    store(tmp_path).set(*PLACE, "v2", run="run-1", expect="v1")
    store(tmp_path).set(*PLACE, "v2", run="run-1", expect="v1")
    assert store(tmp_path).read(DEMO).release(*PLACE) == "v2"


CORRUPT: list[str | bytes] = [
    *(
        "",
        "{",
        "null",
        "[]",
        "{}",
        '{"apiVersion": "bellwether/v1"}',
        '{"apiVersion": "bellwether/v9", "releases": {}}',
    ),
    '{"apiVersion": "bellwether/v1", "releases": {"chat": {"eastus2": "v2"}}}',
    '{"apiVersion": "bellwether/v1", "releases": {"chat": {"eastus2": {"release": "", "at": ""}}}}',
    b"\xff\xfe\x00",
    "[" * 100_000,
]


@pytest.mark.parametrize("content", CORRUPT, ids=range(len(CORRUPT)))
def test_a_corrupt_record_is_neither_read_nor_written_over(tmp_path: Path, content: str | bytes) -> None:
    """Taken for empty it would bring a release back that was rolled back."""
    path = tmp_path / "record.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = path.read_bytes()
    actions: list[Callable[[], object]] = [
        lambda: store(tmp_path).read(DEMO),
        lambda: store(tmp_path).set(*PLACE, "v2", run=None, expect="v1"),
    ]
    for action in actions:
        with pytest.raises(RecordError, match="the release of record cannot be read"):
            action()
    assert path.read_bytes() == before


def _race(where: Path, name: str) -> bool:
    try:
        RecordStore(where / "record.json").set(*PLACE, name, run=name, expect="v1")
    except RecordMoved:
        return False
    return True


def test_of_two_that_write_at_once_one_is_refused(tmp_path: Path) -> None:
    """Two processes that both read v1."""
    with get_context("spawn").Pool(2) as pool:
        won = pool.starmap(_race, [(tmp_path, "v2"), (tmp_path, "v3")])
    assert sorted(won) == [False, True]
    assert RecordStore(tmp_path / "record.json").read(DEMO).release(*PLACE) == ["v2", "v3"][won.index(True)]


def test_the_clock_is_utc(tmp_path: Path) -> None:
    """The default clock ends in Z."""
    RecordStore(tmp_path / "record.json").set(*PLACE, "v2", run=None, expect="v1")
    entry = RecordStore(tmp_path / "record.json").read(DEMO).entry(*PLACE)
    assert entry is not None
    assert entry.at.endswith("Z")


def test_without_room_the_old_record_stays_and_it_is_told(tmp_path: Path) -> None:
    """Neither half a file nor a raw error of the system."""
    it = store(tmp_path)
    it.set("chat", "eastus2", "v1", run=None, expect=None)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(UnusableState, match="cannot hold our state: File too large"):
            it.set("chat", "eastus2", "v2", run=None, expect="v1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert '"v1"' in it.path.read_text()
    assert not list(tmp_path.glob(".record.json.*"))
