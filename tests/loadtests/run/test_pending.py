"""What has ended is counted later: all of it, in its order, and never so much at once that the loop stands still."""

from __future__ import annotations

from itertools import pairwise

import gevent

from loadtests.run.pending import AT_ONCE, Pending


def test_all_are_counted_in_their_order_and_others_run_between() -> None:
    """Also what ends while others are counted."""
    counted: list[int] = []
    seen: list[int] = []
    pending = Pending(counted.append)
    ended = list(range(3 * AT_ONCE))

    def other() -> None:
        while len(counted) < len(ended) + 1:
            seen.append(len(counted))
            if len(seen) == 1:
                pending.add(ended[0])
            gevent.sleep(0)

    for one in ended:
        pending.add(one)
    assert counted == []
    beside = gevent.spawn(other)
    pending.count()
    beside.join()
    assert counted == [*ended, ended[0]]
    assert {later - sooner for sooner, later in pairwise(seen)} <= {0, AT_ONCE, 1}
    assert len(set(seen)) > 2


def test_nothing_is_counted_twice() -> None:
    """Nor anything where nothing has ended."""
    counted: list[int] = []
    pending = Pending(counted.append)
    pending.add(7)
    pending.count()
    pending.count()
    assert len(counted) == 1
