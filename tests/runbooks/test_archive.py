"""The journals of a folder: which are of a kind, what they are about, and what becomes of those that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.archive import Archive, new_name
from runbooks.journal import Journal, JournalError


def first(journal: Journal) -> str | None:
    """What a journal's first event says; None of one that holds no event."""
    events = journal.events()
    return str(events[0].payload["said"]) if events else None


def archive(folder: Path, kind: str = "nap") -> Archive[str]:
    return Archive(folder, kind, "ana@here", first)


def test_only_journals_of_the_kind_are_opened(tmp_path: Path) -> None:
    """One of another kind may be corrupt; one that has no event yet is none."""
    one, other = archive(tmp_path).new("long", "here"), archive(tmp_path).new("short", "here")
    for journal, said in ((one, "a"), (other, "b")):
        journal.append("begin", said=said)
    (tmp_path / "walk-1.jsonl").write_text("{\n")
    archive(tmp_path).new("empty").path.touch()
    assert archive(tmp_path).all() == ["a", "b"]
    assert archive(tmp_path).all("short") == archive(tmp_path).all("short", "here") == ["b"]
    assert archive(tmp_path).find(one.run) == "a"
    assert [archive(tmp_path).find(name) for name in ("walk-1", "nap-no", "../x", "")] == [None] * 4


def test_what_cannot_be_read_is_named_beside_what_can(tmp_path: Path) -> None:
    """Whoever lists them is told; whoever needs all of them is stopped."""
    archive(tmp_path).new("long").append("begin", said="a")
    bad = tmp_path / "nap-zzz-1.jsonl"
    bad.write_text("{\n")
    found, broken = archive(tmp_path).readable()
    assert (found, [one.path for one in broken]) == (["a"], [bad])
    assert "nap-zzz-1.jsonl:1: the journal is corrupt here" in broken[0].why
    with pytest.raises(JournalError):
        archive(tmp_path).all()


def test_no_two_runs_have_one_name() -> None:
    """Those of one second neither; kind and what it is about come first."""
    names = {new_name("nap", "long", "here") for _ in range(50)}
    assert len(names) == 50 and all(name.startswith("nap-long-here-2") for name in names)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    """Nothing was done yet."""
    assert archive(tmp_path / "none").readable() == ([], [])
