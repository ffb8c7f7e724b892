"""Every user has one region; a loss moves its users to heirs and nobody else; all regions together are the whole."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.arrivals.arrival import Arrival
from loadtests.arrivals.route import belongs, heirs, region_of
from loadtests.arrivals.schedule import schedule
from loadtests.order import Order, Outage, Route

NAMES = ("east", "west", "north")


def order(route: Route | None, region: str = "east", **said: Any) -> Order:
    drawn = {"name": "even", "rate": "50/s", "tokens": {"prompt": 9, "output": 9}}
    given = {"service": "chat", "model": "m", "url": "http://127.0.0.1:80", "profile": drawn, "duration": 4.0}
    return Order.model_validate({**given, "route": route, "region": region, **said})


def arrival(user: str, due: float = 0.0) -> Arrival:
    return Arrival(due, 1, 1, "s", user, "r")


outages = st.one_of(
    st.none(),
    st.builds(
        lambda lost, at, lasting: Outage(
            region=lost,
            at=at,
            back=at + lasting if lasting else None,
            heirs=tuple(name for name in NAMES if name != lost)[:1],
        ),
        st.sampled_from(NAMES),
        st.floats(0.5, 3),
        st.one_of(st.none(), st.floats(0.1, 2)),
    ),
)
routes = st.builds(
    lambda weights, outage: Route(weights=dict(zip(NAMES, weights, strict=True)), outage=outage),
    st.tuples(st.just(1.0), st.floats(0, 9), st.floats(0, 9)),
    outages,
)


@settings(max_examples=20)
@given(route=routes, workers=st.integers(1, 3))
def test_all_regions_and_workers_together_send_the_whole_and_nothing_twice(route: Route, workers: int) -> None:
    """Whatever the weights, and whoever is lost."""
    parts = [order(route, name, share={"index": index, "of": workers}) for name in NAMES for index in range(workers)]
    sent = [one.request for part in parts for one in schedule(part) if belongs(part)(one)]
    whole = order(None)
    assert sorted(sent) == sorted(one.request for one in schedule(whole) if belongs(whole)(one))
    assert len(set(sent)) == len(sent) > 100


@settings(max_examples=50)
@given(route=routes, due=st.floats(0, 5))
def test_a_loss_moves_the_users_of_the_lost_region_only(route: Route, due: float) -> None:
    """To an heir, from the loss until it is back."""
    outage = route.outage
    lasts = outage is not None and outage.at <= due and (outage.back is None or due < outage.back)
    for one in (arrival(f"u-{number}", due) for number in range(40)):
        home, found = region_of(Route(weights=route.weights), one), region_of(route, one)
        moves = outage is not None and lasts and home == outage.region
        assert found in outage.heirs if outage and moves else found == home


def test_users_belong_to_regions_in_proportion_to_their_weights() -> None:
    """Three quarters, one quarter and nobody, of ten thousand; a region that gets more weight takes users only."""
    users = [arrival(f"u-{number}") for number in range(10_000)]
    before = Route(weights={"east": 3, "west": 1, "north": 0})
    counts = Counter(region_of(before, one) for one in users)
    assert counts["east"] == pytest.approx(7500, abs=200) and counts["north"] == 0
    after = Route(weights={"east": 3, "west": 1, "north": 1})
    assert {region_of(after, one) for one in users if region_of(after, one) != region_of(before, one)} == {"north"}


def test_heirs_that_stood_by_share_evenly() -> None:
    """They have no weight to share by."""
    outage = Outage(region="east", at=1, heirs=("west", "north"))
    route = Route(weights={"east": 1, "west": 0, "north": 0}, outage=outage)
    counts = Counter(region_of(route, arrival(f"u-{number}", 1.0)) for number in range(2000))
    assert counts["west"] == pytest.approx(1000, abs=100) and counts.total() - counts["west"] == counts["north"]


@pytest.mark.parametrize(
    ("failover", "up", "expected"),
    [
        (["west", "north"], ["east", "west", "north"], ("west", "north")),
        (["north", "west"], ["east", "west", "north", "spare"], ("north", "west")),
        (["spare", "west"], ["east", "west", "spare"], ("west",)),
        (["spare", "west"], ["east", "spare"], ("spare",)),
        (["west"], ["east"], ()),
        ([], ["east", "west"], ()),
    ],
)
def test_heirs_are_those_of_the_list_that_are_first_in_line(
    failover: list[str], up: list[str], expected: tuple[str, ...]
) -> None:
    """As the edge does it: who stands by comes when no other is left."""
    assert heirs("east", failover, {"east": 1, "west": 1, "north": 1, "spare": 2}, up) == expected


WRONG: list[dict[str, Any]] = [
    {"weights": {}},
    {"weights": {"east": 0}},
    {"weights": {"east": -1, "west": 1}},
    {"weights": {"east": 1}, "outage": {"region": "east", "at": 1, "heirs": ["west"]}},
    {"weights": {"east": 1, "west": 1}, "outage": {"region": "east", "at": 1, "heirs": []}},
    {"weights": {"east": 1, "west": 1}, "outage": {"region": "east", "at": 1, "heirs": ["east"]}},
    {"weights": {"east": 1, "west": 1}, "outage": {"region": "east", "at": 2, "back": 2, "heirs": ["west"]}},
    {"weights": {"west": 1}},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_route_that_leads_nowhere_is_refused(wrong: dict[str, Any]) -> None:
    """Before anything is sent; and so is one without the region whose users are to be sent."""
    with pytest.raises(ValueError, match=r"route|region"):
        Order.model_validate({**order(None).model_dump(mode="json"), "route": wrong})


def test_a_closed_loop_cannot_be_routed() -> None:
    """Its requests have no times at which a region could be lost."""
    profile = {"name": "closed", "closed": {"streams": 5}, "tokens": {"prompt": 5, "output": 5}}
    with pytest.raises(ValueError, match="closed loop"):
        order(Route(weights={"east": 1}), profile=profile)
