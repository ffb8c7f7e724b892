"""KV memory: blocks are taken and given back, prefixes are remembered and forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.kv import Pool, PrefixCache, prefix_hashes


@pytest.mark.parametrize(("tokens", "blocks"), [(1, 0), (16, 0), (17, 1), (32, 1), (33, 2)])
def test_a_prompt_has_its_full_blocks_but_never_its_last_token(tokens: int, blocks: int) -> None:
    assert len(prefix_hashes(["word"] * tokens, 16)) == blocks


def test_a_block_stands_for_all_before_it() -> None:
    one = prefix_hashes([*"abcdefgh", "x"], 4)
    other = prefix_hashes([*"zbcdefgh", "x"], 4)
    assert one[1] != other[1]
    assert one == prefix_hashes([*"abcdefgh", "y"], 4)
    assert one != prefix_hashes([*"abcdefgh", "x"], 4, salt="tenant")


def test_known_leading_blocks_are_hits() -> None:
    cache = PrefixCache(10)
    assert cache.hit([1, 2, 3]) == 0
    assert cache.hit([1, 2, 4]) == 2
    assert cache.hit([9, 2]) == 0


def test_the_least_recently_used_is_forgotten_first_and_ends_before_beginnings() -> None:
    cache = PrefixCache(3)
    cache.hit([1, 2, 3])
    cache.hit([4])
    assert cache.hit([1, 2, 3]) == 2


@given(st.lists(st.integers(1, 6), max_size=30))
def test_a_pool_never_gives_out_more_than_it_has(wishes: list[int]) -> None:
    pool, held = Pool(16), 0
    for wish in wishes:
        held += wish if pool.take(wish) else 0
        assert pool.taken == held <= 16
        assert pool.usage == held / 16
    pool.give(held)
    assert pool.free == 16


def test_lost_blocks_count_as_used() -> None:
    pool = Pool(10)
    assert pool.take(6)
    pool.lost = 5
    assert (pool.free, pool.usage, pool.take(1)) == (-1, 1.0, False)
