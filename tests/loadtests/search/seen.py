"""What a client that is never late sees of a service: samples in, the run out."""

from __future__ import annotations

from collections.abc import Iterable

from loadtests.order import Order
from loadtests.report.book import Book, Machine
from loadtests.report.reckoning import load_report
from loadtests.report.run_file import Run
from loadtests.wire.sample import Sample


def seen(order: Order, samples: Iterable[Sample], cpu: float = 0.1) -> Run:
    """The run of an order whose requests came to this; what ends after its grace is unfinished."""
    assert order.duration is not None
    book = Book("here", order.service, "nowhere", order.slo)
    for sample in samples:
        book.schedule(sample.due)
        book.send(sample.sent)
        if sample.at < order.duration + order.grace:
            book.add(sample)
    book.second(cpu)
    book.close(order.duration, Machine(cpu, cpu))
    return Run(load_report(order, book), book)
