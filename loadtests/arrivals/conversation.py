"""Which conversation a request belongs to, and what was said in it before. Pure: times come in as arguments.

The times of requests are drawn first and stay as they are. A request goes on with the conversation that has waited
longest, if its user has had the time to read and write, and else begins a new one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from infra.token_length import Turns


@dataclass(frozen=True, slots=True)
class Turn:
    """The next request of a conversation: the number of both, the tokens that were said, and when it may come."""

    session: int
    turn: int
    said: int
    ready: float


class Conversations:
    """All that are open; without `turns` each is of one request."""

    def __init__(self, turns: Turns | None) -> None:
        self._turns = turns
        self._waiting: deque[Turn] = deque()
        self._begun = 0

    def take(self, due: float) -> Turn:
        """The turn that a request at `due` is; times must not fall."""
        if self._waiting and self._waiting[0].ready <= due:
            return self._waiting.popleft()
        self._begun += 1
        return Turn(self._begun - 1, 0, 0, due)

    def answer(self, turn: Turn, due: float, said: int) -> None:
        """Prompt and answer of the turn had `said` tokens; the next one, if there is one, may come after the pause."""
        if self._turns and turn.turn + 1 < self._turns.count:
            self._waiting.append(Turn(turn.session, turn.turn + 1, said, due + self._turns.pause))
