"""Traffic of the real local region: what is wished, what Envoy does, and what is said where neither can be known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.adapters.local_region import LocalTraffic, TrafficError, _crashing
from cli.rollouts.ports import Fenced, World
from cli.rollouts.procedure import Shift
from infra.errors import Unavailable
from infra.local.layout import ArmStatus, ReplicaStatus
from tests.cli.drill import SERVICE, Drill, region, until


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """A region without traffic."""
    with region(tmp_path_factory.mktemp("drill")) as made:
        yield made


def test_what_is_wished_is_observed_in_envoy(drill: Drill) -> None:
    """Slices come, weights too, an older token is refused, and retired slices go."""
    traffic = drill.place.traffic()
    calm = World(0.0, 0.0, None, False, 0, "v1", True)
    assert traffic.observe() == calm and traffic.wished() is None
    traffic.wish(Shift("v2", 0.0, 0.0), 5, 60.0)
    until(lambda: traffic.observe().unready)
    until(lambda: traffic.observe().slices_ready)
    traffic.wish(Shift("v2", 12.5, 12.5), 5, 60.0)
    world = until(lambda: (seen := traffic.observe()).canary and seen)
    assert (world.canary, world.baseline, world.slices, world.stable) == (12.5, 12.5, "v2", "v1")
    with pytest.raises(Fenced):
        traffic.wish(Shift("v2", 50.0, 50.0), 4, 60.0)
    traffic.wish(Shift("v2", 12.5, 12.5), 6, 0.0)
    until(lambda: traffic.observe().canary == 0)
    traffic.wish(Shift(None, 0.0, 0.0), 6, 60.0)
    until(lambda: traffic.observe() == calm)


def test_a_service_that_is_not_in_the_region_is_said_to_be(drill: Drill) -> None:
    """No KeyError reaches a person."""
    stranger = LocalTraffic(drill.place.root, "embed")
    for ask in (stranger.facts, stranger.observe):
        with pytest.raises(TrafficError, match="embed does not run in the local region"):
            ask()


def test_wishes_that_cannot_be_read_are_told(drill: Drill) -> None:
    """Neither a crash nor a guess."""
    file = drill.place.root / "weights.json"
    before = file.read_text()
    file.write_text('{"chat": {"canary": 900}}')
    for act in (drill.place.traffic().wished, lambda: drill.place.traffic().wish(Shift("v2", 1.0, 1.0), 9, 1.0)):
        with pytest.raises(Unavailable, match=r"weights.json"):
            act()
    file.write_text(before)
    assert SERVICE in before


def test_a_region_that_is_down_is_unavailable(tmp_path: Path) -> None:
    """And is neither up nor coming up."""
    traffic = LocalTraffic(tmp_path, SERVICE)
    with pytest.raises(Unavailable, match="is not up"):
        traffic.observe()
    assert not traffic.supervised()


def arm(*replicas: tuple[str, int]) -> ArmStatus:
    members = (ReplicaStatus(name="r", release="v2", port=1, pid=1, state=s, restarts=n) for s, n in replicas)
    return ArmStatus(release="v2", replicas=tuple(members))


@pytest.mark.parametrize(
    ("canary", "baseline", "crashes"),
    [
        (arm(("ready", 2)), arm(("ready", 0)), False),
        (arm(("crashed", 2)), arm(("ready", 0)), True),
        (arm(("ready", 1), ("starting", 2)), arm(("ready", 0)), True),
        (arm(("crashed", 5)), arm(("crashed", 4)), False),  # the machine, not the release
        (arm(), arm(), False),
    ],
)
def test_only_a_canary_that_dies_more_than_its_baseline_crashes(
    canary: ArmStatus, baseline: ArmStatus, crashes: bool
) -> None:
    """Three deaths beyond the baseline's."""
    assert bool(_crashing(canary, baseline)) is crashes
