"""One simulated model server as a process: `python -m infra.local.server --config FILE --port P`.

It speaks vLLM's HTTP API on 127.0.0.1 and runs no model: see infra/simulate.py for what is simulated. SIGTERM stops new
calls, lets open ones finish for the configuration's `drain`, then ends them with a typed error; SIGQUIT and SIGINT end
them at once.
Exit codes: 0 stopped by a signal, 1 a simulated crash or a bug, 2 a wrong configuration, 6 the port cannot be had.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import uvicorn
import uvloop
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from infra.local.api import Api
from infra.local.engine import Engine
from infra.local.exposition import Exposition
from infra.simulate import Simulate
from infra.units import parse_duration

INVALID, UNAVAILABLE, CRASHED = 2, 6, 1
KEEP_ALIVE = 3600  # s: a proxy's pooled connection that closes under a request would count as a fault of the release
LAST_WORDS = 1.0  # s for the typed errors to be written


def _seconds(value: object) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(str(value)) if number else parse_duration(value)


class ServerConfig(BaseModel):
    """The configuration file, JSON. `drain` is seconds or a duration such as 5s."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str = Field(min_length=1)
    model: str = Field(min_length=1)
    release: str = Field(min_length=1)
    arm: str
    replica: str | int
    seed: int = 0
    drain: Annotated[float, BeforeValidator(_seconds), Field(ge=0, le=86_400)] = 0.0
    simulate: Simulate = Simulate()


class _Uvicorn(uvicorn.Server):
    """Uvicorn without its own signal handling, which would cut open streams."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to us."""
        yield


def main(arguments: list[str] | None = None) -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.server", description="A simulated model server.")
    parser.add_argument(
        "--config", required=True, type=Path, help="JSON file: service, model, release, arm, simulate..."
    )
    parser.add_argument("--port", required=True, type=int, help="port on 127.0.0.1")
    options = parser.parse_args(arguments)
    config = read_config(options.config)
    listener = _listen(options.port)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(config, listener))


def read_config(path: Path) -> ServerConfig:
    """The configuration in a file; one line and exit 2 when it is not valid."""
    try:
        return ServerConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        _exit(INVALID, f"{path}: {error.strerror}")
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}".lstrip(": ") for one in error.errors())
        _exit(INVALID, f"{path}: {'; '.join(problems)}")


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        _exit(UNAVAILABLE, f"port {port} on 127.0.0.1 cannot be had: {getattr(error, 'strerror', None) or error}")
    return listener


async def serve(config: ServerConfig, listener: socket.socket) -> None:
    """Serve on a bound socket until SIGTERM, SIGQUIT or SIGINT."""
    speed = config.simulate.performance
    exposition = Exposition(config.model, speed)
    engine = Engine(config.simulate, seed=config.seed, release=config.release, meter=exposition, die=_crash)
    exposition.watch(engine)
    api = Api(config.model, config.release, speed, engine, exposition)
    server = _Uvicorn(_uvicorn_config(api))
    ending: set[asyncio.Task[None]] = set()

    def end(drain: float) -> None:
        ending.add(asyncio.ensure_future(_end(api, server, drain)))

    loop = asyncio.get_running_loop()
    for number, drain in ((signal.SIGTERM, config.drain), (signal.SIGQUIT, 0.0), (signal.SIGINT, 0.0)):
        loop.add_signal_handler(number, end, drain)
    gc.freeze()  # what is there now stays: later collections need not look at it
    await server.serve(sockets=[listener])


def _uvicorn_config(api: Api) -> uvicorn.Config:
    return uvicorn.Config(
        api,
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=1,
    )


async def _end(api: Api, server: uvicorn.Server, drain: float) -> None:
    api.drain()
    if not await api.idle(drain):
        api.withdraw()
        await api.idle(LAST_WORDS)
    server.should_exit = True


def _crash() -> NoReturn:
    """What a simulated crash does: the process is gone, nothing is finished or written."""
    os.write(2, b"simulated crash\n")
    os._exit(CRASHED)


def _exit(code: int, message: str) -> NoReturn:
    sys.stderr.write(f"model server: {message}\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
