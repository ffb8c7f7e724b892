"""A service of known capacity, in virtual time: c servers, answers of random length, and one queue (M/M/c)."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np

from infra.load_profile import LoadProfile
from loadtests.order import Order, Slo
from loadtests.report.run_file import Run
from loadtests.wire.outcome import OK, Outcome, http
from loadtests.wire.sample import Sample
from tests.loadtests.search.seen import seen

SHED = http(429)
PROFILE = LoadProfile.model_validate({"name": "poisson", "rate": "1/s", "tokens": {"prompt": 10, "output": 10}})


@dataclass(frozen=True, slots=True)
class Service:
    """`servers` of `pace` requests a second each; above `limit` open requests it answers 429, or what `refusal` says.

    The client's own share of one core is `cpu`.
    """

    servers: int = 8
    pace: float = 10.0
    limit: int = 10**9
    refusal: Outcome = SHED
    cpu: float = 0.1

    def capacity(self, wait: float, share: float) -> float:
        """The rate up to which a `share` waits for at most `wait` seconds: Erlang's C, and the tail of the wait."""
        low, high = 0.0, self.servers * self.pace
        for _ in range(60):
            rate = (low + high) / 2
            late = self._erlang_c(rate / self.pace) * math.exp(-(self.servers * self.pace - rate) * wait)
            low, high = (low, rate) if late > 1 - share else (rate, high)
        return low

    def run(self, rate: float, seconds: float, seed: int, slo: Slo | None = None) -> Run:
        """What a client would have seen."""
        order = Order(
            service="s",
            model="m",
            url="http://nowhere",
            profile=PROFILE,
            rate=rate,
            duration=seconds,
            seed=seed,
            slo=slo,
        )
        return seen(order, self._samples(rate, seconds, np.random.Generator(np.random.PCG64(seed))), self.cpu)

    def _samples(self, rate: float, seconds: float, draw: np.random.Generator) -> list[Sample]:
        free, ends, samples = [0.0] * self.servers, list[float](), list[Sample]()
        heapq.heapify(free)
        now = draw.exponential(1 / rate)
        while now < seconds:
            while ends and ends[0] <= now:
                heapq.heappop(ends)
            if len(ends) >= self.limit:
                samples.append(Sample(self.refusal, "stable", "v1", now, now, 0.001))
            else:
                start = max(now, heapq.heappop(free))
                end = start + draw.exponential(1 / self.pace)
                heapq.heappush(free, end)
                heapq.heappush(ends, end)
                ttft, total = start - now + 1e-4, end - now + 1e-4
                samples.append(Sample(OK, "stable", "v1", now, now, total, ttft=ttft, e2e=total, kernel=True))
            now += draw.exponential(1 / rate)
        return samples

    def _erlang_c(self, load: float) -> float:
        """The share that must wait at all (Erlang 1917)."""
        if load >= self.servers:
            return 1.0
        blocked = 1.0
        for number in range(1, self.servers + 1):
            blocked = load * blocked / (number + load * blocked)
        return blocked / (1 - load / self.servers * (1 - blocked))
