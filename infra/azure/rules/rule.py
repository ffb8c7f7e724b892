"""A rule of a resource provider: what it is about, the sentence it holds, where that is written. Pure.

Rules see a request, or the id of what is to be removed, and the subscription; they change nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from infra.azure.refusal import ArmError
from infra.azure.schema import Request
from infra.azure.values import Undecided
from infra.azure.world import World

Judge = Callable[[Request, World], ArmError | None]
RemovalJudge = Callable[[str, World], ArmError | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id, the ARM types it is about ("*": all), a sentence, and where that is written."""

    id: str
    types: tuple[str, ...]
    sentence: str
    link: str
    judge: Judge | None = None
    removal: RemovalJudge | None = None


RULES: dict[str, Rule] = {}
"""Every rule, by id, in the order of asking."""
_PUT: defaultdict[str, list[Rule]] = defaultdict(list)
_REMOVE: defaultdict[str, list[Rule]] = defaultdict(list)


def rule(id: str, types: str | Iterable[str], link: str) -> Callable[[Judge], Judge]:
    """Register a rule for a PUT of these ARM types; its sentence is the function's docstring."""

    def register(judge: Judge) -> Judge:
        _add(Rule(id, _types(types), _sentence(judge), link, judge=judge), _PUT)
        return judge

    return register


def removal_rule(id: str, types: str | Iterable[str], link: str) -> Callable[[RemovalJudge], RemovalJudge]:
    """Register a rule for a DELETE of these ARM types."""

    def register(judge: RemovalJudge) -> RemovalJudge:
        _add(Rule(id, _types(types), _sentence(judge), link, removal=judge), _REMOVE)
        return judge

    return register


def check(request: Request, world: World) -> ArmError | None:
    """The first refusal of a request, or nothing. Where an id is not known yet, nothing can be said."""
    if not isinstance(request.id, str):
        return None
    for each in _PUT["*"] + _PUT[request.type.lower()]:
        if each.judge and (error := _asked(each, each.judge, request, world)):
            return error
    return None


def check_removal(id: str, type: str, world: World) -> ArmError | None:
    """The first refusal of a removal, or nothing."""
    for each in _REMOVE["*"] + _REMOVE[type.lower()]:
        if each.removal and (error := _asked(each, each.removal, id, world)):
            return error
    return None


def _asked(each: Rule, judge: Callable[..., ArmError | None], what: Request | str, world: World) -> ArmError | None:
    try:
        error = judge(what, world)
    except Undecided:
        return None
    if error is None:
        return None
    return ArmError(error.status, error.code, error.message, error.retry_after, each.link, each.id)


def _add(new: Rule, where: defaultdict[str, list[Rule]]) -> None:
    if new.id in RULES:
        raise ValueError(f"two rules are called {new.id}")
    RULES[new.id] = new
    for type in new.types:
        where[type.lower()].append(new)


def _types(types: str | Iterable[str]) -> tuple[str, ...]:
    return (types,) if isinstance(types, str) else tuple(types)


def _sentence(function: Callable[..., Any]) -> str:
    return " ".join((function.__doc__ or "").split())
