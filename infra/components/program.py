"""What all four Pulumi programs begin with: the fleet file, what forbids going on, no slow aliases. Creates nothing.

`run` is a whole program. It refuses before anything is registered, and says why in the words of `ops`: an error of ours
is a message and not a traceback, also where plain `pulumi up` runs the program. What it builds sees `inputs` of the
fleet (infra/blueprint/stack.py) and no more: a field that its kind of stack may not know is not there.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pulumi

from infra.blueprint.naming import Naming
from infra.blueprint.stack import Kind, Stack, inputs, needs, stacks
from infra.components.aliases import drop_dated_aliases
from infra.components.guard import Cleared, Told, clear, same_subscription
from infra.components.lower import Lower, export
from infra.errors import OpsError
from infra.fleet import Azure, Fleet
from infra.record import Record
from infra.region import Region

__all__ = ["Context", "Lower", "begin", "export", "run"]


@dataclass(frozen=True, slots=True)
class Context:
    """What a program is made of: all that its stack may know."""

    stack: Stack
    fleet: Fleet
    region: Region | None
    azure: Azure
    names: Naming
    record: Record
    tags: Mapping[str, str]
    below: tuple[Stack, ...]
    kept: bool = True
    """Whether what must not go by mistake is protected; false for a stack that is to be destroyed."""

    def place(self) -> Region:
        """The region of a stack that is of one."""
        assert self.region is not None, f"{self.stack.kind} is of no region"
        return self.region

    def lower(self, kind: Kind, region: str | None = None) -> Lower:
        """The outputs of a stack below: of this stack's region, or of the one named."""
        place = region or self.stack.region
        return Lower(next(one for one in self.below if one.kind == kind and one.region in (None, place)))


def run(kind: Kind, build: Callable[[Context], None]) -> None:
    """A whole program: begin, then build. Raises pulumi.RunError, of which engines print only the message."""
    with _told():
        build(_begin(kind))


def begin(kind: Kind) -> Context:
    """Read and check everything, before anything is registered. Raises pulumi.RunError where something forbids more."""
    with _told():
        return _begin(kind)


def _begin(kind: Kind) -> Context:
    config = pulumi.Config()
    told = Told(kind, pulumi.get_project(), pulumi.get_stack(), config.get("fleet"), config.get("region"))
    cleared = clear(told)
    for warning in cleared.warnings:
        pulumi.log.warn(warning)
    same_subscription(cleared.fleet, _subscription())
    if not config.get_bool("datedAliases"):  # true for a stack that was once made with dated type tokens
        drop_dated_aliases()
    return _context(cleared, kept=not config.get_bool("unguarded"))


def _context(cleared: Cleared, kept: bool) -> Context:
    stack, fleet = cleared.stack, inputs(cleared.stack, cleared.fleet)
    assert fleet.azure is not None, "the guard lets no fleet pass without it"
    return Context(
        stack=stack,
        fleet=fleet,
        region=fleet.regions[0] if stack.region else None,
        azure=fleet.azure,
        names=Naming(fleet.name, fleet.environment, fleet.azure.subscription),
        record=_of_region(cleared.record, stack, fleet),
        tags={"fleet": fleet.name, "environment": fleet.environment, "stack": stack.kind, "managed-by": "bellwether"},
        below=needs(stack, stacks(cleared.fleet, stack.source)),
        kept=kept,
    )


def _of_region(record: Record, stack: Stack, fleet: Fleet) -> Record:
    """The record as the stack may know it: a release that moves in one region is news for its platform stack only."""
    if stack.kind != "platform":
        return Record(fleet, {})
    entries = {one.name: record.entry(one.name, str(stack.region)) for one in fleet.services}
    return Record(fleet, {name: {str(stack.region): entry} for name, entry in entries.items() if entry})


def _subscription() -> str:
    from pulumi_azure_native import authorization  # 0.4 s, for programs that get so far

    return str(authorization.get_client_config().subscription_id)


@contextmanager
def _told() -> Iterator[None]:
    """Errors as people are told them."""
    try:
        yield
    except pulumi.RunError:
        raise
    except OpsError as error:
        lines = [error.what, *(f"  {note}" for note in getattr(error, "__notes__", ()))]
        lines += [f"  not done: {error.not_done}"] if error.not_done else []
        lines += [f"  next: {error.next}"] if error.next else []
        raise pulumi.RunError("\n".join(lines)) from None
    except Exception as error:  # noqa: BLE001 - a bug of ours: told in a line, the rest to the log
        pulumi.log.debug(traceback.format_exc())
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"this program has a bug: {type(error).__name__}: {error} ({where.filename}:{where.lineno})"
        raise pulumi.RunError(f"{what}\n  next: the same command with --debug --logtostderr shows all of it") from None
