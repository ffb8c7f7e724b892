"""What an order comes to: its profile's trace is found and read, and each worker gets its part."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from infra.fleet import load_fleet, names
from infra.load_profile import LoadProfile
from loadtests.arrivals.row import TraceError
from loadtests.arrivals.schedule import recording, schedule
from loadtests.order import Order

REQUESTS = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,374,44\n2023-11-16 18:15:47,396,109\n"
RATES = "t_s,total_rate_rps,rate_weighted_client_cv,active_clients\n0,5,1,3\n600,6,1,3\n"


def order(**said: Any) -> Order:
    return Order.model_validate({"service": "chat", "model": "m", "url": "http://127.0.0.1:80", **said})


def profile(**said: Any) -> LoadProfile:
    return LoadProfile.model_validate({"name": "x", **said})


def test_the_order_says_for_how_long_and_what_instead_of_the_profile() -> None:
    """And names the requests for its service."""
    found = list(schedule(order(rate=20.0, duration=5.0, max_output=10)))
    assert found[0].request.startswith("chat-0-")
    assert len(found) == pytest.approx(100, abs=30)
    assert all(arrival.due < 5 and arrival.output_tokens <= 10 for arrival in found)


def test_workers_send_the_whole_and_nothing_twice() -> None:
    """Three workers of one order."""
    whole = list(schedule(order(rate=50.0, duration=2.0)))
    parts = [list(schedule(order(rate=50.0, duration=2.0, share={"index": index, "of": 3}))) for index in range(3)]
    assert sorted((one for part in parts for one in part), key=lambda one: (one.due, one.request)) == sorted(
        whole, key=lambda one: (one.due, one.request)
    )


@pytest.mark.parametrize("fleet", names())
def test_every_profile_that_ships_can_be_sent(fleet: str) -> None:
    """Its trace is there and has what it should."""
    for shipped in load_fleet(fleet).load_profiles:
        found = list(islice(schedule(order(profile=shipped.model_dump(mode="json"))), 10))
        assert len(found) == 10
        assert all(one.prompt_tokens > 0 and one.output_tokens > 0 for one in found)


def test_rates_of_one_trace_may_have_lengths_of_another() -> None:
    """ServeGen's day with Azure's requests."""
    found = recording(profile(trace="servegen", rate="5/s", tokens={"trace": "code"}))
    assert (len(found.rates), len(found.rows)) == (144, 8819)
    assert recording(profile(rate="5/s", tokens={"prompt": 5, "output": 5})).rows == ()


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    """Requests or rates, as its name says."""
    (tmp_path / "my.csv").write_text(REQUESTS)
    (tmp_path / "my.rates.csv").write_text(RATES)
    assert len(recording(profile(trace=f"{tmp_path}/my.csv", speed="1x")).rows) == 2
    sizes = {"prompt": 5, "output": 5}
    assert len(recording(profile(trace=f"{tmp_path}/my.rates.csv", rate="1/s", tokens=sizes)).rates) == 2


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    """With the name that it should have."""
    (tmp_path / "my.csv").write_text(RATES)
    (tmp_path / "my.rates.csv").write_text(REQUESTS)
    with pytest.raises(TraceError, match=r"my\.csv has rates; the name of such a file must end in \.rates\.csv"):
        recording(profile(trace=f"{tmp_path}/my.csv", speed="1x"))
    sizes = {"prompt": 5, "output": 5}
    with pytest.raises(TraceError, match=r"my\.rates\.csv has requests; the name of such a file must not end in"):
        recording(profile(trace=f"{tmp_path}/my.rates.csv", rate="1/s", tokens=sizes))


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), (b"\xff\xfe", "decode"), (b"", "first line")])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, why: str) -> None:
    """In words."""
    if content is not None:
        (tmp_path / "my.csv").write_bytes(content)
    with pytest.raises(TraceError, match=why):
        recording(profile(trace=f"{tmp_path}/my.csv", speed="1x"))
