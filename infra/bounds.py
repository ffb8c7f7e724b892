"""Bucket bounds of the histograms that objectives are measured on. Data with its sources; computes nothing.

A share of requests below a threshold can only be counted where the threshold is a bound of the histogram: between two
bounds Prometheus interpolates, which is a guess that no promise should rest on.
"""

from __future__ import annotations

from dataclasses import dataclass

# Source: vllm-project/vllm, vllm/v1/metrics/loggers.py, release 0.33.0; seconds.
_FIRST_TOKEN = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
    160.0, 640.0, 2560.0,
)  # fmt: skip
_INTER_TOKEN = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
_REQUEST = (
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0,
    1920.0, 7680.0,
)  # fmt: skip
# Source: prometheus_fastapi_instrumentator/metrics.py, as vLLM's HTTP server uses it; seconds.
_HTTP = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 7.5, 10.0, 30.0,
    60.0,
)  # fmt: skip
# Source: envoyproxy/envoy, HistogramSettingsImpl::defaultBuckets (milliseconds there); seconds.
_ENVOY = (
    0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0,
    1800.0, 3600.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram by name, and its bounds in seconds, ascending."""

    name: str
    bounds: tuple[float, ...]

    def nearest(self, threshold: float) -> tuple[float, ...]:
        """The bounds next to a threshold that is none: one below and one above, where there are such."""
        below = [bound for bound in self.bounds if bound < threshold][-1:]
        above = [bound for bound in self.bounds if bound > threshold][:1]
        return (*below, *above)


HISTOGRAMS = {
    "ttft": Histogram("vllm:time_to_first_token_seconds", _FIRST_TOKEN),
    "itl": Histogram("vllm:inter_token_latency_seconds", _INTER_TOKEN),
    "e2e": Histogram("vllm:e2e_request_latency_seconds", _REQUEST),
    "queue": Histogram("vllm:request_queue_time_seconds", _REQUEST),
    "api_latency": Histogram("http_request_duration_highr_seconds", _HTTP),
    "edge_ttfb": Histogram("the edge proxies' time to first byte (Envoy's default buckets)", _ENVOY),
}
"""SLI -> the histogram it is counted on. The other SLIs have no threshold."""
