"""The arrivals of an order: reads the traces that its profile names, and leaves the rest to the pure parts."""

from __future__ import annotations

from collections.abc import Iterator

from infra.load_profile import RATES, LoadProfile, recorded
from loadtests.arrivals import tracefile
from loadtests.arrivals.arrival import Arrival, until
from loadtests.arrivals.process import arrivals, share
from loadtests.arrivals.row import NOT_DONE, TraceError
from loadtests.arrivals.tracefile import Recording
from loadtests.order import Order


def schedule(order: Order) -> Iterator[Arrival]:
    """What this worker sends, in the order of its time, up to the order's duration. Raises TraceError."""
    load = order.load
    found = arrivals(load, order.seed, recording=recording(load), users=order.users, prefix=order.service)
    return share(until(found, order.duration), order.share.index, order.share.of)


def recording(profile: LoadProfile) -> Recording:
    """What was recorded of a profile: its trace, and the requests that it draws lengths from. Raises TraceError."""
    when = _read(profile.trace) if profile.trace else Recording()
    kind = "rates" if when.rates else "requests"
    if profile.trace and kind != recorded(profile.trace):
        ending = f"end in {RATES}" if when.rates else f"not end in {RATES}"
        raise TraceError(f"{profile.trace} has {kind}; the name of such a file must {ending}", not_done=NOT_DONE)
    lengths = profile.tokens.trace if profile.tokens else None
    return Recording(_read(lengths).rows, when.rates) if lengths else when


def _read(name: str) -> Recording:
    path = tracefile.path_of(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        what = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise TraceError(what, not_done=NOT_DONE) from error
    return tracefile.parse(text, path.name)
