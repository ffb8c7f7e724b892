"""What a preview does not know yet, as one value among the plain ones of JSON. Pure."""

from __future__ import annotations

from typing import Any, Final


class Unknown:
    """The type of UNKNOWN."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Unknown:
        return self


UNKNOWN: Final = Unknown()
"""A value that the engine does not know yet (preview): it passes every check."""


def plain(value: Any) -> Any:
    """The value without nothings, and whole numbers as such: the engine's wire has only fractions."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
