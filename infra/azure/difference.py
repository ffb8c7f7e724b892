"""How the inputs of a resource differ: every path that was added, deleted or changed. Pure: knows values, no Azure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Path = tuple[str | int, ...]
MISSING = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where, and whether something was added, deleted or changed there."""

    path: Path
    kind: Literal["add", "delete", "update"]

    @property
    def text(self) -> str:
        """The path as Pulumi writes it: agentPoolProfiles[0].count, tags["a.b"]."""
        return write(self.path)

    def within(self, paths: Collection[str]) -> bool:
        """Whether it is at, below or above one of the paths; [*] and [] stand for every element of a list."""
        return any(_touches(parse(path), self.path) for path in paths)


def changes(old: Any, new: Any, ignored: Collection[str] = ()) -> tuple[Change, ...]:
    """Every difference between two values, without those at or below an ignored path."""
    skipped = [parse(path) for path in ignored]
    return tuple(change for change in _walk(old, new, ()) if not any(_covers(skip, change.path) for skip in skipped))


def parse(text: str) -> Path:
    """agentPoolProfiles[0].count -> ("agentPoolProfiles", 0, "count"); [*] and [] -> "*"."""
    tokens = re.findall(r"""\["([^"]*)"\]|\[(\d+)\]|(\[\*?\])|([^.\[\]]+)""", text)
    return tuple("*" if every else int(number) if number else key or name for key, number, every, name in tokens)


def write(path: Path) -> str:
    """("tags", "a.b", 0) -> tags["a.b"][0]"""
    return "".join(map(_token, path)).removeprefix(".")


def _token(part: str | int) -> str:
    if isinstance(part, int) or part == "*":
        return f"[{part}]"
    return f".{part}" if re.fullmatch(r"[\w$-]+", part) else f'["{part}"]'


def _walk(old: Any, new: Any, path: Path) -> Iterator[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _walk(old.get(key, MISSING), new.get(key, MISSING), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _walk(_at(old, index), _at(new, index), (*path, index))
    elif not _same(old, new):
        yield Change(path, _kind(old, new))


def _kind(old: Any, new: Any) -> Literal["add", "delete", "update"]:
    if _absent(old):
        return "add"
    return "delete" if _absent(new) else "update"


def _same(old: Any, new: Any) -> bool:
    """Nothing and null are the same; so are 1 and 1.0, but not 1 and true."""
    if _absent(old) or _absent(new):
        return _absent(old) and _absent(new)
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def _absent(value: Any) -> bool:
    return value is MISSING or value is None


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else MISSING


def _covers(pattern: Path, path: Path) -> bool:
    return len(pattern) <= len(path) and all(_fits(a, b) for a, b in zip(pattern, path, strict=False))


def _touches(pattern: Path, path: Path) -> bool:
    return all(_fits(a, b) for a, b in zip(pattern, path, strict=False))


def _fits(pattern: str | int, part: str | int) -> bool:
    return pattern == "*" or pattern == part
