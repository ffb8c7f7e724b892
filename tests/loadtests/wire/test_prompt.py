"""Prompts have the length that was asked for, and in common what they should and no more."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from infra.token_length import BLOCK
from loadtests.wire.prompt import WORD, block, prompt

NUMBERS = st.lists(st.integers(0, 5), max_size=4).map(tuple)


def common(one: bytes, other: bytes) -> int:
    """Words that two prompts begin with alike."""
    pairs = enumerate(zip(one.split(b" "), other.split(b" "), strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(one.count(b" "), other.count(b" ")) + 1)


@given(tokens=st.integers(1, 20_000), session=st.text(), prefix=NUMBERS)
def test_a_prompt_has_one_word_per_token(tokens: int, session: str, prefix: tuple[int, ...]) -> None:
    """By words and by four characters a token."""
    text = prompt(tokens, session, prefix)
    assert len(text.split(b" ")) == tokens == (len(text) + 1) // WORD
    assert all(len(word) == WORD - 1 for word in text.split(b" "))


@given(one=NUMBERS, other=NUMBERS, more=st.integers(1, 600))
def test_prompts_share_exactly_the_blocks_they_should(one: tuple[int, ...], other: tuple[int, ...], more: int) -> None:
    """Up to the first number that differs, and there not more than four words by chance."""
    first = prompt(len(one) * BLOCK + more, "s-1", one)
    second = prompt(len(other) * BLOCK + more, "s-2", other)
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    assert same * BLOCK <= common(first, second) < same * BLOCK + 4


def test_a_later_turn_begins_with_the_whole_prompt_of_the_one_before() -> None:
    """Of the same session, with the same blocks before it."""
    turns = [prompt(tokens, "s-1", (7,)) for tokens in (600, 900, 1800)]
    assert all(later.startswith(before) for before, later in pairwise(turns))


def test_a_prompt_shorter_than_its_blocks_is_cut() -> None:
    """The last block may be a part of one."""
    assert prompt(700, "s-1", (1, 2)) == (block(1) + block(2))[: 700 * WORD - 1]


def test_sessions_share_no_prefix() -> None:
    """Sixteen tokens are vLLM's block: a shared one would be a cache hit that real users would not have."""
    assert len({prompt(16, f"s-{number}") for number in range(2000)}) == 2000
