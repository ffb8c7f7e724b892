"""Which regions take users at the edge, and which stand by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.blueprint.failover import LOWEST, priorities
from infra.fleet import load_fleet
from infra.region import Region

ATLAS = load_fleet("atlas")


def regions(ways: dict[str, tuple[str, ...]]) -> list[Region]:
    """Regions of these names that fail over so."""
    return [ATLAS.regions[0].model_copy(update={"name": name, "failover": to}) for name, to in ways.items()]


CASES = {
    "one alone": ({"a": ()}, {"a": 1}),
    "two for each other": ({"a": ("b",), "b": ("a",)}, {"a": 1, "b": 1}),
    "one that stands by": ({"a": ("b",), "b": ()}, {"a": 1, "b": 2}),
    "a chain": ({"a": ("b",), "b": ("c",), "c": ()}, {"a": 1, "b": 2, "c": 3}),
    "two with one that stands by": ({"a": ("b", "c"), "b": ("a", "c"), "c": ()}, {"a": 1, "b": 1, "c": 2}),
    "around": ({"a": ("b",), "b": ("c",), "c": ("a",)}, {"a": 1, "b": 1, "c": 1}),
    "strangers": ({"a": (), "b": ()}, {"a": 1, "b": 1}),
    "a name that is not there": ({"a": ("gone",)}, {"a": 1}),
}


@pytest.mark.parametrize("case", CASES)
def test_regions_that_fail_over_to_each_other_share_users_and_others_stand_by(case: str) -> None:
    ways, wanted = CASES[case]
    assert priorities(regions(ways)) == wanted


NAMES = st.sampled_from(list("abcdefgh"))


@given(st.dictionaries(NAMES, st.lists(NAMES, unique=True, max_size=4).map(tuple), min_size=1))
def test_somebody_always_takes_users_and_nobody_is_below_what_the_edge_knows(ways: dict[str, tuple[str, ...]]) -> None:
    found = priorities(regions(ways))
    assert min(found.values()) == 1 and max(found.values()) <= LOWEST
    assert found.keys() == ways.keys()
