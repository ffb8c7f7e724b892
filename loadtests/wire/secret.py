"""A key that is sent and never shown, and several of them in turn. Pure: where they are kept is not known here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle


class Secret:
    """Text that neither print, log, JSON nor pickle gets out of: only `reveal` does."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the wire."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not copied anywhere")


class Keys:
    """The keys of a pool, one after the other; an empty pool has none."""

    def __init__(self, secrets: Sequence[Secret] = ()) -> None:
        self._next = cycle(secrets)

    def take(self) -> Secret | None:
        """The next one's turn."""
        return next(self._next, None)
