"""A fleet in Azure, or in an emulation of it: its stacks, their engine, and where the state of both lies."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.adapters.provision_files import Provisions
from cli.adapters.run_files import actor
from cli.console import story
from cli.directory import writing
from cli.provision import scope
from infra import state
from infra.blueprint import stack as stack_of
from infra.blueprint.stack import Stack
from infra.errors import InvalidInput, Unavailable
from infra.fleet import FLEETS, Fleet, load_fleet, locate
from infra.preflight.limits import limits_file, load_limits
from infra.store import write_atomic

if TYPE_CHECKING:
    from cli.adapters.pulumi_engine import PulumiEngine
    from infra.azure.emulation import Emulation
    from infra.azure.ledger import Ledger
    from infra.rendering.render import RenderedStack

PACKAGES = ("pulumi", "pulumi_azure_native", "pulumi_kubernetes")
ROOT = FLEETS.parent.parent


class NoPulumi(Unavailable):
    """The Python packages that the Pulumi programs run on are not installed."""


class NoBackend(InvalidInput):
    """Nobody said where the state of the stacks lies."""


class SeveralStacks(InvalidInput):
    """A command is for one stack, and several have that kind."""


@dataclass(frozen=True, slots=True)
class Estate:
    """One fleet where it is provisioned, with what a command line picks of it."""

    fleet: Fleet
    source: str  # how the fleet was named on the command line
    region: str | None
    kind: str | None
    emulated: bool

    @property
    def file(self) -> Path:
        """The fleet file."""
        return locate(self.source).absolute()

    @property
    def everything(self) -> tuple[Stack, ...]:
        """All stacks of the fleet, in the order they are made."""
        ours = self.file.parent == FLEETS.absolute()
        return stack_of.stacks(self.fleet, "" if ours else str(self.file))

    @property
    def picked(self) -> tuple[Stack, ...]:
        """The stacks that the command line is about."""
        return scope.picked(self.everything, self.fleet, self.region, self.kind)

    @property
    def root(self) -> Path:
        """Where locks, kept states and the emulation lie."""
        return state.root(self.fleet.name) / ("emulated" if self.emulated else "azure")

    @property
    def runs(self) -> Provisions:
        """The provisioning runs of the fleet."""
        return Provisions(state.journal_dir(self.fleet.name), self.root / "locks", actor())

    def command(self, name: str) -> str:
        """A command of `ops fleet` for what was picked here; fleet and region are added where errors are told."""
        words = [f"ops fleet {name}", *(["--stack", self.kind] if self.kind else [])]
        return " ".join([*words, *(["--emulated"] if self.emulated else [])])


def named(fleet: str, region: str | None, kind: str | None, emulated: bool) -> Estate:
    """The estate that a command line names. Raises FleetError, NotInFleet, UnknownStack, NotInAzure."""
    place = Estate(scope.provisioned(load_fleet(fleet)), fleet, region, kind, emulated)
    _ = place.picked
    return place


def only(place: Estate) -> Stack:
    """The one stack that was picked. Raises SeveralStacks."""
    if len(place.picked) > 1:
        regions = ", ".join(region.name for region in place.fleet.regions)
        raise SeveralStacks(
            f"there is a stack {place.kind} for each region; say which: {regions}",
            not_done="nothing was changed",
            next="the same command with --region NAME",
        )
    return place.picked[0]


def engine(place: Estate) -> PulumiEngine:
    """The engine of an estate. Raises NoPulumi, NoBackend; ProgramError where it cannot be had."""
    _check_packages()
    from cli.adapters.pulumi_engine import PulumiEngine
    from infra.engine.deploy import Engine
    from infra.programs import obtain

    if not place.emulated:
        _check_backend()
    obtain("pulumi", story)
    under = Engine(place.fleet, place.file, emulation(place) if place.emulated else None)
    there = (lambda id, api: _emulated(place, id)) if place.emulated else _in_azure
    return PulumiEngine(under, place.fleet, place.file, there, place.root / "states")


def ledger(place: Estate) -> Ledger:
    """The emulated subscription itself."""
    from infra.azure.ledger import Ledger

    settings = emulation(place).settings
    return Ledger(settings.ledger, settings.subscription, settings.tenant)


def _emulated(place: Estate, id: str) -> dict[str, Any] | None:
    with ledger(place).session() as subscription:
        return subscription.read(id)


def _in_azure(id: str, api: str) -> dict[str, Any] | None:
    from cli.adapters.arm import connect

    return connect().get(id, api)


def emulation(place: Estate) -> Emulation:
    """The emulated subscription of a fleet, which grants what its limits file says. Raises LimitsError."""
    from infra.azure.emulation import Emulation

    return Emulation(state.root(place.fleet.name) / "emulated", place.fleet, limits=_granted(place))


def _granted(place: Estate) -> str:
    """The limits file of the fleet where there is one of its subscription: it is checked before a plugin reads it."""
    kept = limits_file(place.file)
    if not kept.exists():
        return ""
    ours = place.fleet.azure and load_limits(kept).subscription == place.fleet.azure.subscription
    return str(kept) if ours else ""


def _check_packages() -> None:
    if missing := [name for name in PACKAGES if importlib.util.find_spec(name) is None]:
        raise NoPulumi(
            f"the Python packages of the Pulumi programs are not installed: {', '.join(missing)}",
            not_done="nothing was changed",
            next="make setup",
        )


def _check_backend() -> None:
    """State of a real fleet lies where all its operators find it, and they must say where that is."""
    if not os.environ.get("PULUMI_BACKEND_URL"):
        raise NoBackend(
            "PULUMI_BACKEND_URL is not set, so where the state of the stacks lies is not known",
            not_done="nothing was changed",
            next="ops fleet bootstrap makes a place for it and prints the line; or add --emulated to try it here",
        )


def write_stacks(place: Estate) -> list[Path]:
    """Write Pulumi.<stack>.yaml beside each program; what the engine keeps in them for its secrets stays."""
    written = []
    for stack in place.everything:
        path = ROOT / stack.folder / f"Pulumi.{stack.name}.yaml"
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        write_atomic(path, stack_of.config_file(stack, before))
        written.append(path)
    return written


def rendered(place: Estate) -> tuple[RenderedStack, ...]:
    """What every program of the fleet would register, without an engine. Raises NoPulumi."""
    _check_packages()
    from infra.rendering.render import render

    return render(place.fleet, place.file)


def write_rendered(stacks: tuple[RenderedStack, ...], directory: Path, by_scope: bool) -> None:
    """ARM templates, one for each stack or for each of its scopes, one YAML file per cluster. Raises BadDirectory."""
    from infra.rendering.render import write

    with writing():
        write(stacks, directory, by_scope)
