"""Free ports of this machine for servers that bind them soon, below those that the kernel gives to clients."""

from __future__ import annotations

import random
import socket
from contextlib import closing

LOW, HIGH = 20_000, 32_000


class Ports:
    """Hands out each port once; another region that starts at the same time begins elsewhere."""

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._taken: set[int] = set()

    def pick(self) -> int:
        """A port that nobody listens on now."""
        while True:
            port = self._source.randrange(LOW, HIGH)
            if port not in self._taken and free(port):
                self._taken.add(port)
                return port


def free(port: int) -> bool:
    """Whether a server could bind this port."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
