"""A real model server process for tests, and a client as plain as the standard library has it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from infra.local.fate import End, fate
from infra.simulate import Simulate

ROOT = Path(__file__).parents[3]
SECONDS = 15.0
MODEL = "demo-8b"
FAST = {"prefill_base": "1ms", "decode": "1ms", "stream_interval": 4}


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition; fail when it does not come."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {SECONDS} s"
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The data of each server-sent event; [DONE] as text."""
        parts = self.body.decode().split("\n\n")
        assert parts[-1] == ""
        texts = [part.removeprefix("data: ") for part in parts[:-1]]
        return [text if text == "[DONE]" else json.loads(text) for text in texts]


@dataclass
class ModelServer:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    simulate: Simulate

    def open(self, path: str, body: Any = None, **headers: str) -> http.client.HTTPConnection:
        """Send a request and leave it to the caller to read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        if body is None:
            connection.request("GET", path, headers=headers)
        else:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request("POST", path, data, {"content-type": "application/json"} | headers)
        return connection

    def ask(self, path: str, body: Any = None, **headers: str) -> Response:
        """Send a request and read the whole response."""
        connection = self.open(path, body, **{name.replace("_", "-"): value for name, value in headers.items()})
        try:
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, found, response.read())
        finally:
            connection.close()

    def stream(self, tokens: int = 9, request: str | None = None, **more: Any) -> Response:
        """A streamed completion of exactly `tokens` tokens, if nothing goes wrong."""
        body = {"model": MODEL, "prompt": "a b c", "max_tokens": tokens, "ignore_eos": True, "stream": True} | more
        return self.ask("/v1/completions", body, **({"x_request_id": request} if request else {}))

    def request_with(self, end: End, slow: bool = False) -> str:
        """A request id whose fate this is."""
        for number in range(10_000):
            drawn = fate(self.simulate, 1, "v2", f"try-{number}")
            if drawn.end is end and (drawn.slowness > 1) == slow:
                return f"try-{number}"
        raise AssertionError(f"no request has the fate {end}")

    def metric(self, name: str, **labels: str) -> float:
        """The sum of all samples of this name with these labels."""
        text = self.ask("/metrics").body.decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self) -> int:
        return self.process.wait(SECONDS)


def spawn(config: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "infra.local.server", "--config", str(config), "--port", str(port)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})


@contextmanager
def model_server(
    directory: Path,
    faults: dict[str, Any] | None = None,
    drain: str | float = 5,
    wait: str = "/health",
    **performance: Any,
) -> Iterator[ModelServer]:
    """A server that answers; it is gone afterwards, whatever happened."""
    simulate = {"performance": {**FAST, **performance}, "faults": faults or {}}
    config = {"service": "chat", "model": MODEL, "release": "v2", "arm": "canary", "replica": "chat-canary-0"}
    path = directory / "server.json"
    path.write_text(json.dumps(config | {"seed": 1, "drain": drain, "simulate": simulate}))
    port = free_port()
    process = spawn(path, port)
    server = ModelServer(process, port, Simulate.model_validate(simulate))

    def answers() -> bool:
        assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
        try:
            return server.ask(wait).status == 200
        except OSError:
            return False

    try:
        until(answers, "the server answers")
        yield server
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
