"""The form of a stream's token events on the wire, learned from one, so that the next are known at a glance. Pure.

Servers write each token into the same envelope: one HTTP chunk, one event, one JSON object of which only the text and
so the chunk's length differ. What does not fit is no error: it is read the long way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# A chunk's size, then an event of one data line up to its text, the text without a quote, and all the rest.
CHUNK = re.compile(
    rb"([1-9a-f][0-9a-f]*)\r\n"
    rb'(data:[^\r\n]*?"(?:content|reasoning_content|reasoning|text)"\s*:\s*")[^"\\\r\n]+'
    rb'("[^\r\n]*(?:\n\n|\r\n\r\n)\r\n)'
)
FRAME = 4  # bytes of a chunk that its size does not count, besides the digits of the size: \r\n before and after


@dataclass(frozen=True, slots=True)
class Shape:
    """What is around the text. `around` are the bytes that a chunk's size does not count."""

    before: bytes
    after: bytes
    around: int
    _heads: dict[int, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)  # by length of a read

    def fits(self, read: bytes) -> bool:
        """Whether `read` is exactly one chunk with one such event in it, whose text is not empty."""
        size, after = len(read), self.after
        head = self._heads.get(size)
        if head is None:
            head = self._heads[size] = b"%x\r\n%b" % (size - self.around, self.before)
        start, end = len(head), size - len(after)
        return end > start and read.startswith(head) and read.endswith(after) and read.find(b'"', start, end) < 0


def shape_of(read: bytes) -> Shape | None:
    """The shape of a read that was one token event in one chunk; None for any other, or one with quotes in its text."""
    found = CHUNK.fullmatch(read)
    return None if found is None else Shape(found[2], found[3], len(found[1]) + FRAME)
