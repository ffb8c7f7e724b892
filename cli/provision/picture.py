"""A plan as people read it: the dangerous first and loud, then each stack in a few lines. Pure: values to text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cli.provision.plan import CHANGES, FleetPlan, StackPlan, Step, counts, in_words

NAMED = 6  # kinds of resources that a line names before it says how many more there are
PATHS = 3  # property paths that a step names
SHORT = 60  # characters of two values that are shown beside their path
NAMED_ALWAYS = ("replace", "delete", "update")
"""What a plan to make something names one by one; one to destroy all of it does not."""
VERBS = {"up": "provision", "destroy": "DESTROY"}


def lines(plan: FleetPlan, details: bool = False) -> Iterator[str]:
    """The plan: first of all the fleet and where, then what is lost, then stack by stack."""
    yield head(plan)
    perils = [(stack, step) for stack in plan.stacks for step in stack.perils]
    if perils:
        yield ""
        yield f"  !! {len(perils)} {_are(len(perils))} replaced or deleted that data or users depend on:"
        yield from (f"  !! {_peril(stack, step)}" for stack, step in perils)
        if any(step.in_place for _, step in perils):
            yield "  !! a pool that is replaced loses its machines first; with another `generation` they come first"
    yield ""
    for stack in plan.stacks:
        yield from _stack(stack, NAMED_ALWAYS if plan.operation == "up" else (), details)
    yield ""
    if any(stack.foreseen for stack in plan.stacks):
        yield "  foreseen: what it refers to is not there yet, so the engine could not look"
    yield f"  in all: {in_words(counts(step for stack in plan.stacks for step in stack.steps))}"


def head(plan: FleetPlan) -> str:
    """The first line, which says what is done to which fleet and where."""
    where = f"region {plan.region}" if plan.region else "all regions"
    cloud = "an emulated subscription" if plan.emulated else f"subscription {plan.subscription}"
    return f"{VERBS[plan.operation]} fleet {plan.fleet} ({plan.environment}), {where}, in {cloud}"


def _are(number: int) -> str:
    return "resource is" if number == 1 else "resources are"


def _peril(stack: StackPlan, step: Step) -> str:
    why = f": {_some(step.replaces)}" if step.replaces else ""
    op = "LEAVE IN AZURE, out of the stack:" if step.op == "delete" and step.retained else step.op.upper()
    return f"{op} {step.kind} {step.name} ({stack.title}){why}"


def _stack(stack: StackPlan, named: Collection[str], details: bool) -> Iterator[str]:
    foreseen = ", foreseen" if stack.foreseen and stack.changing else ""
    telling = f", but tells others: {_some(stack.telling)}" if stack.telling else ""
    yield f"  {stack.title:<24} {in_words(counts(stack.steps))}{foreseen}{telling}"
    for op in CHANGES:
        steps = [step for step in stack.steps if step.op == op]
        if not steps:
            continue
        if details or op in named:
            yield from (f"    {op:<8} {_one(step)}" for step in steps)
        else:
            yield f"    {op:<8} {kinds(steps)}"


def _one(step: Step) -> str:
    paths = step.replaces if step.op == "replace" else step.changes
    return f"{step.kind} {step.name}{': ' + _some(paths) if paths else ''}"


def kinds(steps: Iterable[Step]) -> str:
    """6 Subnet, 3 AgentPool and 4 more kinds."""
    found = sorted(Counter(step.kind for step in steps).items(), key=lambda one: (-one[1], one[0]))
    named = ", ".join(f"{number} {kind}" for kind, number in found[:NAMED])
    rest = sum(number for _, number in found[NAMED:])
    return f"{named} and {rest} of other kinds" if rest else named


def _some(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - PATHS} more" if len(paths) > PATHS else ""
    return ", ".join(paths[:PATHS]) + more


def drift_lines(fleet: str, environment: str, region: str | None, found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What was changed outside: the dangerous first and loud, then stack by stack whose change `up` would undo."""
    yield f"drift of fleet {fleet} ({environment}), {f'region {region}' if region else 'all regions'}"
    for stack in found:
        for one in stack["changes"]:
            if one["loud"] == "dangerous":
                yield f"  !! {one['kind']} {one['name']} ({stack['title']})"
    for stack in found:
        number = len(stack["changes"])
        yield f"  {stack['title']:<24} {f'{number} changed outside' if number else 'as `up` left it'}"
        for one in stack["changes"]:
            yield f"    {one['op']:<8} {one['kind']} {one['name']}"
            for row in one["told"]:
                path = f"{row['path']}{_from_to(row)}: " if row["path"] else ""
                yield f"             {path}{row['what']}, by {row['who']}: {row['up']}"


def _from_to(row: Mapping[str, Any]) -> str:
    """Standard_ZRS -> Standard_GRS; nothing where a value is not told or is more than a few words."""
    if "found" not in row:
        return ""
    ours, found = (json.dumps(row[key]) if not isinstance(row[key], str) else row[key] for key in ("ours", "found"))
    return f" {ours} -> {found}" if len(ours) + len(found) <= SHORT else ""
