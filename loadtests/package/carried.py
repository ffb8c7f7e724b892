"""An order that leaves this machine: what of it is a file of this machine goes with it. Pure: opens no file."""

from __future__ import annotations

from pathlib import Path

from infra.errors import InvalidInput
from infra.load_profile import TRACES
from loadtests.order import Order

NOT_WRITTEN = "nothing was written"


class PackageError(InvalidInput):
    """An order that cannot be packaged."""


def carried(order: Order, folder: str) -> tuple[Order, Path | None]:
    """The order for a machine that has what it names in `folder`; and the trace file that must be brought there."""
    plain = order.model_copy(update={"attached": False, "targets": None})
    trace = order.profile.trace
    if trace is None or trace in TRACES:
        return plain, None
    path = Path(trace)
    profile = order.profile.model_copy(update={"trace": f"{folder}/{path.name}"})
    return plain.model_copy(update={"profile": profile}), path


def ending(order: Order) -> float:
    """Seconds until the order has surely ended. Raises PackageError for one that nobody is there to stop."""
    if order.duration is None:
        raise PackageError("--duration: nobody stops it there; write a duration such as 10m", not_done=NOT_WRITTEN)
    return order.duration + order.grace


def keys(order: Order) -> tuple[str, ...]:
    """The environment variables that hold the keys of an order. Raises PackageError for other references."""
    others = [one for one in order.credentials if not one.startswith("env:")]
    if others:
        what = f"--credential {others[0]}: these pods are nobody in Azure and cannot read a key vault"
        raise PackageError(what, not_done=NOT_WRITTEN, next="--credential env:NAME, from a Secret of the cluster")
    return tuple(one.removeprefix("env:") for one in order.credentials)
