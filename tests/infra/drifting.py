"""Drift on the real engine: several people change several things at once, each looked for and repaired by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.azure.ledger import Ledger
from infra.azure.resource_id import name_of, type_of
from infra.azure.schema import Request
from infra.azure.subscription import ArmError, Subscription
from infra.blueprint.stack import Stack
from infra.engine.drift import Drift, explain
from infra.engine.event import Plan, Step
from tests.infra.drifts import Kind
from tests.infra.faultpoints import Bodies, Place


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of drift on one resource of a stack."""

    kind: Kind
    stack: Stack
    id: str
    urn: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a change: told, told as loud as it is, put back (or refused, where Azure goes no way back)."""

    name: str
    found: bool
    loud: bool
    repaired: bool
    said: str = ""
    refused: bool = False

    @property
    def good(self) -> bool:
        return self.found and self.loud and (self.repaired or self.refused)


def rounds(place: Place, stacks: Sequence[Stack], kinds: Iterable[Kind]) -> list[list[Change]]:
    """Every kind on a resource of its type, in few rounds: no deletion meets another change of the same resource, and
    what `up` says it cannot put back is alone."""
    held = [(stack, one) for stack in stacks for one in place.held(stack)]
    made: list[list[Change]] = []
    alone: list[list[Change]] = []
    for kind in kinds:
        fit = [Change(kind, stack, one["id"], one["urn"]) for stack, one in held if one["type"] == kind.token]
        assert fit, f"no {kind.token} for {kind.name}"
        if _one_way(place.there(), fit[0]):
            alone.append(fit[:1])
            continue
        fit = fit if kind.path else fit[::-1]
        at, change = next(
            (at, change) for at in range(len(made) + 1) for change in fit if _fits(change, made[at : at + 1])
        )
        made[at:] = [[*made[at], change], *made[at + 1 :]] if at < len(made) else [[change]]
    return [*made, *alone]


def _one_way(before: Bodies, change: Change) -> bool:
    """Whether drift says beforehand that `up` cannot undo it."""
    kind = change.kind
    told = explain(Drift(kind.token, "", kind.property, _value(before, change), kind.value))
    return told.up.startswith("`up` cannot")


def _fits(change: Change, taken: Sequence[Sequence[Change]]) -> bool:
    beside = [other for row in taken for other in row if other.id == change.id]
    return not beside or all(other.kind.path and change.kind.path for other in beside)


def drift(place: Place, changes: Sequence[Change]) -> list[Seen]:
    """Make the changes, ask for drift, repair it by `up`; what is not told for good reasons need not be repaired."""
    before = place.there()
    stand_ins: list[str] = []
    with Ledger(place.emulation.settings.ledger).session() as subscription:
        for one in changes:
            if one.kind.path:
                subscription.change(one.id, one.kind.path, one.kind.value)
            else:
                stand_ins += _removed(subscription, one.id)
    told: dict[str, Step] = {}
    said: list[str] = []
    for stack in dict.fromkeys(one.stack for one in changes):
        plan: Plan = place.engine.drift(stack)
        told |= {step.urn: step for step in plan}
        outcome = place.command.up(stack, lambda _: None, past_failures=True)
        said += [f"{one.title}: {one.message}" for one in outcome.failed]
    with Ledger(place.emulation.settings.ledger).session() as subscription:
        for id in stand_ins:
            subscription.remove(id)
        after = dict(subscription.resources())
        for one in (one for one in changes if _one_way(before, one)):
            subscription.change(one.id, one.kind.path, _value(before, one))
    return [_seen(one, told.get(one.urn), before, after, "\n".join(said)) for one in changes]


def _removed(subscription: Subscription, id: str) -> list[str]:
    """Delete a resource by hand. Where Azure lets nobody delete the last of its kind, another is made before it."""
    try:
        subscription.remove(id)
    except ArmError:
        other, body = f"{id}-2", subscription.read(id) or {}
        body["properties"]["hostName"] = f"2.{body['properties']['hostName']}"  # only origins are so: no two of a name
        subscription.put(Request("", other, type_of(id), "", name_of(other), None, body))
        subscription.remove(id)
        return [other]
    return []


def _seen(change: Change, step: Step | None, before: Bodies, after: Bodies, said: str) -> Seen:
    kind = change.kind
    paths = [path for path in step.changes if _same(path, kind.property)] if step else []
    if not kind.path:
        paths = [""] if step and step.op == "delete" else []
    drifts = [Drift(kind.token, step.name, path, *step.values.get(path, ())) for path in paths] if step else []
    louds = {explain(one).loud for one in drifts}
    back = _value(after, change) == _value(before, change)
    told = f"{step.op} {', '.join(step.changes)}" if step else "nothing told"
    why = "" if back else f"found {_value(after, change)!r}, was {_value(before, change)!r}; {said}"
    if not kind.seen:
        return Seen(kind.name, not paths, True, True, told)
    refused = _one_way(before, change) and f"{kind.token.rpartition(':')[2]} " in said
    return Seen(kind.name, bool(paths), kind.loud in louds, back, f"{told}; {why}", refused)


def _same(told: str, meant: str) -> bool:
    """Whether one path is the other, or inside of it."""
    one, other = _plain(told), _plain(meant)
    return one[: len(other)] == other[: len(one)]


def _plain(path: str) -> list[str]:
    """The SDK has no hyphens, and of some types it shows `properties`."""
    return [word for word in _words(path.replace("-", "").lower()) if word != "properties"]


def _words(path: str) -> list[str]:
    return re.findall(r"[^.\[\]\"]+", path)


def _value(there: Mapping[str, Any], change: Change) -> Any:
    """The value at the path of a change; of a deleted resource, whether it is there."""
    if not change.kind.path:
        return change.id in there
    found: Any = there.get(change.id)
    for word in _words(change.kind.path):
        if isinstance(found, list):
            found = found[int(word)] if int(word) < len(found) else None
        else:
            found = (found or {}).get(word)
    return found
