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
    """What is around the text. `around` are bytes that a chunk's size does not count; `_forms` go by length."""

    before: bytes
    after: bytes
    around: int
    _forms: dict[int, tuple[bytes, int, int]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def fits(self, read: bytes) -> bool:
        """Whether `read` is exactly one chunk with one such event in it, whose text is not empty."""
        size = len(read)
        head, start, end = self._forms.get(size) or self._form(size)
        return read.startswith(head) and read.endswith(self.after) and read.find(b'"', start, end) < 0

    def _form(self, size: int) -> tuple[bytes, int, int]:
        """What so long a read begins with, and where its text is; where there is no room for one, what none can."""
        head = b"%x\r\n%b" % (size - self.around, self.before)
        start, end = len(head), size - len(self.after)
        form = self._forms[size] = (head, start, end) if end > start else (bytes(size + 1), 0, 0)
        return form


def shape_of(read: bytes) -> Shape | None:
    """The shape of a read that was one token event in one chunk; None for any other, or one with quotes in its text."""
    found = CHUNK.fullmatch(read)
    return None if found is None else Shape(found[2], found[3], len(found[1]) + FRAME)
