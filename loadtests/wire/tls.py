"""TLS over bytes that somebody else sends and receives, so that the kernel's times of them stay. Opens no socket."""

from __future__ import annotations

import ssl
from collections.abc import Callable


class TlsError(OSError):
    """The other side is not who it should be, or speaks no TLS."""


class Tls:
    """The client's side of one TLS connection to `host`."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def shake_hands(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        """Agree on keys. Raises TlsError."""
        while not self._agreed():
            send(self.pending())
            data = receive()
            if not data:
                raise TlsError("the other side hung up while TLS was agreed on")
            self._incoming.write(data)
        send(self.pending())

    def encrypt(self, data: bytes) -> bytes:
        """The records for `data`."""
        self._object.write(data)
        return self.pending()

    def decrypt(self, data: bytes) -> tuple[bytes, bool]:
        """What the records held that `data` completes, and whether that was the end. Raises TlsError."""
        self._incoming.write(data)
        plain: list[bytes] = []
        try:
            while part := self._object.read(2**14):  # a record holds no more (RFC 8446, 5.1)
                plain.append(part)
        except ssl.SSLWantReadError:
            return b"".join(plain), False
        except ssl.SSLZeroReturnError:
            return b"".join(plain), True
        except ssl.SSLError as error:
            raise TlsError(str(error)) from error
        return b"".join(plain), True

    def pending(self) -> bytes:
        """What is to be sent: nothing most of the time, an answer to a change of keys."""
        return self._outgoing.read()

    def _agreed(self) -> bool:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise TlsError(str(error)) from error
        return True


def trusting(file: str | None = None) -> ssl.SSLContext:
    """What this machine trusts, or only the certificates in `file`; HTTP/1.1 is all that is offered."""
    context = ssl.create_default_context(cafile=file)
    context.set_alpn_protocols(["http/1.1"])
    return context
