"""What a person may have meant: the nearest known word, or all of them where they are few. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

FEW = 12  # words that a person still reads


def hint(word: object, known: Iterable[str]) -> str:
    """`; did you mean X?`, or the known words where none is near and they are few, or nothing."""
    words = sorted(known)
    text = str(word)[:80]
    near = get_close_matches(text, words, n=1) or get_close_matches(
        text.lower(), [w for w in words if w.lower() == w], n=1
    )
    if near:
        return f"; did you mean {near[0]}?"
    if not words:
        return "; there are none"
    return f"; known: {', '.join(words)}" if len(words) <= FEW else ""
