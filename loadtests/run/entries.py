"""What Locust's own statistics show of a load: the adapter to them, for its UI, its files and Azure's dashboards.

Each request is one entry of the service, with its whole time. Beside it, under names of their own and in no total:
`ttft`, `itl` (the mean of the request) and `goodput`, whose failures are the requests that broke the SLO.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from time import time
from typing import Any

from locust import stats as locust_stats
from locust.env import Environment
from locust.stats import RequestStats

from loadtests.order import Order
from loadtests.report.goodput import mean_itl
from loadtests.wire.outcome import OK, Outcome
from loadtests.wire.sample import Sample

METRIC = "LLM"  # the type of the entries that are no requests
DIGITS = 3  # significant ones of a time that Locust keeps; its own two make 1 s of 1,049 ms


class RequestFailed(Exception):
    """A request that was not ok, for Locust's statistics; the text is its outcome."""


class SloBroken(Exception):
    """A request that is no goodput."""


class Entries:
    """Tells the environment of every request that has ended."""

    def __init__(self, environment: Environment, order: Order) -> None:
        self._fire: Callable[..., None] = environment.events.request.fire
        self._name, self._url = order.service, order.url
        self._failed: dict[Outcome, RequestFailed] = {}
        self._broken = SloBroken("not ok, or slower than the SLO")
        keep_apart(environment.stats)
        vars(locust_stats).update(bucket_response_time=rounded)  # made to be replaced, says its docstring

    def tell(self, sample: Sample, good: bool) -> None:
        """One request that has ended, and what is known of it."""
        failed = None if sample.outcome == OK else self._failure(sample.outcome)
        self._one("SSE", self._name, sample, sample.total, failed)
        self._one(METRIC, "goodput", sample, sample.total, None if good else self._broken)
        if sample.outcome == OK:
            for name, seconds in (("ttft", sample.ttft), ("itl", mean_itl(sample))):
                if seconds is not None:
                    self._one(METRIC, name, sample, seconds, None)

    def _one(self, kind: str, name: str, sample: Sample, seconds: float, failed: Exception | None) -> None:
        self._fire(
            request_type=kind,
            name=name,
            response_time=1000 * seconds,
            response_length=sample.received if kind != METRIC else 0,
            exception=failed,
            context={"arm": sample.arm, "release": sample.release},
            start_time=time() - sample.total,
            url=self._url,
        )

    def _failure(self, outcome: Outcome) -> RequestFailed:
        if outcome not in self._failed:
            self._failed[outcome] = RequestFailed(outcome)
        return self._failed[outcome]


def keep_apart(stats: RequestStats) -> None:
    """Count entries of the type `METRIC` under their names only: a total of requests and their parts means nothing."""
    log_request, log_error = stats.log_request, stats.log_error

    def request(method: str, name: str, response_time: Any, content_length: int) -> None:
        if method == METRIC:
            stats.entries[(name, method)].log(response_time, content_length)
        else:
            log_request(method, name, response_time, content_length)

    def error(method: str, name: str, failure: Any) -> None:
        if method == METRIC:
            stats.entries[(name, method)].log_error(failure)
        else:
            log_error(method, name, failure)

    vars(stats).update(log_request=request, log_error=error)


def rounded(milliseconds: float) -> float:
    """A time as Locust keeps it, to `DIGITS` significant digits and a microsecond."""
    if milliseconds < 0.001:
        return 0.0
    return round(milliseconds, min(3, DIGITS - 1 - math.floor(math.log10(milliseconds))))
