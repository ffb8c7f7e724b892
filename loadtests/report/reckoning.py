"""Book + order -> the report of a load test. Pure: reckons; verdict and steady state are decided elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from loadtests.order import Order
from loadtests.report import interval
from loadtests.report.book import Book, Machine
from loadtests.report.histogram import middle
from loadtests.report.latency import POINTS, Latency, Metrics, describe, rounded
from loadtests.report.load_report import Arm, Arrivals, Client, Cost, FromScheduled, Goodput, LoadReport, Steady, Tokens
from loadtests.report.series import Slot
from loadtests.report.steady import steady
from loadtests.report.verdict import Vitals, judge
from loadtests.wire.outcome import OK

MILLION = 1e6
HOUR = 3600.0


def load_report(order: Order, book: Book, started: str = "") -> LoadReport:
    """The report of what a book counted."""
    elapsed, output = book.elapsed, book.total("tokens")
    return LoadReport(
        service=order.service,
        fleet=order.fleet,
        region=order.region,
        model=order.model,
        url=order.url,
        profile=order.profile.name,
        pattern=order.load.model_dump(mode="json", exclude_none=True, exclude={"name", "description", "traffic"}),
        seed=order.seed,
        started=started,
        elapsed=round(elapsed, 3),
        interrupted=book.interrupted,
        client=client(book),
        arrivals=_arrivals(order, book),
        outcomes=_ordered(book.outcomes()),
        metrics=_metrics(book),
        from_scheduled=FromScheduled(
            ttft=describe(book.latency("ttft_scheduled")), e2e=describe(book.latency("e2e_scheduled"))
        ),
        failures=describe(book.failures()),
        retries=book.total("retries"),
        arms=_arms(book),
        steady=_steady(order, book),
        goodput=_goodput(order, book.series.slots, book.total("good"), book.sent, elapsed),
        tokens=Tokens(
            prompt=book.total("prompt_tokens"),
            output=output,
            output_rate=_per(output, elapsed),
            events=book.total("events"),
        ),
    )


def priced(report: LoadReport, usd_per_hour: float | None) -> LoadReport:
    """The report with what the serving machines cost, where that is known."""
    if usd_per_hour is None:
        return report
    rate, share = report.tokens.output_rate, report.goodput.share or 0.0
    per = usd_per_hour / HOUR * MILLION / rate if rate else None
    cost = Cost(
        usd_per_hour=round(usd_per_hour, 4),
        per_million_tokens=None if per is None else round(per, 4),
        per_million_good_tokens=round(per / share, 4) if per is not None and share else None,
    )
    return report.model_copy(update={"cost": cost})


def client(book: Book) -> Client:
    """The client's own delays and the verdict on them."""
    lag, loop, receive = (describe(values) for values in (book.lag, book.loop, book.receive))
    kernel = _kernel_share(book)
    vitals = _worst(book.machines, kernel=kernel == 1.0)
    verdict, reasons = judge(vitals)
    return Client(
        verdict=verdict,
        reasons=reasons,
        send_lag=lag,
        loop_lag=loop,
        receive_delay=receive,
        cpu=vitals.cpu,
        busy=vitals.busy,
        processes=len(book.clients),
        kernel_times=round(kernel, 4),
        merged=round(vitals.merged, 5),
    )


def _worst(machines: Sequence[Machine], *, kernel: bool) -> Vitals:
    """Of each figure that of the process that did worst: what it sent is in the report like all the rest."""

    def most(name: str) -> float | None:
        return max((value for one in machines if (value := getattr(one, name)) is not None), default=None)

    delays = {name: most(name) for name in ("send_lag", "loop_lag", "receive_delay")}
    return Vitals(
        **delays,
        cpu=most("client_cpu") or 0.0,
        cpu_peak=most("cpu_peak") or 0.0,
        busy=most("busy") or 0.0,
        merged=most("merged") or 0.0,
        kernel=kernel,
    )


def _kernel_share(book: Book) -> float:
    """The share of ok requests whose token times are the kernel's; 1 where there is none to be wrong about."""
    ok = [cell for key, cell in book.cells.items() if key.outcome == OK]
    count = sum(cell.requests for cell in ok)
    return sum(cell.kernel for cell in ok) / count if count else 1.0


def _arrivals(order: Order, book: Book) -> Arrivals:
    mean, done = order.load.mean, book.done
    return Arrivals(
        scheduled=book.scheduled,
        sent=book.sent,
        done=done,
        unfinished=book.sent - done,
        rate_asked=None if mean is None else round(mean, 3),
        rate_sent=_per(book.sent, book.elapsed),
    )


def _metrics(book: Book, arm: str | None = None, release: str | None = None) -> Metrics:
    return Metrics(**{name: describe(book.latency(name, arm, release)) for name in Metrics.model_fields})


def _arms(book: Book) -> tuple[Arm, ...]:
    """Each arm and release that answered, in order of name."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for key, cell in book.cells.items():
        counts.setdefault((key.arm, key.release), Counter())[key.outcome] += cell.requests
    return tuple(
        Arm(
            arm=arm,
            release=release,
            requests=outcomes.total(),
            outcomes=_ordered(outcomes),
            metrics=_metrics(book, arm, release),
        )
        for (arm, release), outcomes in sorted(counts.items())
    )


def _steady(order: Order, book: Book) -> Steady:
    cut = steady(book.series, book.elapsed)
    slots = book.series.slots[cut.first : cut.last]
    metrics = {name: _described([getattr(slot, name) for slot in slots]) for name in Metrics.model_fields}
    sent, good = sum(slot.sent for slot in slots), sum(slot.good for slot in slots)
    return Steady(
        found=cut.found,
        start=cut.start,
        end=round(cut.end, 3),
        why=cut.why,
        requests=sent,
        metrics=Metrics(**metrics),
        goodput=_goodput(order, slots, good, sent, cut.end - cut.start),
    )


def _described(slots: Sequence[Counter[int]]) -> Latency:
    """Count, mean and percentiles of some slots, of which only buckets are kept, with intervals."""
    whole = sum(slots, Counter[int]())
    if not whole:
        return Latency(count=0)
    count = whole.total()
    mean = sum(middle(bucket) * n for bucket, n in whole.items()) / count
    points: dict[str, Any] = {name: rounded(interval.quantile_of(whole, q)) for name, q in POINTS.items()}
    found = {name: interval.quantile(slots, q) for name, q in POINTS.items()}
    ci = {name: (round(one.low, 6), round(one.high, 6)) for name, one in found.items() if one is not None}
    return Latency(count=count, mean=rounded(mean), max=rounded(middle(max(whole))), ci=ci, **points)


def _goodput(order: Order, slots: list[Slot], good: int, sent: int, seconds: float) -> Goodput:
    found = interval.share([(slot.good, slot.sent) for slot in slots])
    return Goodput(
        slo=order.slo.model_dump(exclude_none=True) if order.slo else {},
        good=good,
        share=rounded(good / sent) if sent else None,
        low=rounded(found.low) if found else None,
        high=rounded(found.high) if found else None,
        rate=_per(good, seconds),
    )


def _per(count: float, seconds: float) -> float:
    return round(count / seconds, 3) if seconds > 0 else 0.0


def _ordered(outcomes: Counter[Any]) -> dict[str, int]:
    """ok first, then the most frequent."""
    return dict(sorted(outcomes.items(), key=lambda one: (one[0] != OK, -one[1], one[0])))
