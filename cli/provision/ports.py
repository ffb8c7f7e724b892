"""What the loop over the stacks needs of the world, each as small as its one caller. Adapters implement them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from cli.provision.failure import Failed
from cli.provision.plan import Step
from cli.provision.progress import Event
from infra.blueprint.stack import Stack

Hear = Callable[[Event], None]
Standing = Literal["absent", "partial", "whole"]
"""absent: it holds nothing; partial: its last `up` did not come to its end; whole: others can refer to it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one stack: changes by kind, and what could not be done."""

    changes: Mapping[str, int]
    failed: tuple[Failed, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all of it is as it should be."""
        return not self.failed


class Engine(Protocol):
    """Brings one stack to what its program says."""

    def standing(self, stacks: Iterable[Stack]) -> Mapping[Stack, Standing]:
        """How far each of them is."""

    def preview(self, stack: Stack) -> tuple[Step, ...]:
        """What `up` would do, were nothing protected. Changes nothing."""

    def foresee(self, stacks: Iterable[Stack]) -> Mapping[Stack, tuple[Step, ...]]:
        """What `up` would make of stacks that refer to what is not there yet. Changes nothing."""

    def drift(self, stack: Stack) -> tuple[Step, ...]:
        """What somebody else changed or deleted since the last `up`. Changes nothing."""

    def leftover(self, stack: Stack) -> tuple[Step, ...]:
        """What `destroy` would delete: all that the stack's state holds. Changes nothing."""

    def let_go(self, stack: Stack, perils: Sequence[Step]) -> Callable[[], None]:
        """Let `up` replace or delete these although they are protected; returns how to take that back."""

    def up(self, stack: Stack, hear: Hear, past_failures: bool) -> Outcome:
        """Make it so. Safe to repeat. What fails is in the outcome; with `past_failures`, all that does not need it is
        done nevertheless."""

    def destroy(self, stack: Stack, hear: Hear) -> Outcome:
        """Take all of it away, also what is protected: whoever calls has asked. Safe to repeat."""

    def settle(self, stack: Stack) -> str:
        """Look at what a killed or failed run left: its lock if nobody holds it, pending operations, what is there.

        Returns what was found, in words. Raises Locked where an engine still works on it.
        """

    def keep(self, stack: Stack, run: str) -> None:
        """Put the state of the stack as it is now where `restore` finds it."""


class Journal(Protocol):
    """The journal of this run: on disk when `append` returns."""

    def append(self, kind: str, **payload: Any) -> Any:
        """Write one event."""


class Locks(Protocol):
    """One writer for each stack."""

    def held(self, stack: Stack) -> AbstractContextManager[None]:
        """The lock of a stack, meanwhile. Raises Locked with owner, age and host."""


class Clock(Protocol):
    """Time that only goes forward."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


class Stage(Protocol):
    """Shows how far it is."""

    def begin(self, title: str, expected: int) -> Hear:
        """A stack is begun; what the engine says of it goes into what is returned."""

    def end(self, title: str, words: str) -> None:
        """It has ended so."""
