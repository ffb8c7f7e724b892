"""Builds and runs truth.c, the server of known truth, and reads what it wrote down. Knows no load client.

    with serving(core=0, ttft=50_000, jitter=10_000, itl=10_000) as truth:      # microseconds; truth.c says all keys
        ...                     # send requests to truth.url; truth.refused and truth.deaf are URLs that never answer
        truth.set(behaviour="ok,early,429")     # for requests from now on; several are taken in turn
        truth.freeze(2000)                      # ms in which the whole server does nothing
        for asked in truth.log(clear=True):     # one for each request, in order of arrival
            asked.ttft, asked.gaps              # s, from the kernel's time of the request to each write of tokens

A behaviour can be asked for by one request alone: header `x-truth: behaviour=cut&ttft=1000`, or model
`m?behaviour=cut`. OUTCOMES says what each behaviour is to a client.
By hand: `python benchmarks/load_truth/server.py ttft=1000`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

SOURCE = Path(__file__).with_name("truth.c")
BUILT = SOURCE.parents[2] / ".bench"
PATIENCE = 60.0  # s for a log of some million events to be written out and read
OUTCOMES = {
    # Whole answers, said in every way that servers and gateways say them.
    **dict.fromkeys(("ok", "crlf", "role", "preamble", "comments", "reasoning", "several", "batched", "split"), "ok"),
    **dict.fromkeys(("late_done", "unframed", "no_usage"), "ok"),
    **{f"{code}": f"http_{code}" for code in (400, 401, 404, 429, 500, 503)},
    "429_once": "http_429",  # the second try of a client that tries again is ok
    "error": "in_stream_error",
    **dict.fromkeys(("early", "no_finish", "no_done"), "ended_early"),
    **dict.fromkeys(("cut", "reset", "hang_up"), "reset"),
    **dict.fromkeys(("hang", "hang_headers"), "timeout_first_token"),
    "gap": "timeout_gap",
    "endless": "timeout_total",
    **dict.fromkeys(("not_json", "not_http", "not_stream"), "malformed"),
}
"""Behaviour -> outcome."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the server saw it. Times in s since the epoch; `ended` is 0 while it is open."""

    number: int
    id: str
    traffic: str
    model: str
    path: str
    behaviour: str
    status: int
    connection: int
    prompt: int  # words
    asked: int  # tokens
    tokens: int  # given to the kernel
    blocked: int  # writes that the client's full receive queue held up: their times are the client's doing
    accepted: float
    arrived: float  # kernel time of its first bytes
    complete: float  # and of its last
    ended: float
    end: str  # whole, client or server (who hung up), open
    writes: tuple[float, ...]  # s: arrival to the first write of tokens, then from each to the next

    @property
    def ttft(self) -> float | None:
        """Arrival to the first write of tokens, s."""
        return self.writes[0] if self.writes else None

    @property
    def gaps(self) -> tuple[float, ...]:
        """From each write of tokens to the next, s."""
        return self.writes[1:]


class Truth:
    """A running server."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())
        self.pid = process.pid
        self.url, self.refused, self.deaf = (f"http://127.0.0.1:{ports[name]}" for name in ("port", "refused", "deaf"))

    def set(self, **keys: object) -> None:
        """Answer requests from now on like that; keys that are not given stay."""
        self._get(f"set?{urlencode(keys, safe=',')}")

    def freeze(self, milliseconds: int) -> None:
        """Stop the whole server for so long, from now on."""
        self._get(f"freeze?ms={milliseconds}")

    def log(self, *, clear: bool = False) -> list[Asked]:
        """All requests since the last log that was cleared. The server does nothing else meanwhile."""
        return [_asked(json.loads(line)) for line in self._get(f"log{'?clear=1' if clear else ''}").splitlines()]

    def _get(self, what: str) -> bytes:
        with urlopen(f"{self.url}/truth/{what}", timeout=PATIENCE) as answer:
            body: bytes = answer.read()
            return body


def _asked(row: dict[str, Any]) -> Asked:
    seconds = {name: row.pop(name) / 1e9 for name in ("accepted", "arrived", "complete", "ended")}
    return Asked(**row | {"writes": tuple(gap / 1e9 for gap in row["writes"])}, **seconds)


def build() -> Path:
    """The program, compiled by the system's compiler where its source has changed."""
    program = BUILT / f"truth-{blake2b(SOURCE.read_bytes(), digest_size=6).hexdigest()}"
    if not program.is_file():
        compiler = shutil.which("cc") or shutil.which("gcc") or sys.exit("no C compiler: apt-get install gcc libc6-dev")
        BUILT.mkdir(exist_ok=True)
        fresh = program.with_suffix(f".{os.getpid()}")
        subprocess.run([compiler, "-O2", "-o", str(fresh), str(SOURCE)], check=True)
        fresh.rename(program)
    return program


@contextmanager
def serving(core: int | None = None, **keys: object) -> Iterator[Truth]:
    """A server of its own, on that core alone if one is given, until the end of the block."""
    given = [f"{key}={value}" for key, value in keys.items()]
    process = subprocess.Popen([build(), *given], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        yield Truth(process)
    finally:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()  # it ends when its input does
        process.wait(PATIENCE)
        process.stdout.close()


if __name__ == "__main__":
    os.execv(build(), [SOURCE.stem, *sys.argv[1:]])
