"""A sample of `make bench-infra` in a small world: faults converge, drift is found and mended.

Every kind of fault is met; six kinds of drift are made at once and counted apart.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.azure.faults import Fault, Kind
from infra.blueprint.stack import Stack, find
from tests.infra.drifting import Seen, drift, rounds
from tests.infra.drifts import KINDS
from tests.infra.emulated import Lab, world
from tests.infra.faultpoints import RERUNS, Found, Place, suffer

FAULTS = 12
CALLS = 6  # that make the world: a group, a network, a storage account, a cluster, two pools
DRIFTS = (
    "the autoscaler adds machines",
    "upgrades are switched off",
    "the autoscaler is made lazy",
    "connections wait longer",
    "keys for storage",
    "storage is copied abroad",
)


def place(directory: Path) -> Place:
    """The small world, of which nothing is made yet."""
    lab = Lab(directory)
    rows = world()
    rows[3]["inputs"] |= {
        "autoUpgradeProfile": {"upgradeChannel": "patch"},
        "autoScalerProfile": {"scaleDownUnneededTime": "10m"},
    }
    rows[2]["inputs"] |= {"allowSharedKeyAccess": False}
    rows[1]["inputs"] |= {"flowTimeoutInMinutes": 4}
    for pool in rows[4:]:
        pool["ignore_changes"] = ["count"]
    lab.want(rows)
    return Place(lab.fleet, lab.fleet_file, lab.emulation, lab.engine)


def copied(bare: Path, directory: Path) -> Place:
    """The world once more."""
    shutil.copytree(bare, directory, symlinks=True, dirs_exist_ok=True)
    return place(directory)


def runs() -> list[list[Fault]]:
    """Twelve faults in seven runs; the network and the storage account are made at once, and so may fail at once."""
    both = [
        ("conflict", "internal"),
        ("throttled", "timeout"),
        ("quota", "allocation"),
        ("internal", "conflict"),
        ("timeout", "crash"),
    ]
    alone = [("crash", 4), ("timeout", 6)]
    return [
        *([Fault(Kind(one), at=2), Fault(Kind(other), at=3)] for one, other in both),
        *([Fault(Kind(kind), at=at)] for kind, at in alone),
    ]


def stack(of: Place) -> Stack:
    return find(of.fleet, "region", source=str(of.file))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world with an empty stack, to be copied."""
    found = place(tmp_path_factory.mktemp("bare"))
    found.engine.export(stack(found))  # makes it
    return found.file.parent


@pytest.fixture(scope="module")
def clean(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The world as it is without a fault."""
    found = copied(bare, tmp_path_factory.mktemp("clean"))
    found.engine.up(stack(found))
    return found


@pytest.fixture(scope="module")
def suffered(clean: Place, bare: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """What came of each fault."""
    assert clean.calls() == CALLS
    expected = clean.there()

    def one(faults: list[Fault]) -> Found:
        broken = copied(bare, tmp_path_factory.mktemp("broken"))
        return suffer(broken, [stack(broken)], faults, expected)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, runs()))


def test_every_kind_of_fault_is_met(suffered: list[Found]) -> None:
    assert [one.faults for one in suffered if one.met != one.faults] == []
    assert {key.partition("@")[0] for one in suffered for key in one.met} == set(Kind)
    assert sum(len(one.met) for one in suffered) == FAULTS


def test_each_fault_converges_without_orphan_or_duplicate(suffered: list[Found]) -> None:
    assert [one for one in suffered if not one.converged] == []
    assert max(one.reruns for one in suffered) <= RERUNS


@pytest.fixture(scope="module")
def drifted(clean: Place) -> list[Seen]:
    """What became of each drift."""
    kinds = [kind for kind in KINDS if kind.name in DRIFTS]
    return [seen for changes in rounds(clean, [stack(clean)], kinds) for seen in drift(clean, changes)]


def test_each_kind_of_drift_is_found_told_and_mended(drifted: list[Seen]) -> None:
    assert len(drifted) == len(DRIFTS)
    assert [one for one in drifted if not one.good] == []
