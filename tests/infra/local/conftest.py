"""The region that the tests of one module share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infra.local.lab import Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A region that is up, with two replicas of each service; down again after the module."""
    made = Lab(tmp_path_factory.mktemp("lab"))
    made.prepare()
    made.up()
    try:
        yield made
    finally:
        made.down()
