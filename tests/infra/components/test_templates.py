"""One template for each stack of whole fleets: all that was asked for, strictly typed, in an order that holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.azure import schema
from infra.rendering.armtemplate import template
from infra.rendering.computed import referred
from tests.infra.components.rendered import REFERENCES, Rendered, RenderedFleet
from tests.infra.rendering.unfolded import Deployed, unfolded


@pytest.fixture(scope="module", params=REFERENCES)
def deployed(
    request: pytest.FixtureRequest, fleets: Mapping[str, RenderedFleet]
) -> list[tuple[Rendered, dict[str, Deployed]]]:
    """Each stack of a fleet, with what its template deploys, by id."""
    return [(stack, _deployed(stack)) for stack in fleets[request.param].stacks.values()]


def _deployed(stack: Rendered) -> dict[str, Deployed]:
    azure = stack.recorder.azure
    before = {one.id: stack.waited_for(one) for one in stack.requests}
    made = template(stack.recorder.stack, stack.requests, before, stack.recorder.computed.expressions)
    return {one.id: one for one in unfolded(made, f"/subscriptions/{azure.id}")}


def test_a_template_deploys_what_was_asked_for_and_nothing_else(
    deployed: list[tuple[Rendered, dict[str, Deployed]]],
) -> None:
    for stack, found in deployed:
        values = {expression: value for value, expression in stack.recorder.computed.expressions.items()}
        assert found.keys() == {one.id for one in stack.requests}
        for one in stack.requests:
            sent = {key: value for key, value in one.body.items() if value is not None}
            assert (found[one.id].type, found[one.id].api_version) == (one.type, one.api_version)
            assert referred(found[one.id].body, values) == sent, one.id


def test_every_resource_of_a_template_nested_or_not_passes_the_strict_types(
    deployed: list[tuple[Rendered, dict[str, Deployed]]],
) -> None:
    for stack, found in deployed:
        tokens = {one.id: one.token for one in stack.requests}
        for id, one in found.items():
            flaws = schema.flaws(tokens[id], schema.inputs(tokens[id], id, one.body, one.api_version))
            assert not flaws, (id, flaws)


def test_a_template_keeps_the_order_that_the_program_asked_for(
    deployed: list[tuple[Rendered, dict[str, Deployed]]],
) -> None:
    for stack, found in deployed:
        for one in stack.requests:
            assert {id for id in stack.waited_for(one) if id in found} <= found[one.id].before, one.id


def test_what_a_template_refers_to_is_there_before_it_does(
    deployed: list[tuple[Rendered, dict[str, Deployed]]],
) -> None:
    """By its id or by an expression; what is not in this stack is of a stack before it."""
    for _, found in deployed:
        for id, one in found.items():
            asked = {each.split("'")[1] if each.startswith("[reference(") else each for each in _texts(one.body)}
            assert {each for each in asked & found.keys() if each != id} <= one.before, id


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from (str(key), *_texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
