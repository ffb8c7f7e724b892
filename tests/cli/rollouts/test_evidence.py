"""Looks, blocks and how the journal keeps them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.rollouts.evidence import ARMS, Count, Look, blocks, look_lines, parse_looks, total

counts = st.builds(lambda n, bad: Count(n + bad, bad), st.integers(0, 10**9), st.integers(0, 10**6))
arm = st.dictionaries(st.sampled_from(["errors", "ttft>0.25s"]), counts)
sound = st.builds(
    Look,
    st.floats(1e9, 2e9),
    st.sampled_from([1.0, 25.0, 100.0]),
    st.dictionaries(st.sampled_from(ARMS), arm, min_size=1),
)
troubled = st.builds(Look, st.floats(1e9, 2e9), st.just(5.0), st.just({}), st.sampled_from(["stale", "kein Maß"]))


def look(at: float, problem: str = "", **bad: int) -> Look:
    arms = {} if problem else {name: {"errors": Count(10, n)} for name, n in bad.items()}
    return Look(at, 25.0, arms, problem)


def row(*times: float) -> list[Look]:
    return [look(at, canary=1, baseline=2) for at in times]


@given(st.lists(sound | troubled, unique_by=lambda one: one.at))
def test_looks_come_back_from_the_journal_as_they_were(looks: list[Look]) -> None:
    lines = [line for one in looks for line in look_lines(one)]
    assert parse_looks(lines) == tuple(sorted(looks, key=lambda one: one.at))


def test_a_look_is_one_line_per_arm_and_a_troubled_one_says_why() -> None:
    assert [line["arm"] for line in look_lines(look(1, canary=0, baseline=1))] == ["canary", "baseline"]
    assert look_lines(look(1, "stale")) == [{"at": 1, "weight": 25.0, "problem": "stale"}]


@pytest.mark.parametrize(
    ("looks", "ends"),
    [
        ([], []),
        (row(1, 2, 3, 4), [2, 4]),
        (row(1, 2, 3), [2]),  # the second block is not over
        (row(1, 3, 4), [4]),  # a look is missing
        ([*row(1, 2, 3), look(4, "stale")], [2]),
        ([*row(1, 2, 3), replace(look(4, canary=1, baseline=1), problem="stale")], [2]),  # its counts may be anything
        ([*row(1, 2, 3), look(4, canary=1)], [2]),  # no baseline
        ([*row(1, 2, 3), look(4, baseline=1)], [2]),  # no canary
        (row(-1, 0, 1, 2), [2]),  # what was before the start
    ],
)
def test_only_whole_and_sound_blocks_count(looks: list[Look], ends: list[float]) -> None:
    assert [block.at for block in blocks(looks, 0.0, 1.0, 2.0)] == ends


def test_the_bake_needs_no_baseline() -> None:
    assert len(blocks([look(1, canary=1)], 0.0, 1.0, 1.0, ("canary",))) == 1
    assert len(blocks([look(1, canary=1)], 0.0, 1.0, 1.0)) == 0


def test_a_block_sums_its_looks_also_over_a_change_of_weight() -> None:
    first, second = row(1, 2)
    (block,) = blocks([first, replace(second, weight=50.0)], 0.0, 1.0, 2.0)
    assert (block.canary["errors"], block.baseline["errors"]) == (Count(20, 2), Count(20, 4))
    assert block.weight == 50.0


def test_a_grid_of_tenths_is_not_lost_to_rounding() -> None:
    start = 1_790_000_000.7
    looks = [look(start + i * 0.1, canary=1, baseline=1) for i in range(1, 1001)]
    assert len(blocks(looks, start, 0.1, 0.5)) == 200


def test_a_block_is_never_shorter_than_the_memory_of_the_noise() -> None:
    """Two looks of 4 s would be 8 s; 10 s were asked for."""
    looks = [look(at * 4.0, canary=1, baseline=1) for at in range(1, 7)]
    assert [block.at for block in blocks(looks, 0.0, 4.0, 10.0)] == [12.0, 24.0]


def test_counts_add_up_by_signal() -> None:
    assert total(row(1, 2, 3), "baseline") == {"errors": Count(30, 6)}
    assert total(row(1), "stable") == {}
    assert (Count(0, 0).rate, Count(4, 1).rate) == (0.0, 0.25)
