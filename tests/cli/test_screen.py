"""What a person sees of a rollout under way: no line wider than the terminal, no word lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cli.rollouts.drive import Snapshot
from cli.rollouts.state import State
from cli.rollouts.verdict import Inconclusive
from cli.screen import EVERY, Screen, wrapped
from tests.fakes import EPOCH, PLAN

WORDS = some.lists(some.text("abcd%.>-", min_size=1, max_size=20), min_size=1, max_size=60)


@given(WORDS, some.integers(40, 120))
def test_a_long_reason_goes_on_below_itself(words: list[str], width: int) -> None:
    """Right of its label, within the width, with every word."""
    lines = list(wrapped([f"  waits    {' '.join(words)}"], width))
    assert all(len(line) <= width for line in lines)
    assert all(line.startswith(" " * 11) for line in lines[1:])
    assert " ".join(lines).split() == ["waits", *words]


@pytest.mark.parametrize("line", ["", "title", "  journal  /" + "a" * 100, "    a  table   row"])
def test_what_fits_or_must_be_copied_whole_is_left_as_it_is(line: str) -> None:
    """Tables keep their columns, paths stay one word."""
    assert list(wrapped([line], 80)) == [line]


def test_without_a_terminal_there_is_a_line_per_change_and_one_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In UTC, with why it waits; repaints would fill a log."""
    state = State(PLAN, EPOCH, phase="judging", weight=25.0)
    with Screen(live=False) as screen:
        for second in (0.0, 1.0, EVERY + 0.5):
            screen.show(
                Snapshot(
                    state, Inconclusive("no data", (), 1.0), "no data", EPOCH + second, Inconclusive("no data", (), 1.0)
                )
            )
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0] == "14:13:20Z judging at 25 %, e-value 1: no data"


def test_a_reason_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """From the decision to roll back until it has ended there is one; the evidence is told in plain figures."""
    verdict = Inconclusive("", (), 1563.4)
    with Screen(live=False) as screen:
        for second, phase in enumerate(("judging", "rolling back", "rolled back")):
            state = State(PLAN, EPOCH, phase=phase, reason="" if phase == "judging" else "too many errors")  # type: ignore[arg-type]
            hold = "no data" if phase == "judging" else ""
            screen.show(Snapshot(state, verdict, hold, EPOCH + second, verdict))
    assert [line.partition(" ")[2] for line in capsys.readouterr().err.splitlines()] == [
        "judging at 0 %, e-value 1560: no data",
        "rolling back at 0 %, e-value 1560: too many errors",
        "rolled back at 0 %, e-value 1560",
    ]
