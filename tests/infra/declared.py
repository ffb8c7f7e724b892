"""A Pulumi program that declares what a JSON file beside the fleet file lists: tests say what is wanted as data.

It knows no SDK of a cloud, whose import takes seconds. In a text "${name.key}" is an output of a resource before it and
"${kind!key}" one of the stack of that kind; {"secret": ...} is a secret. A row {"refuse": why} ends the program; a row
{"export": {...}} is told to other stacks.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pulumi


class Resource(pulumi.CustomResource):
    """A resource of any type."""


class Provider(pulumi.ProviderResource):
    """A provider of any package."""


def declare() -> None:
    """The whole program."""
    made: dict[str, Any] = {}
    kind = pulumi.get_project().removeprefix("fleet-")
    rows = json.loads(Path(pulumi.Config().require("fleet")).with_name(f"{kind}.json").read_text())
    for row in rows:
        if "refuse" in row:
            raise pulumi.RunError(row["refuse"])
        if "export" in row:
            for name, value in row["export"].items():
                pulumi.export(name, value)
            continue
        made[row["name"]] = _resource(row, made)
    for name, resource in made.items():
        pulumi.export(name, resource.id)


def _resource(row: dict[str, Any], made: dict[str, Any]) -> Any:
    inputs = {key: _value(value, made) for key, value in row["inputs"].items()}
    options = pulumi.ResourceOptions(
        depends_on=[made[name] for name in row.get("depends_on", [])],
        protect=row.get("protect"),
        retain_on_delete=row.get("retain"),
        ignore_changes=row.get("ignore_changes"),
        import_=row.get("import"),
        provider=made.get(row.get("provider", "")),
    )
    if package := row.get("package"):
        return Provider(package, row["name"], inputs, options)
    return Resource(row["type"], row["name"], dict.fromkeys(["name", *row.get("outputs", [])]) | inputs, options)


def _value(raw: Any, made: dict[str, Any]) -> Any:
    if isinstance(raw, dict) and raw.keys() == {"secret"}:
        return pulumi.Output.secret(raw["secret"])
    if isinstance(raw, dict):
        return {key: _value(value, made) for key, value in raw.items()}
    if isinstance(raw, list):
        return [_value(value, made) for value in raw]
    if isinstance(raw, str) and "${" in raw:
        return pulumi.Output.concat(*[_part(part, made) for part in re.split(r"(\$\{[^}]+\})", raw)])
    return raw


def _part(text: str, made: dict[str, Any]) -> Any:
    match = re.fullmatch(r"\$\{([\w-]+)([.!])(\w+)\}", text)
    if not match:
        return text
    return getattr(made[match[1]], match[3]) if match[2] == "." else _below(match[1]).get_output(match[3])


def _below(kind: str) -> pulumi.StackReference:
    region = f"-{pulumi.Config().require('region')}" if kind in ("region", "platform") else ""
    name = pulumi.get_stack().removesuffix(f"-{pulumi.Config().get('region')}")
    return pulumi.StackReference(f"organization/fleet-{kind}/{name}{region}")
