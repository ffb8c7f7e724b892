"""The kernel's receive times of a socket: the adapter to SO_TIMESTAMPNS. Reads nothing itself."""

from __future__ import annotations

from contextlib import suppress
from struct import Struct
from typing import Any

from gevent import socket

SO_TIMESTAMPNS = 35  # include/uapi/asm-generic/socket.h; Python has no name for it
TIMESPEC = Struct("@ll").unpack  # struct timespec of a 64-bit kernel
ANCILLARY = 64  # bytes: a header of 16 and a timespec of 16

Ancillary = list[tuple[int, int, bytes]]


def ask(opened: Any) -> bool:
    """Ask the kernel to stamp what comes; whether it can. For all packets of one read it gives the time of the last."""
    with suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        return True
    return False


def seconds(ancillary: Ancillary) -> float:
    """The Unix time at which the kernel took what was read; it must have stamped it."""
    whole, nanoseconds = TIMESPEC(ancillary[0][2])
    moment: float = whole + nanoseconds * 1e-9
    return moment
