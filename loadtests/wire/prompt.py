"""Prompts that have exactly so many tokens, and in common exactly what they should. Pure: text from names and numbers.

A prompt has one three-letter word per token, so tokenizers by word and the rule of four characters a token both count
exactly what was asked for. It is the beginning of an endless text: first the blocks that it shares, each with the words
of its own number, then the words of its session. So a later turn begins with the whole prompt of the one before.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from itertools import product

from infra.token_length import BLOCK

CONSONANTS, VOWELS = "bcdfghjklmnprstvz", "aeiou"
WORDS = "".join(f"{a}{b}{c} " for a, b, c in product(CONSONANTS, VOWELS, CONSONANTS)).encode()
WORD = 4  # bytes: three letters and a space
COUNT = len(WORDS) // WORD
OPENING = 4  # words drawn for each name: 1445 ** 4 openings, so no two texts begin alike by chance
KEPT = 4096  # blocks: 8 MB, and a trace of an hour that shares a third of its blocks comes back to few older ones


def prompt(tokens: int, session: str, prefix: tuple[int, ...] = ()) -> bytes:
    """A prompt of so many words: the blocks of `prefix`, as far as they fit, then the session's own text."""
    shared = b"".join([block(number) for number in prefix[: -(-tokens // BLOCK)]])
    text = shared + _text(session, max(0, tokens - len(shared) // WORD))
    return text[: tokens * WORD - 1]


@lru_cache(maxsize=KEPT)
def block(number: int) -> bytes:
    """The words of the shared block with this number."""
    return _text(f"block {number}", BLOCK)


def _text(name: str, words: int) -> bytes:
    """An opening that only `name` has, then the list of words over and over."""
    drawn = blake2b(name.encode(), digest_size=2 * OPENING).digest()
    places = [int.from_bytes(drawn[at : at + 2], "big") % COUNT * WORD for at in range(0, 2 * OPENING, 2)]
    opening = b"".join([WORDS[place : place + WORD] for place in places])
    text = opening + WORDS * (words // COUNT + 1)
    return text[: words * WORD]
