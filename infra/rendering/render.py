"""What a fleet would deploy, without an engine: the four programs run in one child process, their requests recorded.

References between stacks are answered from the stacks that were rendered before; Azure's answers come from an emulated
subscription. Writes nothing but what `write` is told to.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra import store
from infra.azure.schema import Request
from infra.blueprint.stack import Stack, stacks
from infra.errors import GateFailed
from infra.fleet import Fleet
from infra.rendering.armtemplate import template, templates

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "infra" / "stacks"


class RenderingFailed(GateFailed):
    """A program refused, or asked for something that Azure would not take."""


@dataclass(frozen=True, slots=True)
class Options:
    """How Pulumi treats a resource, beyond its properties. `depends_on` are ARM ids and keys of objects."""

    protect: bool = False
    retain: bool = False
    ignore_changes: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RenderedStack:
    """What one stack asks of Azure and of a cluster."""

    stack: Stack
    requests: tuple[Request, ...]
    objects: tuple[dict[str, Any], ...]
    options: Mapping[str, Options]
    """By ARM id, and by namespace/name of an object."""
    outputs: Mapping[str, Any]
    computed: Mapping[str, str]
    """What Azure computes, of this stack and those before it: value -> the expression for it in a template."""


def render(fleet: Fleet, fleet_file: Path, programs: Path = PROGRAMS) -> tuple[RenderedStack, ...]:
    """Every stack of the fleet, in order. Raises RenderingFailed with what a program said."""
    words = [sys.executable, "-m", "infra.rendering.rehearsal", str(fleet_file.absolute()), str(programs.absolute())]
    child = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    rows = [json.loads(line) for line in child.stdout.splitlines()]
    if child.returncode or not rows or "failed" in rows[-1]:
        what = rows[-1]["failed"] if rows and "failed" in rows[-1] else child.stderr
        raise RenderingFailed(what, not_done="nothing was written")
    known = {stack.reference: stack for stack in stacks(fleet, str(fleet_file))}
    return tuple(_rendered(known[row["stack"]], row) for row in rows)


def write(rendered: Sequence[RenderedStack], directory: Path, by_scope: bool = False) -> tuple[Path, ...]:
    """One ARM template per stack, or per stack and scope, and one YAML file per cluster; the files, in order."""
    paths: list[Path] = []
    for one in rendered:
        named = f"{one.stack.project}.{one.stack.name}"
        for scope, made in _templates(one, named, by_scope).items():
            paths.append(_write(directory / f"{named}{scope}.json", json.dumps(made, indent=2) + "\n"))
        if one.objects:
            text = yaml.safe_dump_all(one.objects, explicit_start=True)
            paths.append(_write(directory / f"{named}.yaml", text))
    return tuple(paths)


def _templates(one: RenderedStack, name: str, by_scope: bool) -> dict[str, dict[str, Any]]:
    depends_on = {id: options.depends_on for id, options in one.options.items()}
    if not by_scope:
        return {"": template(name, one.requests, depends_on, one.computed)}
    found = templates(one.requests, depends_on, one.computed)
    return {f".{group or 'subscription'}": made for group, made in found.items()}


def _write(path: Path, text: str) -> Path:
    store.write_atomic(path, text)
    return path


def _rendered(stack: Stack, row: Mapping[str, Any]) -> RenderedStack:
    return RenderedStack(
        stack=stack,
        requests=tuple(Request(**request) for request in row["requests"]),
        objects=tuple(row["objects"]),
        options={id: _options(options) for id, options in row["options"].items()},
        outputs=row["outputs"],
        computed=row["computed"],
    )


def _options(row: Mapping[str, Any]) -> Options:
    return Options(row["protect"], row["retain"], tuple(row["ignore_changes"]), tuple(row["depends_on"]))
