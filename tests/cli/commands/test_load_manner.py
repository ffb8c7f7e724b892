"""How requests are made, as options say it, and where a URL leads: what is right, and what is told of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from cli.commands.load.guard import region_behind
from cli.commands.load.manner import manner
from infra.errors import InvalidInput
from infra.fleet import NotInFleet, load_fleet
from loadtests.order import Order, Retry, Timeouts

ATLAS = load_fleet("atlas")
DOMAIN = ATLAS.azure.domain if ATLAS.azure else ""
SAID: dict[str, Any] = {"loras": [], "users": None, "timeouts": [], "retries": 0, "ignore_retry_after": False}


def ordered(**said: Any) -> Order:
    return Order(service="s", model="m", url="http://h", **manner(**{**SAID, **said}).asked())


def test_what_is_not_said_is_left_as_an_order_has_it() -> None:
    """All of it."""
    assert ordered() == Order(service="s", model="m", url="http://h")


def test_what_is_said_is_in_the_order() -> None:
    """A phase that is not named keeps its time."""
    made = ordered(
        loras=["a", "b"], users=7, timeouts=["first-token=500ms", "total=2m"], retries=3, ignore_retry_after=True
    )
    assert (made.loras, made.users) == (("a", "b"), 7)
    assert made.timeouts == Timeouts(first_token=0.5, total=120.0)
    assert made.retry == Retry(most=3, respect_retry_after=False)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"timeouts": ["first_token=5s"]}, "write PHASE=TIME such as first-token=10s; the phases are connect, first-"),
        ({"timeouts": ["total"]}, "--timeout: 'total' is not understood"),
        ({"timeouts": ["total="]}, "--timeout: 'total=' is not understood"),
        ({"timeouts": ["gap=5"]}, "--timeout gap: .* write a duration such as 500ms"),
        ({"timeouts": ["gap=0s"]}, "--timeout gap: 0s is nothing"),
        ({"timeouts": ["gap=1s", "gap=2s"]}, "gap is said twice"),
        ({"loras": ["a", " "]}, "--lora: give the name of an adapter"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_told(said: dict[str, Any], told: str) -> None:
    """Where, what would be right, and that nothing was sent."""
    with pytest.raises(InvalidInput, match=told) as error:
        ordered(**said)
    assert error.value.not_done == "no load was started"


@pytest.mark.parametrize(
    ("url", "named", "region"),
    [
        (f"https://westeurope.{DOMAIN}", None, "westeurope"),
        (f"https://westeurope.{DOMAIN}:8443/", "westeurope", "westeurope"),
        (f"https://eu.{DOMAIN}", None, ""),
        (f"https://eu.{DOMAIN}", "westeurope", "westeurope"),
        ("https://westeurope.example.org", None, ""),
        ("https://westeurope.example.org", "a label", "a label"),
    ],
)
def test_a_host_of_the_fleet_leads_to_its_region_or_to_the_one_that_was_named(
    url: str, named: str | None, region: str
) -> None:
    """The edge answers for a residency group and chooses a region itself; of a foreign host the name is a label."""
    assert region_behind(ATLAS, url, named) == region


def test_a_region_that_the_host_is_not_is_refused() -> None:
    """Neither another one than its own, nor one that the fleet has not."""
    with pytest.raises(InvalidInput, match="is the region westeurope itself, and not eastus2; leave --region out"):
        region_behind(ATLAS, f"https://westeurope.{DOMAIN}", "eastus2")
    with pytest.raises(NotInFleet, match="nowhere"):
        region_behind(ATLAS, f"https://eu.{DOMAIN}", "nowhere")
