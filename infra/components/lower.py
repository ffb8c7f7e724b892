"""What the stacks below have exported, read by reference. Never asks a stack of another region for anything.

A version stands beside the outputs: a program that expects another one refuses instead of guessing. What a stack below
will only have after its own `up` is unknown in a preview, and missing is an error in an update.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.runtime.sync_await import _sync_await

from infra.blueprint.stack import CONTRACT, Stack


class Lower:
    """The outputs of one stack below. Raises pulumi.RunError for another contract, before anything is made of them."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._outputs = _read(stack)
        version = self._outputs.get("contract", CONTRACT)
        if version != CONTRACT:
            made = f"{stack.reference} was made by another version of this program (contract {version:g})"
            raise pulumi.RunError(f"{made}; this one reads contract {CONTRACT}\n  next: {_up(stack)}")

    def __getitem__(self, name: str) -> pulumi.Output[Any]:
        """One output. In an update, raises pulumi.RunError where the stack has no such output."""
        if name in self._outputs:
            return pulumi.Output.from_input(self._outputs[name])
        if pulumi.runtime.is_dry_run():
            return pulumi.Output.from_input(pulumi.output.UNKNOWN)
        raise pulumi.RunError(f"{self._stack.reference} has no output {name!r} yet\n  next: {_up(self._stack)}")


def export(**outputs: pulumi.Input[Any]) -> None:
    """Make outputs of this stack readable for those above it, with the version of the contract."""
    pulumi.export("contract", CONTRACT)
    for name, value in outputs.items():
        pulumi.export(name, value)


def _read(stack: Stack) -> Mapping[str, Any]:
    """The outputs, waited for: a refusal must come before anything is registered, and not out of some later task."""
    reference = pulumi.StackReference(stack.reference)
    return _sync_await(reference.outputs.future()) or {}


def _up(stack: Stack) -> str:
    return f"pulumi up -s {stack.name} in {stack.folder}"
