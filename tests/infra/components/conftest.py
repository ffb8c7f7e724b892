"""What the tests of base, platform and edge share: one rendered fleet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infra.components.whole import Whole, whole


@pytest.fixture(scope="session")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Three regions in two groups, as they would be deployed."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPS_STATE", str(tmp_path_factory.mktemp("state")))
        yield whole(tmp_path_factory.mktemp("fleet"))
