"""What the tests of components share: fleets, each rendered once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infra.components.rendered import REFERENCES, Rendered, RenderedFleet, called, render_fleet
from tests.infra.components.whole import Whole, whole


@pytest.fixture(scope="session")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Three regions in two groups, as they would be deployed."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPS_STATE", str(tmp_path_factory.mktemp("state")))
        yield whole(tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="session")
def fleets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, RenderedFleet]]:
    """The fleets that ship, whole, and the one that has everything."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPS_STATE", str(tmp_path_factory.mktemp("state")))
        yield {name: render_fleet(file) for name, file in REFERENCES.items()}


@pytest.fixture(scope="session")
def rendered(fleets: dict[str, RenderedFleet]) -> dict[str, Rendered]:
    """Every region of them. Those that have everything: a walled one (firewall), and one of racks (NAT gateway)."""
    return {called(fleet, made.region): made for fleet, whole in fleets.items() for made in whole.regions("region")}
