"""What others would do to a subscription, done to the emulated one: a property changed outside, a call that fails."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from cli.estate import Estate, emulation, ledger
from infra.errors import InvalidInput
from infra.suggest import hint


class NoResource(InvalidInput):
    """No resource of the emulated subscription is called so, or several are."""


class BadChange(InvalidInput):
    """A property that is not there, or a value of another form."""


class BadFault(InvalidInput):
    """A fault that there is not, or that names no call."""


def resources(place: Estate) -> dict[str, Mapping[str, Any]]:
    """Everything in the emulated subscription: id -> ARM body."""
    with ledger(place).session() as subscription:
        return dict(subscription.resources())


def resource(found: Mapping[str, Any], given: str) -> str:
    """The id that `given` is, or is the end of. Raises NoResource."""
    ends = [name for name in found if name.lower() == given.lower() or name.lower().endswith(f"/{given.lower()}")]
    if len(ends) == 1:
        return ends[0]
    names = [name.rpartition("/")[2] for name in found]
    what = (
        f"there are {len(ends)} resources {given!r}: {', '.join(ends)}" if ends else f"there is no resource {given!r}"
    )
    advice = "ops fleet emulate show" if found else "ops fleet up --emulated makes some"
    raise NoResource(f"{what}{'' if ends else hint(given, names)}", not_done="nothing was changed", next=advice)


def changed(place: Estate, given: str, path: str, value: str) -> str:
    """Change a property of the resource that `given` names, outside of Pulumi; its id. Raises NoResource."""
    with ledger(place).session() as subscription:
        name = resource(subscription.resources(), given)
        _check_change(subscription.resources()[name], path, _value(value))
        subscription.change(name, path, _value(value))
    return name


def broken(place: Estate, kind: str, at: int, match: str) -> None:
    """Add a fault to those that are to come. Raises BadFault."""
    from infra import store
    from infra.azure import faults

    if kind not in [str(one) for one in faults.Kind]:
        known = [str(one) for one in faults.Kind]
        raise BadFault(
            f"there is no fault {kind!r}{hint(kind, known)}",
            not_done="nothing was set",
            next="ops fleet emulate fault --help",
        )
    if bool(at) == bool(match):
        raise BadFault(
            "say which call meets it: either --at or --match", not_done="nothing was set", next="--at 3, for the third"
        )
    try:
        re.compile(match)
    except re.error as error:
        raise BadFault(
            f"--match {match}: {error}",
            not_done="nothing was set",
            next="a regular expression of Python, such as 'PUT .*pools'",
        ) from error
    under = emulation(place)
    before = faults.from_json(store.read_json(under.settings.faults, missing=[]))
    under.break_with([*before, faults.Fault(faults.Kind(kind), at, match)])


def _check_change(body: Any, path: str, value: Any) -> None:
    """What Azure would let nobody write would tell nothing of drift. Raises BadChange."""
    steps = path.split(".")
    for at, step in enumerate(steps):
        found = re.fullmatch(r"(\w[\w-]*)((?:\[\d+\])*)", step)
        inner = body.get(found[1]) if found and isinstance(body, dict) else None
        for number in re.findall(r"\d+", found[2]) if found else ():
            inner = inner[int(number)] if isinstance(inner, list) and int(number) < len(inner) else None
        if inner is None and (at, step) == (0, "tags"):
            inner = {}
        last = at == len(steps) - 1
        if found is None or not isinstance(body, dict) or (inner is None and (not last or found[2])):
            names = list(body) if isinstance(body, dict) else []
            raise BadChange(
                f"there is no {path!r} to change: nothing is at {step!r}{hint(step, names) if names else ''}",
                not_done="nothing was changed",
                next="ops fleet emulate show RESOURCE has its properties",
            )
        body = inner
    if None not in (body, value) and _form(body) != _form(value):
        raise BadChange(
            f"{path} is {_form(body)}, and {json.dumps(value)} is {_form(value)}",
            not_done="nothing was changed",
            next=f"a value like the one that is there: {json.dumps(body)}",
        )


def _form(value: Any) -> str:
    forms = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return forms.get(type(value), "nothing")


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
