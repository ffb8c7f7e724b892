"""What Azure makes up itself (principals, host names, tokens), as a template refers to it. Pure.

A rendering has values of the emulation in their place, which must not be deployed. So each becomes the expression that
asks Azure for it at that moment (learn.microsoft.com, "Resource functions for ARM templates", `reference`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.azure.body import from_arm
from infra.azure.schema import Request
from infra.azure.shape import arm_shape

Path = tuple[str | int, ...]
_KNOWN = ("id", "name", "type")  # follow from what was asked


@dataclass(slots=True)
class Computed:
    """What came first out of an answer. `said`: all texts that were asked for before, or known from the beginning."""

    said: set[str] = field(default_factory=set)
    expressions: dict[str, str] = field(default_factory=dict)
    """Value -> expression."""

    def hear(self, request: Request, answer: Mapping[str, Any]) -> None:
        """What was asked, and what Azure answered."""
        self.said.update(text for _, text in _texts(request.body))
        for path, text in _own(request, answer):
            if text not in self.said and not text.isalpha():  # a state in a word, such as Succeeded, is nobody's own
                self.expressions.setdefault(text, _expression(request, path))


def referred(value: Any, expressions: Mapping[str, str]) -> Any:
    """The value with an expression for each text that has one."""
    if isinstance(value, Mapping):
        return {key: referred(item, expressions) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [referred(item, expressions) for item in value]
    return expressions.get(value, value) if isinstance(value, str) else value


def _own(request: Request, answer: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """The texts that only Azure writes: those of properties that are read-only."""
    types = arm_shape(request.type, request.api_version)
    if types is not None:
        settable = dict(_texts(from_arm(types.root, answer, read_only=False)))
        yield from ((path, text) for path, text in _texts(answer) if path not in settable and path[0] not in _KNOWN)


def _expression(request: Request, path: Path) -> str:
    """`properties` is what `reference` gives; for all else it must be asked for the full resource."""
    first, *rest = path
    full, way = ("", rest) if first == "properties" else (", 'Full'", path)
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way)
    return f"[reference('{request.id}', '{request.api_version}'{full}){steps}]"


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _texts(item, (*path, place))
    elif isinstance(value, str):
        yield path, value
