"""Who takes part in a distributed load, with which share, and how far each is. Pure: messages in, decisions out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from loadtests.order import Order
from loadtests.report.book import Book, merged


class Crew:
    """The workers that were there when the load began. Who comes later has no share; who goes earlier is lost."""

    def __init__(self, order: Order, members: Sequence[str]) -> None:
        self.order, self._members = order, tuple(members)
        self._ready, self._books = set[str](), dict[str, Book]()

    def part(self, worker: str) -> Order | None:
        """The order with the share of a worker; None for one that is no member."""
        if worker not in self._members:
            return None
        return self.order.part(self._members.index(worker), len(self._members))

    def ready(self, worker: str) -> bool:
        """A worker could begin; whether all can, so that they begin together."""
        self._ready.add(worker)
        return self._ready.issuperset(self._members)

    def close(self, worker: str, book: Book) -> bool:
        """A worker has ended; whether all have."""
        self._books[worker] = book
        return self._books.keys() >= set(self._members)

    def book(self) -> Book:
        """What all of them counted."""
        return merged(self._books[worker] for worker in self._members)

    def lost(self, alive: Collection[str]) -> tuple[str, ...]:
        """Who neither ended nor lives."""
        return tuple(one for one in self._members if one not in self._books and one not in alive)

    def told(self, worker: str) -> str:
        """A worker, as a person is told of it."""
        number = (
            f"{self._members.index(worker) + 1} of {len(self._members)}" if worker in self._members else "no member"
        )
        return f"worker {worker} ({number})"
