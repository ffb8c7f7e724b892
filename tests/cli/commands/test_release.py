"""`ops release`: the releases there are, what differs between them, and which is of record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.main import run
from infra.record import RecordStore
from infra.release import RELEASES
from infra.state import record_path

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state directory for each test."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path / "state"))


def said(capsys: Captured, code: int, *arguments: str) -> tuple[str, str]:
    """stdout and stderr of a command that exits with `code`."""
    assert run(["release", *arguments]) == code
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_releases_are_listed_oldest_first(capsys: Captured) -> None:
    """All, or those of a service."""
    out, _ = said(capsys, 0, "list", "chat", "-o", "json")
    assert [row["version"] for row in json.loads(out)["releases"]] == ["v1", "v2", "v3", "v4"]
    assert "moderation" in said(capsys, 0, "list")[0]


def test_a_release_is_shown_with_its_digest(capsys: Captured) -> None:
    """By version and by file."""
    by_version = said(capsys, 0, "show", "chat", "v2")[0]
    by_file = said(capsys, 0, "show", "chat", str(RELEASES / "chat" / "v2.yaml"))[0]
    assert by_version == by_file
    assert "digest: sha256:" in by_version


def test_a_difference_is_pending_and_none_is_done(capsys: Captured) -> None:
    """Exit 8 with the fields, exit 0 without."""
    out, err = said(capsys, 8, "diff", "chat", "v1", "v2")
    assert "precision" in out
    assert "differ in" in err
    assert said(capsys, 0, "diff", "chat", "v2", "v2") == ("no difference\n", "")


def test_every_release_of_a_fleet_is_verified(capsys: Captured) -> None:
    """Without arguments all, with them one; machines get the problems as lists."""
    assert said(capsys, 0, "verify", "--fleet", "atlas")[0].count(" ok") == 7
    out, _ = said(capsys, 0, "verify", "chat", "v2", "-o", "json")
    assert [row["problems"] for row in json.loads(out)["releases"]] == [[]]


def test_a_release_that_does_not_verify_is_a_no(capsys: Captured, tmp_path: Path) -> None:
    """Exit 3; what is wrong is said with file and position."""
    path = tmp_path / "v9.yaml"
    text = (RELEASES / "chat" / "v2.yaml").read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    out, err = said(capsys, 3, "verify", "chat", str(path))
    assert "1 problem" in out
    assert f"{path}:6:10: version: the file is named 'v9.yaml'" in err
    path.write_text(text.replace("precision: fp8", "precision: fp9"), encoding="utf-8")
    assert "precision: 'fp9' is not one of" in said(capsys, 3, "verify", "chat", str(path))[1]


def test_the_release_of_record_says_who_set_it(capsys: Captured) -> None:
    """The fleet file, a run, or a person."""
    assert "the fleet file" in said(capsys, 0, "current")[0]
    RecordStore(record_path("demo")).set("chat", "eastus2", "v2", run="run-7", expect="v1")
    RecordStore(record_path("demo")).set("chat-mini", "eastus2", "v2", run=None, expect="v1")
    rows = json.loads(said(capsys, 0, "current", "-o", "json")[0])["releases"]
    assert [(row["release"], row["by"]) for row in rows] == [("v2", "run-7"), ("v2", "a person")]


def test_a_corrupt_record_is_no_answer(capsys: Captured) -> None:
    """Exit 6, and nothing on stdout that could be taken for one."""
    record_path("demo").parent.mkdir(parents=True)
    record_path("demo").write_text("{", encoding="utf-8")
    out, err = said(capsys, 6, "current")
    assert out == ""
    assert "the release of record cannot be read" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("list", "chta"), "there are no releases of 'chta'; did you mean chat?"),
        (("show", "chta", "v1"), "there are no releases of 'chta'; did you mean chat?"),
        (("show", "chat", "v22"), "there is no release 'v22' of chat"),
        (("show", "chat", "x.yaml"), "x.yaml:1:1: there is no such file"),
        (("diff", "chat", "v1", "v22"), "there is no release 'v22' of chat"),
        (("verify", "mail"), "the fleet demo has no service 'mail'"),
        (("verify", ""), "the fleet demo has no service ''"),
        (("verify", "chat", ""), "there is no release '' of chat"),
        (("verify", "chat", "v22"), "there is no release 'v22' of chat"),
        (("current", "--region", "mars"), "the fleet demo has no region 'mars'"),
        (("current", "--region", ""), "the fleet demo has no region ''"),
        (("current", "--fleet", "no.yaml"), "no.yaml:1:1: there is no such file"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(capsys: Captured, arguments: tuple[str, ...], says: str) -> None:
    """Exit 2 and one line that helps."""
    out, err = said(capsys, 2, *arguments)
    assert out == ""
    assert says in err
