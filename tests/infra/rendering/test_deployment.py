"""Deployments of a stack: whatever waits for what, all is in one of them, once, and in the order that was asked for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.azure.schema import Request
from infra.rendering.armtemplate import template
from infra.rendering.deployment import deployments, ordered, scope
from tests.infra.rendering.unfolded import unfolded

ROOT = "/subscriptions/00000000-0000-0000-0000-000000000001"
PLACES = ("", "/resourceGroups/rg-a", "/resourceGroups/rg-b", "/resourceGroups/rg-c")
GROUPS = [f"{ROOT}{place}" for place in PLACES if place]


def request(id):
    return Request("token", id, "Some/things", "2025-01-01", id.rpartition("/")[2], None, {})


@st.composite
def asked(draw):
    """Resources in any scopes, each after any of those before it; and groups, of which some are made here."""
    places = draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=12))
    ids = [f"{ROOT}{place}/providers/Some/things/{number}" for number, place in enumerate(places)]
    before = {id: draw(st.sets(st.sampled_from(ids[:at]))) if at else set() for at, id in enumerate(ids)}
    return [*ids, *draw(st.sets(st.sampled_from(GROUPS)))], before


def all_before(id, before):
    return {each for one in before[id] for each in (one, *all_before(one, before))}


@given(asked())
@settings(max_examples=50)
def test_a_template_has_everything_once_and_in_order(asked):
    ids, before = asked
    found = unfolded(template("stack", map(request, ids), before, {}), ROOT)
    assert sorted(one.id for one in found) == sorted(ids)
    complete = ordered(map(request, ids), before)
    for one in found:
        assert all_before(one.id, complete) <= one.before


@given(asked())
@settings(max_examples=50)
def test_a_deployment_is_of_one_scope_and_waits_only_for_those_before_it(asked):
    ids, said = asked
    before = ordered(map(request, ids), said)
    done: set[str] = set()
    for part in deployments(map(request, ids), before):
        inside = {one.id for one in part.requests}
        assert {scope(id) for id in inside} == {part.group}
        assert {one for id in inside for one in before[id]} <= done | inside
        done |= inside


def test_what_needs_no_other_scope_is_one_deployment():
    ids = [f"{ROOT}{place}/providers/Some/things/{name}" for place in PLACES[1:] for name in "abc"]
    assert len(deployments(map(request, ids), ordered(map(request, ids), {}))) == 3
