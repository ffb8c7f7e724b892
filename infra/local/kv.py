"""The KV memory of a simulated engine: a pool of blocks and a cache of prompt prefixes. Knows no time and no requests.

Cached prefixes hold no block of the pool: real engines keep them in free blocks and evict them first, so they never
make a request wait. The cache forgets the least recently used when it is as large as the pool.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence


def prefix_hashes(words: Sequence[str | int], block_size: int, salt: str = "") -> list[int]:
    """One number for each full block of a prompt that stands for the block and all before it.

    The block with the last token is left out: an engine always computes at least one token.
    """
    hashes = []
    chain = hash(salt)
    for start in range(0, (len(words) - 1) // block_size * block_size, block_size):
        chain = hash((chain, *words[start : start + block_size]))
        hashes.append(chain)
    return hashes


class PrefixCache:
    """Remembers the blocks of the latest prompts."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def hit(self, hashes: Sequence[int]) -> int:
        """How many leading blocks of a prompt are known; afterwards all of them are."""
        known = 0
        for block in hashes:
            if block not in self._blocks:
                break
            known += 1
        for block in reversed(hashes):  # the end of a prompt is forgotten before its beginning
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        while len(self._blocks) > self._capacity:
            self._blocks.popitem(last=False)
        return known


class Pool:
    """Blocks of KV memory. `lost` blocks are leaked: they count as used and never come back."""

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks
        self.taken = 0
        self.lost = 0

    @property
    def usage(self) -> float:
        """Used share of the pool, 0..1."""
        return min(1.0, (self.taken + self.lost) / self.blocks)

    @property
    def free(self) -> int:
        """Blocks that can be taken now; below zero after a leak took more than was free."""
        return self.blocks - self.taken - self.lost

    def take(self, blocks: int) -> bool:
        """Take blocks, all or none."""
        if blocks > self.free:
            return False
        self.taken += blocks
        return True

    def give(self, blocks: int) -> None:
        """Return blocks that were taken."""
        self.taken -= blocks
