"""Who does what with a region: many beside each other or one alone, and nobody after death - with real processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from cli.adapters.activity import Activity, Doing
from infra.errors import Locked
from infra.store import locked
from tests.conftest import ROOT

ROLLOUT = Doing("rollout", "a rollout of chat", "rollout-a", "here", "chat")
USERS = Doing("load", "users' load on chat", "load-b", "here", "chat")
ALONE = Doing("load", "synthetic load on https://here.example.com", "load-c", "here", "chat", alone=True)
NOWHERE = Doing("load", "synthetic load on https://elsewhere.org", "load-d", "", "target", alone=True)

HOLDS = """
import sys
from pathlib import Path
from cli.adapters.activity import Activity, Doing
with Activity(Path(sys.argv[1]), "ben@there").held(eval(sys.argv[2]), "nothing was sent"):
    print("holds", flush=True)
    sys.stdin.read()
"""


def activity(folder: Path) -> Activity:
    return Activity(folder, "ana@here")


@contextmanager
def holder(folder: Path, doing: Doing) -> Iterator[subprocess.Popen[str]]:
    """Another process that does something until the end, or until it is killed."""
    words = [sys.executable, "-c", HOLDS, str(folder), repr(doing)]
    process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "holds\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    ("first", "then", "free"),
    [
        (USERS, ROLLOUT, True),
        (ROLLOUT, USERS, True),
        (USERS, USERS, True),
        (ALONE, USERS, False),
        (ALONE, ROLLOUT, False),
        (USERS, ALONE, False),
        (ROLLOUT, ALONE, False),
        (ALONE, ALONE, False),
        (NOWHERE, NOWHERE, True),
        (NOWHERE, ALONE, True),
        (ALONE, NOWHERE, True),
    ],
)
def test_who_may_be_beside_whom(tmp_path: Path, first: Doing, then: Doing, free: bool) -> None:
    """One alone suffers nobody in its region, and what is in no region of the fleet is in nobody's way."""
    here = activity(tmp_path)
    with ExitStack() as both:
        both.enter_context(here.held(first, "nothing was sent"))
        if free:
            both.enter_context(here.held(then, "nothing was sent"))
        else:
            with pytest.raises(Locked):
                both.enter_context(here.held(then, "nothing was sent"))
        assert [one.doing for one in here.holders()] == [first, then][: 1 + free]
    assert here.holders() == []
    assert [path.suffix for path in tmp_path.iterdir()] in ([".region"], [])


def test_what_cannot_wait_is_done_beside_whoever_is_alone(tmp_path: Path) -> None:
    """It is told who that is, others see it, and it frees nothing of the other's."""
    told: list[Locked] = []
    with holder(tmp_path, ALONE):
        with activity(tmp_path).held(ROLLOUT, "nothing was changed", told.append):
            assert {one.doing for one in activity(tmp_path).holders()} == {ALONE, ROLLOUT}
        [taken] = told
        assert "here is taken by synthetic load on https://here.example.com (load-c) by ben@there" in taken.what
        with pytest.raises(Locked), activity(tmp_path).held(USERS, "nothing was sent"):
            pass


def test_another_region_is_another_matter(tmp_path: Path) -> None:
    """Of the same fleet."""
    there = Doing("load", "synthetic load", "load-e", "there", "chat", alone=True)
    with activity(tmp_path).held(ALONE, ""), activity(tmp_path).held(there, ""):
        assert [one.doing.region for one in activity(tmp_path).holders()] == ["here", "there"]


def test_who_is_in_the_way_is_named(tmp_path: Path) -> None:
    """What, who, where, for how long, and what to look at; only those that are in the way."""
    with holder(tmp_path, ROLLOUT) as other, activity(tmp_path).held(NOWHERE, ""):
        with pytest.raises(Locked) as refused, activity(tmp_path).held(ALONE, "no load was started"):
            pass
        who = f"ben@there on {socket.gethostname()} (process {other.pid}) for "
    error = refused.value
    assert error.what.startswith(f"here is taken by a rollout of chat (rollout-a) by {who}")
    assert error.what.endswith("s; synthetic load on https://here.example.com must be alone in it")
    assert "elsewhere.org" not in error.what
    assert error.not_done == "no load was started"
    assert error.next == "ops rollout watch chat; when it has ended, the same command again"


def test_whoever_is_alone_is_named_to_all_others(tmp_path: Path) -> None:
    """The load that has the region, and where loads are listed."""
    here = activity(tmp_path)
    with holder(tmp_path, ALONE) as other, pytest.raises(Locked) as refused, here.held(ROLLOUT, "nothing was changed"):
        pass
    assert f"(load-c) by ben@there on {os.uname().nodename} (process {other.pid})" in refused.value.what
    assert refused.value.what.endswith("a rollout of chat cannot be beside it")
    assert refused.value.next == "ops load history; when it has ended, the same command again"


def test_a_dead_holder_holds_nothing(tmp_path: Path) -> None:
    """After kill -9, at once; its note goes when somebody reads it."""
    with holder(tmp_path, ALONE) as other:
        assert [one.pid for one in activity(tmp_path).holders()] == [other.pid]
        other.kill()
        other.wait()
        assert list(tmp_path.glob("*.json"))
        with activity(tmp_path).held(USERS, ""):
            assert [one.doing for one in activity(tmp_path).holders()] == [USERS]
    assert list(tmp_path.glob("*.json")) == list(tmp_path.glob("*.lock")) == []


def test_an_error_while_it_is_held_goes_through(tmp_path: Path) -> None:
    """Also one that is about another lock; the place is free again."""
    with pytest.raises(Locked, match="something else"), activity(tmp_path).held(ALONE, ""):
        raise Locked("something else is locked")
    with activity(tmp_path).held(ALONE, ""):
        pass


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"doing": {"kind": "nap"}}'])
def test_a_note_that_cannot_be_read_is_no_reason_to_let_somebody_in(tmp_path: Path, text: str) -> None:
    """The lock counts; who has it is not known then."""
    with holder(tmp_path, ALONE):
        next(tmp_path.glob("*.json")).write_text(text)
        assert activity(tmp_path).holders() == []
        with pytest.raises(Locked, match="here is taken by another process of this machine"):
            activity(tmp_path).held(USERS, "").__enter__()


def test_one_who_looks_makes_nobody_alive(tmp_path: Path) -> None:
    """A dead one's note, while another looks at it."""
    with holder(tmp_path, USERS) as process:
        process.kill()
        process.wait()
        (note,) = tmp_path.glob("*.json")
        with locked(note.with_suffix(".lock"), wait=False, shared=True):
            assert activity(tmp_path).holders() == []
