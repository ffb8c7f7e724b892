"""The part of a lock that some packages need, with versions and hashes. Pure: reads the lock's text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from loadtests.package.carried import NOT_WRITTEN, PackageError

DISTRIBUTIONS = {"yaml": "pyyaml", "prometheus_client": "prometheus-client", "pydantic_core": "pydantic-core"}
"""Import name -> name in the lock, where they are not the same."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of a lock: its lines, and which packages it is there for."""

    name: str
    lines: tuple[str, ...]
    wanted_by: frozenset[str]


def requirements(lock: str, imports: Iterable[str]) -> str:
    """A requirements.txt for what is imported and all that it needs. Raises PackageError if the lock has it not."""
    locked = {one.name: one for one in _entries(lock)}
    needed, todo = set[str](), [DISTRIBUTIONS.get(name, name) for name in imports]
    while todo:
        name = todo.pop()
        if name not in locked:
            raise PackageError(f"requirements.lock has no {name}", not_done=NOT_WRITTEN, next="make lock")
        needed.add(name)
        todo += [one.name for one in locked.values() if name in one.wanted_by and one.name not in needed]
    head = "# What the load client runs on, of requirements.lock: pip installs these files and no others.\n"
    return head + "".join(f"{line}\n" for name in sorted(needed) for line in locked[name].lines)


def _entries(lock: str) -> list[Locked]:
    """The packages of a lock as `uv pip compile` writes it: name==version, hashes, and a comment that says for whom."""
    blocks = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]
    return [_entry(block) for block in blocks]


def _entry(block: str) -> Locked:
    lines = block.rstrip().splitlines()
    name = lines[0].partition("==")[0]
    wanted = " ".join(line.strip().lstrip("# ").removeprefix("via") for line in lines if line.strip().startswith("#"))
    plain = tuple(line for line in lines if not line.strip().startswith("#"))
    return Locked(name, plain, frozenset(word for word in wanted.split() if re.fullmatch(r"[a-z0-9._-]+", word)))
