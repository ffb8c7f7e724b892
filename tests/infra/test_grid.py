"""One grid of blocks for the judge and for the draw of users."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cli.rollouts.evidence import Count, Look, blocks
from infra import grid

NOW = 1_795_000_000.0
seconds = st.integers(1, 900).map(lambda tenths: tenths / 10)
moments = st.floats(NOW, NOW + 1e7)


def looks(begin: float, look: float, count: int) -> list[Look]:
    arms = {arm: {"errors": Count(1, 0)} for arm in ("canary", "baseline", "stable")}
    return [Look(begin + look * k, 25.0, arms) for k in range(1, count + 1)]


@given(moments, seconds, seconds)
def test_each_block_of_the_judge_lies_in_one_draw_of_users(at: float, look: float, block: float) -> None:
    """And the next block in the next draw: no two of them share one, wherever the rollout begins."""
    size = grid.looks(block, look)
    merged = blocks(looks(grid.begin(at, block, look), look, 3 * size), grid.begin(at, block, look), look, block)
    assert len(merged) == 3
    length = size * look
    draws = [{grid.number(one.at - length * part, block, look) for part in (0.01, 0.3, 0.7, 0.99)} for one in merged]
    assert [len(draw) for draw in draws] == [1, 1, 1]
    first = min(draws[0])
    assert draws == [{first}, {first + 1}, {first + 2}]


@given(moments, seconds, seconds)
def test_a_beginning_is_the_next_one_and_its_own(at: float, look: float, block: float) -> None:
    """Whoever asks again for the beginning gets the same one."""
    begin = grid.begin(at, block, look)
    assert -1e-3 <= begin - at <= grid.looks(block, look) * look
    assert grid.begin(begin, block, look) == begin


def test_a_time_on_the_grid_that_rounding_moved_is_still_on_it() -> None:
    """Not a whole block later: 126950567 blocks of 14.1 s are no exact number of seconds."""
    at = 1790002994.7000003
    assert grid.begin(at, 14.1, 4.7) == at
