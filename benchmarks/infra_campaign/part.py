"""What a part of the campaign works with and hands back: its figures as lines, and whether they are as they must be."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campaign.report import Report

from infra.azure.emulation import Emulation
from infra.blueprint.stack import Stack, stacks
from infra.engine.deploy import Engine
from infra.fleet import load_fleet, locate
from tests.infra.faultpoints import Place

TWO = 2  # engines at a time


@dataclass(frozen=True)
class Job:
    """What a part may use: a folder of its own, and what it kept of earlier runs."""

    folder: Path
    points: int
    seed: int
    kept: list[dict[str, Any]]
    keep: Callable[[dict[str, Any]], None]


Part = Callable[[Job], Report]


def world(folder: Path, fleet: str = "demo") -> Place:
    """A fleet that ships, with an emulated subscription in a folder."""
    file = locate(fleet).absolute()
    loaded = load_fleet(file)
    emulation = Emulation(folder, loaded)
    return Place(loaded, file, emulation, Engine(loaded, file, emulation))


def copied(place: Place, folder: Path) -> Place:
    """The same in another folder, to go on from there."""
    shutil.copytree(place.emulation.directory, folder, symlinks=True)
    return world(folder, place.fleet.name)


def all_stacks(place: Place) -> tuple[Stack, ...]:
    """In the order they are made."""
    return stacks(place.fleet, str(place.file))


def title(stack: Stack) -> str:
    return " ".join(filter(None, (stack.kind, stack.region)))
