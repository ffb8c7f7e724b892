"""The client's counters for Prometheus: the adapter to prometheus_client, and the file that tells Prometheus of it."""

from __future__ import annotations

import os
from pathlib import Path

from gevent.pywsgi import WSGIServer
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, make_wsgi_app

from infra.store import write_json
from loadtests.wire.outcome import ALWAYS, OK, Outcome
from loadtests.wire.sample import Sample

# The bounds of vllm:time_to_first_token_seconds and vllm:e2e_request_latency_seconds (vLLM 0.33,
# v1/metrics/loggers.py), so that what clients saw and what engines say can be laid over each other.
TTFT_BOUNDS = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
)
E2E_BOUNDS = (
    *(0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0),
    *(30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0),
)


class Exporter:
    """Counts ended requests and serves them on a loopback port while it is open."""

    def __init__(self, service: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = CollectorRegistry()
        self._service = service
        self._requests = Counter(
            "ops_load_requests",
            "Requests that ended, as the client saw it.",
            ["service", "arm", "release", "outcome"],
            registry=registry,
        )
        self._good = Counter(
            "ops_load_good_requests",
            "Requests that were ok and kept every threshold of the SLO.",
            ["service", "arm", "release"],
            registry=registry,
        )
        self._ttft = _histogram(
            registry, "ops_load_ttft_seconds", "From sent to first text, of ok requests.", TTFT_BOUNDS
        )
        self._e2e = _histogram(registry, "ops_load_e2e_seconds", "From sent to last text, of ok requests.", E2E_BOUNDS)
        self._counters: dict[tuple[str, str], dict[Outcome, Counter]] = {}
        self._goods: dict[tuple[str, str], Counter] = {}
        self._histograms: dict[str, tuple[Histogram, Histogram]] = {}
        self._server = WSGIServer(("127.0.0.1", 0), make_wsgi_app(registry), log=None, error_log=None)
        self._file: Path | None = None

    def open(self, targets: str | None, labels: dict[str, str]) -> int:
        """Serve; tell Prometheus by a file in `targets` if given. Returns the port."""
        self._server.start()
        port = int(self._server.server_port)
        if targets is not None:
            self._file = Path(targets) / f"load-{os.getpid()}.json"
            write_json(self._file, [{"targets": [f"127.0.0.1:{port}"], "labels": {**labels, "job": "load"}}])
        return port

    def count(self, sample: Sample, good: bool) -> None:
        """Count one request, and whether it is goodput.

        The first of an arm creates the outcomes that are looked at for an increase at 0; others appear as they come.
        """
        key = sample.arm, sample.release
        if key not in self._counters:
            self._counters[key] = {outcome: self._requests.labels(self._service, *key, outcome) for outcome in ALWAYS}
            self._goods[key] = self._good.labels(self._service, *key)
        counters = self._counters[key]
        if sample.outcome not in counters:
            counters[sample.outcome] = self._requests.labels(self._service, *key, sample.outcome)
        counters[sample.outcome].inc()
        self._goods[key].inc(good)
        if sample.outcome == OK:
            self._observe(sample)

    def _observe(self, sample: Sample) -> None:
        arm = sample.arm
        if arm not in self._histograms:
            self._histograms[arm] = self._ttft.labels(self._service, arm), self._e2e.labels(self._service, arm)
        ttft, e2e = self._histograms[arm]
        if sample.ttft is not None:
            ttft.observe(sample.ttft)
        if sample.e2e is not None:
            e2e.observe(sample.e2e)

    def close(self) -> None:
        """Tell Prometheus that this target is gone, then stop serving."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)
        self._server.stop()


def _histogram(registry: CollectorRegistry, name: str, help: str, bounds: tuple[float, ...]) -> Histogram:
    return Histogram(name, help, ["service", "arm"], buckets=bounds, registry=registry)
