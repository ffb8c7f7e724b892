"""What has ended is counted later: all of it, in its order, and never so much at once that the loop stands still."""

from __future__ import annotations

import gevent

from loadtests.run.pending import AT_ONCE, Pending
from loadtests.wire.sample import Sample
from tests.loadtests.report.made import sample


def test_all_are_counted_in_their_order_and_others_run_between() -> None:
    """Also what ends while others are counted."""
    counted: list[Sample] = []
    seen: list[int] = []
    pending = Pending(counted.append)
    ended = [sample(sent=float(number)) for number in range(3 * AT_ONCE)]

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
    assert {later - sooner for sooner, later in zip(seen, seen[1:], strict=False)} <= {0, AT_ONCE, 1}
    assert len(set(seen)) > 2


def test_nothing_is_counted_twice() -> None:
    """Nor anything where nothing has ended."""
    counted: list[Sample] = []
    pending = Pending(counted.append)
    pending.add(sample())
    pending.count()
    pending.count()
    assert len(counted) == 1
