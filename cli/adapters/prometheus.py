"""Prometheus, through prometheus-api-client: raw samples in, looks out. A warning or a stale sample is never silent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.util.retry import Retry

from cli.rollouts import tally
from cli.rollouts.counter import Series, increases, quantile_bound
from cli.rollouts.evidence import ARMS, Count, Look
from cli.rollouts.plan import Metric, Plan, Signal
from cli.rollouts.tally import Grown
from infra.errors import Unavailable

TIMEOUT = 5  # seconds for one query
MEMORY = 3600  # seconds back that a counter without a recent sample is looked for
# The judge counts requests, so "itl" is a request's mean time per output token.
HISTOGRAMS: dict[Metric, str] = {
    "ttft": "vllm:time_to_first_token_seconds",
    "itl": "vllm:request_time_per_output_token_seconds",
    "e2e": "vllm:e2e_request_latency_seconds",
    "queue": "vllm:request_queue_time_seconds",
}


NOT_PROMETHEUS = (ValueError, KeyError, TypeError, AttributeError)  # what an answer of something else comes to


class MetricsError(Unavailable):
    """Prometheus did not answer, or refused a query."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The series of one query and the warnings that Prometheus gave with it."""

    series: tuple[Series, ...]
    warnings: tuple[str, ...]


class Prometheus:
    """One Prometheus server: typed answers, a timeout on every call, warnings kept."""

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        self._url = url
        self._warnings: list[str] = []
        session = requests.Session()
        session.trust_env = False  # a proxy of the environment must not see loopback traffic
        session.hooks["response"].append(self._keep_warnings)
        self._client = PrometheusConnect(url=url, session=session, retry=Retry(0), timeout=timeout)

    def raw(self, selector: str, seconds: float, at: float) -> Answer:
        """The raw samples of `selector` in the `seconds` before `at` (Unix seconds)."""
        return self._ask(f"{selector}[{math.ceil(seconds * 1000)}ms]", at)

    def last(self, selector: str, seconds: float, at: float) -> Answer:
        """The last sample of each series of `selector` in the `seconds` before `at`."""
        return self._ask(f"last_over_time({selector}[{math.ceil(seconds * 1000)}ms])", at)

    def _ask(self, query: str, at: float) -> Answer:
        self._warnings.clear()
        try:
            result = self._client.custom_query(query, params={"time": f"{at:.3f}"})
            return Answer(tuple(_series(one) for one in result), tuple(self._warnings))
        except (requests.RequestException, PrometheusApiClientException, *NOT_PROMETHEUS) as error:
            raise MetricsError(f"Prometheus at {self._url} {_plainly(error)}", next="ops local status") from error

    def _keep_warnings(self, response: requests.Response, *_: Any, **__: Any) -> None:
        try:
            self._warnings += response.json().get("warnings") or []
        except NOT_PROMETHEUS:
            return  # the caller reports what is not JSON


def _plainly(error: Exception) -> str:
    """What went wrong, without the innards of the HTTP library."""
    match error:
        case requests.Timeout():
            return "did not answer in time"
        case requests.ConnectionError() if "timed out" in str(error):  # how the library tells of a read in a session
            return "did not answer in time"
        case requests.ConnectionError():
            return "does not answer"
        case PrometheusApiClientException():
            return f"refused the query: {error}"
        case _:
            return f"gave an answer that is none of Prometheus ({type(error).__name__})"


def _series(raw: dict[str, Any]) -> Series:
    samples = raw["values"] if "values" in raw else [raw["value"]]
    return Series(raw["metric"], tuple(float(t) for t, _ in samples), tuple(float(v) for _, v in samples))


class RegionMetrics:
    """The metrics port of the rollout loop, on the Prometheus of one region.

    `stale` (seconds) is the age above which a sample says nothing: three scrape intervals.
    """

    def __init__(self, prometheus: Prometheus, region: str, stale: float) -> None:
        self._prometheus = prometheus
        self._region = region
        self._stale = stale

    def looks(self, plan: Plan, after: float, until: float, weight: float) -> tuple[Look, ...]:
        """One look per grid time in (after, until]. Raises MetricsError where Prometheus does not answer."""
        steps = round((until - after) / plan.look)
        return _Gathering(self, plan, [after + i * plan.look for i in range(steps + 1)]).looks(weight)

    def thresholds(
        self, service: str, metric: Metric, quantiles: Sequence[float], window: float, at: float
    ) -> list[float]:
        """Bucket bounds at the stable arm's quantiles in the `window` seconds before `at`; fewer without traffic."""
        selector = self.selector(HISTOGRAMS[metric] + "_bucket", service, 'arm="stable"')
        counts: dict[float, float] = {}
        for one in self._prometheus.raw(selector, window, at).series:
            bound = float(one.labels["le"])
            grown = increases(one, [at - window, at], one.values[0] if one.values else None)[0]
            counts[bound] = counts.get(bound, 0.0) + grown
        bounds = [quantile_bound(counts, quantile) for quantile in quantiles]
        return sorted({bound for bound in bounds if bound is not None})

    def selector(self, name: str, service: str, *matchers: str) -> str:
        """A PromQL selector of this region's series for `service`."""
        return f"{{{', '.join((f'__name__={name!r}', f'region={self._region!r}', f'service={service!r}', *matchers))}}}"

    def fetch(
        self, selector: str, grid: Sequence[float]
    ) -> tuple[tuple[Series, ...], tuple[str, ...], dict[Any, float]]:
        """Samples around the grid, warnings, and the values that late series had before it."""
        answer = self._prometheus.raw(selector, grid[-1] - grid[0] + self._stale, grid[-1])
        late = any(one.times and one.times[0] > grid[0] for one in answer.series)
        before = self._prometheus.last(selector, MEMORY, grid[0]).series if late else ()
        return answer.series, answer.warnings, {_key(one): one.values[-1] for one in before}

    def envoy_answers(self, at: float) -> bool:
        """Whether Envoy was scraped shortly before `at`."""
        selector = f'{{__name__="up", region={self._region!r}, job="envoy"}}'
        return any(any(one.values) for one in self._prometheus.raw(selector, self._stale, at).series)

    @property
    def stale(self) -> float:
        """The age in seconds above which a sample says nothing."""
        return self._stale


def _key(series: Series) -> frozenset[tuple[str, str]]:
    return frozenset((k, v) for k, v in series.labels.items() if k != "__name__")


class _Gathering:
    """All queries of one set of looks, so that they share a grid and collect what is wrong in one place."""

    def __init__(self, metrics: RegionMetrics, plan: Plan, grid: list[float]) -> None:
        self._metrics = metrics
        self._plan = plan
        self._grid = grid
        self._warnings: list[str] = []

    def looks(self, weight: float) -> tuple[Look, ...]:
        up, envoy = self._fetch("up", 'arm=~"canary|baseline"'), self._fetch("envoy_ops_requests")
        up = [(tally.answered(one), row) for one, row in up]
        counts = {signal.name: self._counts(signal, envoy) for signal in self._plan.signals}
        return tuple(self._look(index, weight, counts, up, envoy) for index in range(1, len(self._grid)))

    def _look(
        self,
        index: int,
        weight: float,
        counts: dict[str, dict[str, list[Count]]],
        up: list[Grown],
        envoy: list[Grown],
    ) -> Look:
        at = self._grid[index]
        problem = self._problem(at, weight, [series for series, _ in up], [series for series, _ in envoy])
        if problem:
            return Look(at, weight, {}, problem)
        return Look(at, weight, {arm: {name: counts[name][arm][index - 1] for name in counts} for arm in ARMS})

    def _problem(self, at: float, weight: float, up: list[Series], envoy: list[Series]) -> str:
        if self._warnings:
            return f"Prometheus warned: {self._warnings[0]}"
        if not any(one.age(at) <= self._metrics.stale for one in envoy):
            return self._silence(at, envoy)
        wanted = {"canary": self._plan.canary} | ({"baseline": self._plan.stable} if weight < 100 else {})
        return tally.strangers(wanted, up, at, self._metrics.stale)

    def _silence(self, at: float, envoy: list[Series]) -> str:
        """Why Envoy says nothing of the service. It counts from the first request on: before it, there is no series."""
        if not envoy and self._metrics.envoy_answers(at):
            return f"no request for {self._plan.service} has come yet: there is nothing to judge without traffic"
        return f"no fresh sample of Envoy for {self._plan.service}"

    def _counts(self, signal: Signal, envoy: list[Grown]) -> dict[str, list[Count]]:
        length = len(self._grid) - 1
        if signal.threshold is None:
            engine = self._fetch("vllm:request_success_total", 'finished_reason="error"')
            client = self._fetch("ops_load_requests_total", 'outcome="ended_early"')
            return tally.errors(envoy, engine + client, length)
        name = HISTOGRAMS[signal.metric] + "_bucket"
        return tally.exceedances(self._fetch(name, f'le=~"{_le(signal.threshold)}|\\\\+Inf"'), length)

    def _fetch(self, name: str, *matchers: str) -> list[Grown]:
        selector = self._metrics.selector(name, self._plan.service, *matchers)
        series, warnings, before = self._metrics.fetch(selector, self._grid)
        self._warnings += warnings
        if any(math.isnan(value) for one in series for value in one.values):
            self._warnings.append(f"{name} has NaN samples")
        return [(one, increases(one, self._grid, before.get(_key(one)))) for one in series]


def _le(threshold: float) -> str:
    return repr(float(threshold)).replace(".", "\\\\.")
