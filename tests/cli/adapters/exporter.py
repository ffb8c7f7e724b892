"""A real Prometheus that scrapes an exporter whose every number a test sets."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import yaml

from infra.local.ports import Ports
from infra.programs import find
from tests.cli.drill import until

REGION, SERVICE, INTERVAL = "eastus2", "chat", 0.1
RELEASES = {"canary": "v2", "baseline": "v1", "stable": "v1"}


@dataclass
class Exporter:
    """Counters by page (envoy, client, or an arm's replica) and by series; a page may be broken."""

    folder: Path
    pages: dict[str, dict[str, float]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    scraped: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    serial: int = 0
    releases: dict[str, str] = field(default_factory=lambda: dict(RELEASES))
    port: int = 0
    url: str = ""
    process: Any = None

    def add(self, page: str, **series: float) -> None:
        """Let counters of a page grow; they are written as `metric__label_value__label_value`."""
        for name, amount in series.items():
            counts = self.pages.setdefault(page, {})
            counts[_series(name)] = counts.get(_series(name), 0.0) + amount

    def settled(self) -> float:
        """A time by which Prometheus has every page as it is now.

        It is asked: a page that was sent may have come too late for it, and then it has kept nothing of it. A page that
        is broken was at least asked for twice. What is added from then on is in no sample of before that time: a scrape
        has the time of its beginning, and one that had begun has been answered.
        """
        self.serial += 1
        asked, wanted = dict(self.scraped), self.serial
        pages = ("envoy", "client", *self.releases)
        until(lambda: all(self.scraped.get(page, 0) >= asked.get(page, 0) + 2 for page in pages if page in self.broken))
        until(lambda: all(self.stored(page) >= wanted for page in pages if page not in self.broken))
        now, answered = time.time(), dict(self.answered)
        until(lambda: all(self.answered[page] > answered[page] for page in pages if page not in self.broken))
        return now

    def stored(self, page: str) -> float:
        """The serial of a page as Prometheus last stored it."""
        return float(next(iter(self._asked(f'max(exporter_serial{{page="{page}"}})')), {"value": (0, 0)})["value"][1])

    def heal(self) -> None:
        """All pages answer, every arm runs its release, and Prometheus has seen that."""
        self.broken.clear()
        if self.releases != RELEASES:
            self.releases = dict(RELEASES)
            self.place()
        until(lambda: all(self.known(arm) == release for arm, release in RELEASES.items()))
        self.settled()

    def place(self) -> None:
        """Tell Prometheus which release each replica has."""
        groups = [
            {
                "targets": [f"127.0.0.1:{self.port}"],
                "labels": {"__metrics_path__": f"/{page}", "region": REGION, "job": "client", **labels},
            }
            for page, labels in {
                "client": {},
                **{
                    arm: {"job": "engine", "service": SERVICE, "arm": arm, "release": release, "replica": f"{arm}-1"}
                    for arm, release in self.releases.items()
                },
            }.items()
        ]
        new = self.folder / "targets.new"
        new.write_text(json.dumps(groups))
        new.rename(self.folder / "targets.json")

    def known(self, arm: str) -> str:
        """The release that Prometheus has for an arm."""
        return ",".join(one["metric"]["release"] for one in self._asked(f'up{{arm="{arm}"}}'))

    def _asked(self, query: str) -> list[Any]:
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": query}, trust_env=False)
        return list(answer.json()["data"]["result"])

    def text(self, page: str) -> str:
        """The page; its serial is read first, so that what was added before it is there too."""
        serial = f'exporter_serial{{page="{page}"}} {self.serial}\n'
        return serial + "".join(f"{series} {value}\n" for series, value in self.pages.get(page, {}).items())


def _series(name: str) -> str:
    """`metric__le_0.5` -> `metric{le="0.5"}`; the dash stands for a colon."""
    metric, *labels = name.split("__")
    pairs = ",".join(f'{key}="{value}"' for key, _, value in (label.partition("=") for label in labels))
    return f"{metric}{{{pairs}}}"


@contextmanager
def prometheus(folder: Path) -> Iterator[Exporter]:
    """The exporter, and a Prometheus that scrapes it every tenth of a second."""
    made = Exporter(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    made.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.place()
    port = Ports(random.Random()).pick()
    made.url = f"http://127.0.0.1:{port}"
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(_config(made)))
    argv = [str(find("prometheus")), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    with open(folder / "prometheus.log", "wb") as log:
        process = subprocess.Popen([*argv, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    made.process = process
    try:
        until(lambda: made.scraped)
        made.heal()
        yield made
    finally:
        process.kill()
        process.wait()
        server.shutdown()


def _config(made: Exporter) -> dict[str, Any]:
    envoy = {
        "job_name": "envoy",
        "metrics_path": "/envoy",
        "static_configs": [{"targets": [f"127.0.0.1:{made.port}"], "labels": {"region": REGION}}],
    }
    files = {
        "job_name": "files",
        "file_sd_configs": [{"files": [str(made.folder / "targets.json")], "refresh_interval": "1s"}],
    }
    every = f"{round(INTERVAL * 1000)}ms"
    return {"global": {"scrape_interval": every, "scrape_timeout": every}, "scrape_configs": [envoy, files]}


def _handler(made: Exporter) -> type[BaseHTTPRequestHandler]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = self.path.strip("/")
            made.scraped[page] = made.scraped.get(page, 0) + 1  # first: what is counted shows what was added before
            self.send_response(500 if page in made.broken else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            text = made.text(page).encode()
            made.answered[page] = made.answered.get(page, 0) + 1
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Page
