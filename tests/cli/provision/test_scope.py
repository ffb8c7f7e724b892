"""Which stacks a command is about, and in which order: never one that others still need, never one too few."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.provision import scope
from infra.blueprint.stack import Stack, needs, stacks
from infra.errors import InvalidInput, OpsError
from infra.fleet import Fleet
from tests.fakes_fleet import ATLAS

STACKS = stacks(ATLAS)


def kinds(stacks: tuple[Stack, ...]) -> list[str]:
    return [scope.title(stack) for stack in stacks]


def closed(name: str) -> Fleet:
    """atlas without users in one region."""
    regions = [one.model_copy(update={"traffic": "closed"}) if one.name == name else one for one in ATLAS.regions]
    return ATLAS.model_copy(update={"regions": tuple(regions)})


@pytest.mark.parametrize(
    ("region", "kind", "picked"),
    [
        ("westeurope", None, ["region westeurope", "platform westeurope"]),
        ("westeurope", "platform", ["platform westeurope"]),
        (None, "edge", ["edge"]),
        (None, "base", ["base"]),
    ],
)
def test_a_region_and_a_kind_pick_their_stacks(region: str | None, kind: str | None, picked: list[str]) -> None:
    """One region's stacks, one kind, or both."""
    assert kinds(scope.picked(STACKS, ATLAS, region, kind)) == picked


def test_without_either_it_is_all_of_them_in_order() -> None:
    """Base first, edge last."""
    assert scope.picked(STACKS, ATLAS, None, None) == STACKS
    assert len(scope.picked(STACKS, ATLAS, None, "region")) == len(ATLAS.regions)


@pytest.mark.parametrize(
    ("region", "kind", "says"),
    [
        ("westeurop", None, "did you mean westeurope"),
        (None, "plattform", "did you mean platform"),
        ("westeurope", "edge", "once for the whole fleet"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(region: str | None, kind: str | None, says: str) -> None:
    """Wrong names, and a region of what has none."""
    with pytest.raises(InvalidInput) as refused:
        scope.picked(STACKS, ATLAS, region, kind)
    assert says in refused.value.what


def test_a_fleet_that_is_nowhere_in_azure_is_refused() -> None:
    """With what its file lacks."""
    assert scope.provisioned(ATLAS) is ATLAS
    with pytest.raises(scope.NotInAzure) as refused:
        scope.provisioned(ATLAS.model_copy(update={"azure": None}))
    assert "azure:" in refused.value.next


@given(st.sets(st.sampled_from(STACKS)), st.sampled_from([None, *(one.name for one in ATLAS.regions)]))
def test_what_is_made_has_all_that_it_needs(present: set[Stack], region: str | None) -> None:
    """Whatever is there already: nothing is made before what it refers to, and nothing that nobody needs."""
    wanted = scope.picked(STACKS, ATLAS, region, None)
    order = scope.to_make(wanted, STACKS, present)
    for place, stack in enumerate(order):
        assert set(needs(stack, STACKS)) <= present | set(order[:place])
    needed = {one for stack in wanted for one in needs(stack, STACKS)} - present
    assert set(order) == set(wanted) | needed


@given(st.sets(st.sampled_from(STACKS)), st.sampled_from([None, *(one.name for one in ATLAS.regions)]))
def test_nothing_goes_that_something_needs_which_stays(present: set[Stack], region: str | None) -> None:
    """Refused, or in an order in which nothing is left without what it refers to."""
    wanted = scope.picked(STACKS, ATLAS, region, None)
    try:
        order = scope.to_take(wanted, STACKS, present, ATLAS)
    except OpsError as refused:
        assert refused.not_done == "nothing was changed"
        return
    there = set(present)
    for stack in order:
        there.discard(stack)
        assert not [one for one in there if stack in needs(one, STACKS)]
    assert set(order) == set(wanted) & present


def test_a_region_with_users_is_not_taken_away() -> None:
    """Not before the edge has stopped sending them there."""
    wanted = scope.picked(STACKS, ATLAS, "westeurope", None)
    with pytest.raises(scope.StillNeeded) as refused:
        scope.to_take(wanted, STACKS, STACKS, ATLAS)
    assert "the edge sends users to westeurope" in refused.value.what
    assert "traffic: closed" in refused.value.next
    taken = scope.to_take(wanted, STACKS, STACKS, closed("westeurope"))
    assert kinds(taken) == ["platform westeurope", "region westeurope"]


def test_what_others_refer_to_is_not_taken_away_alone() -> None:
    """The base goes last."""
    with pytest.raises(scope.StillNeeded) as refused:
        scope.to_take(scope.picked(STACKS, ATLAS, None, "base"), STACKS, STACKS, ATLAS)
    assert "refers to base" in refused.value.what
