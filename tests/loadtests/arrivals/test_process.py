"""Arrivals come as their profile says: at its rate, with its gaps, lengths and conversations, by the seed alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import islice, pairwise, takewhile
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.load_profile import LoadProfile
from loadtests.arrivals.arrival import Arrival
from loadtests.arrivals.curve import Stretch
from loadtests.arrivals.process import arrivals, share
from loadtests.arrivals.row import Row
from loadtests.arrivals.tracefile import Recording, parse, path_of

SIZES: dict[str, Any] = {"prompt": 700, "output": 50}
ROWS = (Row(0.0, 1500, 1, (0, 1, 2)), Row(1.0, 20, 200, (3,)), Row(5.0, 30, 3, (3,)), Row(6.0, 40, 4, (3,)))
TRACE = Recording(ROWS)  # mean gap 2, so a round is 8 s
RATES = Recording(rates=(Stretch(600, 100, 1), Stretch(600, 300, 2)))


def profile(**said: Any) -> LoadProfile:
    whole = said if said.get("trace") in ("conv", "code", "mooncake") else {"tokens": SIZES, **said}
    return LoadProfile.model_validate({"name": "x", **whole})


def first(count: int, seed: int = 0, recording: Recording = TRACE, **said: Any) -> list[Arrival]:
    return list(islice(arrivals(profile(**said), seed, recording=recording), count))


def before(end: float, seed: int = 0, recording: Recording = TRACE, **said: Any) -> list[Arrival]:
    every = arrivals(profile(**said), seed, recording=recording)
    return list(takewhile(lambda arrival: arrival.due < end, every))


def gaps(found: list[Arrival]) -> list[float]:
    return [later.due - sooner.due for sooner, later in pairwise(found)]


def test_constant_arrivals_are_even() -> None:
    """The first at once, and none is a nanosecond off."""
    found = first(1000, rate="8/s", arrivals="constant")
    assert [arrival.due for arrival in found] == [index / 8 for index in range(1000)]


@pytest.mark.parametrize(("said", "cv"), [({}, 1.0), ({"arrivals": "gamma", "cv": 2.5}, 2.5)], ids=str)
def test_gaps_vary_as_asked_at_the_rate_asked(said: dict[str, Any], cv: float) -> None:
    """Over 20,000 requests, to within what chance allows."""
    found = first(20_000, rate="100/s", **said)
    assert len(found) / found[-1].due == pytest.approx(100, rel=3 * cv / 20_000**0.5)
    assert stdev(gaps(found)) / mean(gaps(found)) == pytest.approx(cv, rel=0.06)


def test_a_short_run_has_its_rate_too() -> None:
    """300 runs of 10 s in bursts have as many requests as 300 times 10 s should: the start is no special moment."""
    counts = [len(before(10.0, seed, rate="20/s", arrivals="gamma", cv=3)) for seed in range(300)]
    assert mean(counts) == pytest.approx(200, abs=3 * stdev(counts) / 300**0.5)
    assert mean(counts) != pytest.approx(204, abs=1)  # (cv**2 - 1) / 2 more, if each began with a request


def test_a_day_has_its_trough_and_its_peak() -> None:
    """Four times as many in the minute of the peak as in that of the trough."""
    day = {"trough": "30/s", "peak": "120/s", "period": "10m"}
    found = [arrival.due % 600 for arrival in before(600, diurnal=day)]
    trough = sum(due < 30 or due >= 570 for due in found)
    peak = sum(270 <= due < 330 for due in found)
    assert len(found) == pytest.approx(75 * 600, rel=0.02)
    assert peak / trough == pytest.approx(4, rel=0.08)


def test_every_window_of_a_step_has_ten_times_as_much() -> None:
    """And what is before and after it has the base."""
    step = {"base": "20/s", "factor": "10x", "at": "50s", "for": "40s", "window": "10s"}
    counts = Counter(int(arrival.due // 10) for arrival in before(150, step=step))
    for window in range(15):
        expected = 2000 if 5 <= window < 9 else 200
        assert counts[window] == pytest.approx(expected, abs=4 * expected**0.5)


def test_a_curve_has_rates_and_variations_row_by_row_and_again() -> None:
    """Two rounds of a calm minute, a pause, and a wild minute."""
    rows = [{"for": "60s", "rate": "50/s"}, {"for": "10s", "rate": "0/s"}, {"for": "60s", "rate": "100/s", "cv": 3}]
    found = [before(260, seed, curve=rows) for seed in range(4)]
    dues = [arrival.due for run in found for arrival in run]
    assert not [due for due in dues if 60 < due % 130 < 70]
    assert sum(due % 130 <= 60 for due in dues) == pytest.approx(4 * 2 * 3000, rel=0.05)
    assert sum(due % 130 >= 70 for due in dues) == pytest.approx(4 * 2 * 6000, rel=0.1)
    wild = [gap for run in found for gap in gaps([arrival for arrival in run if arrival.due % 130 > 70]) if gap < 60]
    assert stdev(wild) / mean(wild) == pytest.approx(3, rel=0.15)


def test_recorded_rates_pass_faster_and_are_scaled() -> None:
    """Twenty minutes in twenty seconds, with a quarter in the first half."""
    found = before(20, recording=RATES, trace="servegen", rate="500/s", speed="60x")
    assert len(found) == pytest.approx(10_000, rel=0.06)
    assert sum(arrival.due < 10 for arrival in found) == pytest.approx(2500, rel=0.08)


def test_a_trace_is_replayed_at_a_rate_or_at_a_speed() -> None:
    """At a rate from a row that the seed picks, at a speed from its first one."""
    fast = first(5, trace="conv", speed="10x")
    assert [arrival.due for arrival in fast] == pytest.approx([0, 0.1, 0.5, 0.6, 0.8])
    assert {first(1, seed, trace="conv", speed="10x")[0].prompt_tokens for seed in range(9)} == {1500}
    assert {first(1, seed, trace="conv", rate="1/s")[0].prompt_tokens for seed in range(30)} == {1500, 20, 30, 40}
    assert first(5, trace="conv", rate="1/s")[4].due == pytest.approx(4)


def test_an_hour_at_ten_times_its_pace_has_every_request_of_it() -> None:
    """19,366 requests in 350 s; the next round begins one mean gap later."""
    recording = parse(path_of("conv").read_text(encoding="utf-8"), "conv")
    length = recording.period / 10
    assert length == pytest.approx(350.19, abs=0.01)
    found = before(length, recording=recording, trace="conv", speed="10x")
    assert [(arrival.prompt_tokens, arrival.output_tokens) for arrival in found] == [
        (row.prompt_tokens, row.output_tokens) for row in recording.rows
    ]


def test_prompts_and_answers_of_a_trace_are_cut() -> None:
    """With the blocks that are cut off."""
    found = first(2, trace="mooncake", speed="1x", max_prompt=1024, max_output=100)
    assert [(one.prompt_tokens, one.output_tokens, len(one.prefix)) for one in found] == [(1024, 1, 2), (20, 100, 1)]


def test_a_closed_loop_is_due_at_once() -> None:
    """Whoever sends says when."""
    found = first(50, closed={"streams": 4})
    assert {arrival.due for arrival in found} == {0.0}
    assert len({arrival.session for arrival in found}) == 50


def test_turns_have_in_their_prompts_what_was_said_before() -> None:
    """700 and 50 tokens a turn; the times are those that they would have been without conversations."""
    turns = {"count": 3, "pause": "2s"}
    found = first(3000, rate="50/s", turns=turns)
    assert [arrival.due for arrival in found] == [arrival.due for arrival in first(3000, rate="50/s")]
    assert {(arrival.turn, arrival.prompt_tokens) for arrival in found} == {(0, 700), (1, 1450), (2, 2200)}
    talks = defaultdict(list)
    for arrival in found:
        talks[arrival.session].append(arrival)
    assert all([one.turn for one in talk] == list(range(len(talk))) for talk in talks.values())
    assert all(len({one.user for one in talk}) == 1 for talk in talks.values())
    assert len({arrival.request for arrival in found}) == 3000


def test_conversations_share_system_prompts_in_groups() -> None:
    """In front of the prompt's own tokens, and in the first turn only as new ones; the same for every seed."""
    said: dict[str, Any] = {"rate": "50/s", "shared_prefix": {"tokens": 1024, "groups": 3}}
    found = first(300, **said, turns={"count": 2, "pause": "1s"})
    assert {arrival.prefix for arrival in found} == {(0, 1), (2, 3), (4, 5)}
    assert {(arrival.turn, arrival.prompt_tokens) for arrival in found} == {(0, 1724), (1, 2474)}
    assert {one.prefix for one in first(300, seed=1, **said)} == {(0, 1), (2, 3), (4, 5)}
    assert len({(arrival.session, arrival.prefix) for arrival in found}) == len({one.session for one in found})


def test_a_prompt_that_is_cut_has_no_more_blocks_than_it_fills() -> None:
    """Also where its system prompt is longer than it may be."""
    found = first(5, rate="5/s", shared_prefix={"tokens": 2048}, max_prompt=1000)
    assert {(arrival.prompt_tokens, arrival.prefix) for arrival in found} == {(1000, (0, 1))}


ANY = [
    {"trace": "conv", "rate": "7/s"},
    {"trace": "mooncake", "speed": "3x"},
    {"rate": "7/s", "arrivals": "gamma", "cv": 2, "tokens": {"trace": "code"}},
    {"rate": "7/s", "turns": {"count": 3, "pause": "1s"}, "shared_prefix": {"tokens": 512, "groups": 2}},
    {"diurnal": {"trough": "2/s", "peak": "8/s", "period": "20s"}},
    {"closed": {"streams": 4}},
]


@given(said=st.sampled_from(ANY), seed=st.integers(0, 1000), of=st.integers(1, 5))
def test_the_parts_of_all_workers_are_the_whole(said: dict[str, Any], seed: int, of: int) -> None:
    """None is missing, none is sent twice, and each part is in the order of its time."""
    whole = first(40, seed, **said)
    parts = [list(share(iter(whole), index, of)) for index in range(of)]
    assert sorted((one for part in parts for one in part), key=whole.index) == whole
    assert sum(map(len, parts)) == 40
    assert all(part == sorted(part, key=lambda arrival: arrival.due) for part in parts)


@given(said=st.sampled_from(ANY), seed=st.integers(0, 1000))
def test_the_seed_decides_everything(said: dict[str, Any], seed: int) -> None:
    """Twice the same; another seed has other names."""
    found = first(30, seed, **said)
    assert found == first(30, seed, **said)
    assert not {one.request for one in found} & {one.request for one in first(30, seed + 1, **said)}
    assert all(later >= 0 for later in gaps(found))


def test_another_process_draws_the_same() -> None:
    """Whatever its hash seed is: workers agree without a word."""
    code = (
        "import json; from tests.loadtests.arrivals.test_process import first\n"
        "found = first(50, 3, rate='9/s', arrivals='gamma', cv=2)\n"
        "print(json.dumps([(one.due, one.user, one.prompt_tokens) for one in found]))"
    )
    root = Path(__file__).parents[3]
    told = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    here = [(one.due, one.user, one.prompt_tokens) for one in first(50, 3, rate="9/s", arrivals="gamma", cv=2)]
    assert [tuple(one) for one in json.loads(told)] == here
