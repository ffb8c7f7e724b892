"""Requests go on with the conversation that has waited longest, or begin one; their times stay as they are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from infra.token_length import Turns
from loadtests.arrivals.conversation import Conversations, Turn

TURNS = Turns.model_validate({"count": 3, "pause": "10s"})


def talk(dues: list[float], turns: Turns | None = TURNS) -> list[Turn]:
    """The turn of each request; each says 5 tokens more than was said before."""
    open_, found = Conversations(turns), []
    for due in dues:
        found.append(open_.take(due))
        open_.answer(found[-1], due, found[-1].said + 5)
    return found


def test_a_request_goes_on_when_the_pause_is_over_and_else_begins() -> None:
    """Session and turn of each, by hand."""
    found = talk([0, 5, 10, 12, 16, 20, 30])
    assert [(turn.session, turn.turn) for turn in found] == [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (2, 1)]


def test_a_turn_knows_what_was_said() -> None:
    """Prompt and answer of all turns before."""
    assert [turn.said for turn in talk([0, 10, 20, 30])] == [0, 5, 10, 0]


def test_without_turns_every_request_stands_alone() -> None:
    """However late it is."""
    assert [turn.session for turn in talk([0, 100, 1000], None)] == [0, 1, 2]


@given(st.lists(st.floats(0, 100), max_size=60).map(sorted))
def test_conversations_keep_their_order_and_their_pauses(dues: list[float]) -> None:
    """Turns count from 0 without a gap, at most three, each a pause after the one before."""
    by_session: dict[int, list[tuple[float, int]]] = {}
    for due, turn in zip(dues, talk(dues), strict=True):
        by_session.setdefault(turn.session, []).append((due, turn.turn))
    for said in by_session.values():
        assert [turn for _, turn in said] == list(range(len(said)))
        assert len(said) <= 3
        assert all(later >= sooner + 10 for (sooner, _), (later, _) in pairwise(said))
