"""The simulated servers of the local region as a service of known capacity: their own engines, in virtual time."""

from __future__ import annotations

from collections.abc import Iterator

from infra.load_profile import LoadProfile
from infra.local.generation import Request
from infra.local.rehearsal import Answered, Asked, Servers, rehearse
from infra.simulate import Simulate
from loadtests.arrivals.schedule import schedule
from loadtests.order import Order
from loadtests.report.run_file import Run
from loadtests.wire.outcome import OK
from loadtests.wire.sample import Sample
from tests.loadtests.search.seen import seen

SPEED = {"prefill_base": "20ms", "decode": "12ms", "max_num_seqs": 4, "stream_interval": 80, "jitter": 0.05}
LENGTHS = {"prompt": 256, "output": {"median": 16, "p95": 40, "max": 80}}
PROFILE = LoadProfile.model_validate({"name": "short-answers", "rate": "1/s", "tokens": LENGTHS})


WITHIN, SHARE = 0.25, 0.95  # ttft p95 < 250ms
CAPACITY = 25.4  # requests a second up to which two replicas keep it: benchmarks/load_campaign/capacity.py, 16 x 300 s


def run(rate: float, seconds: float, seed: int) -> Run:
    """What a client would have seen."""
    asked = order(rate, seconds, seed)
    return seen(asked, map(_sample, answers(asked)))


def late(rate: float, seconds: float, seed: int = 0) -> float:
    """The share of requests whose first token takes longer than it should."""
    found = answers(order(rate, seconds, seed))
    return sum(one.times[0] > WITHIN for one in found) / len(found)


def order(rate: float, seconds: float, seed: int) -> Order:
    """An order of requests by chance."""
    profile = {"profile": PROFILE, "rate": rate, "duration": seconds, "seed": seed}
    return Order.model_validate({"service": "s", "model": "m", "url": "http://nowhere", **profile})


def answers(asked: Order) -> list[Answered]:
    """All answers of two replicas, four sequences each: they queue from about 20 requests a second on."""
    return rehearse(Servers(Simulate.model_validate({"performance": SPEED}), replicas=2), _requests(asked))


def _requests(order: Order) -> Iterator[Asked]:
    for one in schedule(order):
        yield Asked(one.due, Request(one.request, one.prompt_tokens, one.output_tokens, ignore_eos=True))


def _sample(one: Answered) -> Sample:
    due, last = one.asked.due, one.times[-1]
    return Sample(OK, "stable", "v1", due, due, last, ttft=one.times[0], e2e=last, kernel=True)
