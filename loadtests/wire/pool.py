"""The connections to one server, without a limit: an arrival process must not wait for a free one."""

from __future__ import annotations

from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent import socket

from loadtests.wire.connection import Connection
from loadtests.wire.reader import Reader
from loadtests.wire.tls import Tls, trusting

PORTS = {"http": 80, "https": 443}


class Pool:
    """Connections to the server of a URL. The first one looks its name up; `context` is whom TLS trusts."""

    def __init__(self, url: str, context: SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        self._context = context or (trusting() if parts.scheme == "https" else None)
        self._free: list[Connection] = []
        self._found: tuple[int, Any] | None = None
        self.reader = Reader()

    def take(self) -> Connection | None:
        """A connection that is open as far as can be known, the most recently used first."""
        while self._free:
            connection = self._free.pop()
            if connection.idle():
                return connection
        return None

    def connect(self, timeout: float) -> Connection:
        """A new connection: name, TCP and TLS. Raises TimeoutError, another OSError, or UnicodeError for no name."""
        with gevent.Timeout(timeout, TimeoutError):
            family, address = self._address()
            connection = Connection(self.reader, family)
            connection.connect(address, Tls(self._context, self._host) if self._context else None)
        return connection

    def give(self, connection: Connection) -> None:
        """Take a connection back whose response was read to its end."""
        connection.sink = None
        self._free.append(connection)

    def close(self) -> None:
        """Close the free ones and stop reading."""
        while self._free:
            self._free.pop().close()
        self.reader.close()

    def _address(self) -> tuple[int, Any]:
        if self._found is None:
            family, _, _, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0]
            self._found = family, address
        return self._found
