"""The order of a client, from its command line: JSON, or a file that holds it. Reads files, and sends nothing."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

from pydantic import ValidationError

from infra.errors import InvalidInput
from infra.load_profile import LoadProfile
from loadtests.arrivals.tracefile import path_of
from loadtests.order import Order, Share

BESIDE = Path(__file__).parents[
    2
]  # where the service that unpacks a package puts its files: beside the folders of code
NOT_DONE = "nothing was sent"


class OrderError(InvalidInput):
    """What was given is no order, or leads to none."""


def read_order(text: str | None, share: str | None = None) -> Order:
    """The order that JSON, `@FILE` or FILE says; of `share`, a file, this client's part. Raises OrderError."""
    if not text:
        raise OrderError("no order was given; write --order JSON or --order @FILE", not_done=NOT_DONE)
    written = text if text.lstrip().startswith("{") else _read(text.removeprefix("@"))
    try:
        order = Order.model_validate_json(written)
    except ValidationError as error:
        raise OrderError(f"the order is not valid: {_first(error)}", not_done=NOT_DONE) from error
    return order.model_copy(update={"share": read_share(_read(share), share, order.profile)}) if share else order


def read_share(text: str, name: str, profile: LoadProfile) -> Share:
    """The one row INDEX,OF,FINGERPRINT that a client's own file has. Raises OrderError where that cannot be its part.

    A file that went whole to all, and a trace that was cut up, would make a load that looks right and is another one.
    """
    rows = text.split()
    if len(rows) != 1:
        what = f"{name} has {len(rows)} rows and must have one, INDEX,OF,FINGERPRINT: each engine needs one of its own"
        raise OrderError(what, not_done=NOT_DONE, next="splitAllCSVs: true, and as many engines as rows")
    try:
        index, of, found = rows[0].split(",")
        share = Share(index=int(index), of=int(of))
    except (ValueError, ValidationError) as error:
        what = f"{name}: {rows[0]} is no share; write INDEX,OF,FINGERPRINT such as 0,4,{fingerprint(profile)}"
        raise OrderError(what, not_done=NOT_DONE) from error
    if found != fingerprint(profile):
        raise OrderError("the trace here is not the one that was packaged: it was changed or split", not_done=NOT_DONE)
    return share


def fingerprint(profile: LoadProfile) -> str:
    """Of the traces that a profile names, byte for byte. Raises OrderError for one that cannot be read."""
    digest = blake2b(digest_size=8)
    for name in (profile.trace, profile.tokens.trace if profile.tokens else None):
        try:
            digest.update(path_of(name).read_bytes() if name else b"")
        except OSError as error:
            raise OrderError(f"{name} cannot be read: {error.strerror}", not_done=NOT_DONE) from error
    return digest.hexdigest()


def _read(name: str) -> str:
    """A file, as it is named or beside the code."""
    path = next((one for one in (Path(name), BESIDE / name) if one.is_file()), Path(name))
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        what = f"{name} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise OrderError(what, not_done=NOT_DONE) from error


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    return ": ".join(filter(None, (".".join(map(str, problem["loc"])), str(problem["msg"]))))
