"""The page is one file that any browser can read: whole, with every figure, fetching nothing."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from loadtests.report.book import Book, Machine
from loadtests.report.page import page
from loadtests.report.picture import duration
from loadtests.report.plot import HEIGHT, LETTER, LEVELS, WIDTH, Axis
from loadtests.report.reckoning import load_report
from loadtests.report.run_file import Run
from loadtests.wire.outcome import http
from tests.loadtests.report.made import book, order, run, sample

SVG = "{http://www.w3.org/2000/svg}"
RUN = run(seconds=30, rate=20.0, failing=0.02)
TEXT = page(RUN)


def document(text: str) -> ElementTree.Element:
    """The page, which is well-formed XML too."""
    return ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>\n"))


def test_it_is_whole_and_fetches_nothing() -> None:
    """One file: no script, no style sheet, no image, no font, no address that it would ask."""
    names = {element.tag for element in document(TEXT).iter()}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "image", "use"})
    assert not re.search(r"url\(|@import|src=|href=", TEXT)


def test_it_can_be_read_on_a_phone() -> None:
    """As wide as the screen; plots scale, wide tables scroll by themselves."""
    found = document(TEXT)
    assert any(meta.get("content", "").startswith("width=device-width") for meta in found.iter("meta"))
    assert all(svg.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}" and svg.get("width") is None for svg in found.iter("svg"))
    wide = {table for box in found.iter("div") if box.get("class") == "wide" for table in box.iter("table")}
    assert wide == set(found.iter("table"))


def test_it_has_the_four_plots() -> None:
    """Each with a name for those who cannot see it, and something in it."""
    plots = {svg.get("aria-label"): svg for svg in document(TEXT).iter("svg")}
    names = ["Latency over time", "Share of values up to a time", "Gaps between tokens over time", "Requests a second"]
    assert list(plots) == names
    assert [len(list(plots[name].iter("polyline"))) for name in names] == [4, 3, 0, 3]
    assert len([path for path in plots[names[2]].iter("path") if path.get("class") == "heat"]) > 2


def test_what_was_answered_with_429_is_a_curve_of_its_own() -> None:
    """Only where there is something of it to see."""
    refused = [sample(http(429), due=n / 9, sent=n / 9, ttft=None, e2e=None, tpot=None, gaps=()) for n in range(20)]
    made = book(sample(), *refused)
    plots = {svg.get("aria-label"): svg for svg in document(page(Run(load_report(order(), made), made))).iter("svg")}
    (arrivals,) = (plot for name, plot in plots.items() if name == "Requests a second")
    assert len(list(arrivals.iter("polyline"))) == 4
    assert [text.text for text in arrivals.iter("text")][-4:] == ["scheduled", "sent", "done", "limited"]


def test_everything_is_drawn_inside_the_sheet() -> None:
    """No point beyond its edges."""
    for line in document(TEXT).iter("polyline"):
        for pair in line.get("points", "").split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= WIDTH and 0 <= y <= HEIGHT


def test_no_word_is_cut_off() -> None:
    """Ticks at the ends of an axis, and a legend of four names."""
    last = book(sample(due=59.0, sent=59.0), elapsed=60.0)  # whose axis ends at a tick
    text = page(Run(load_report(order(), last), last))
    parts = {"start": (0.0, 1.0), None: (0.0, 1.0), "middle": (0.5, 0.5), "end": (1.0, 0.0)}
    for word in [word for one in (TEXT, text) for word in document(one).iter("text")]:
        before, after = parts[word.get("text-anchor")]
        at, width = float(word.get("x", "")), LETTER * len(word.text or "")
        assert at - before * width >= 0 and at + after * width <= WIDTH, word.text


def test_a_heat_map_says_what_its_shades_mean() -> None:
    """From the rarest to all, each shade once."""
    (plot,) = [svg for svg in document(TEXT).iter("svg") if "Gaps" in svg.get("aria-label", "")]
    words = [word.text for word in plot.iter("text")]
    assert {"0.2%", "all gaps of that time"} <= set(words)
    shades = [path.get("fill-opacity") for path in plot.iter("path") if (path.get("d") or "").count("M") == 1]
    assert shades[-LEVELS:] == [f"{shade / LEVELS:.3g}" for shade in range(1, LEVELS + 1)]


def test_it_says_what_the_report_says() -> None:
    """Verdict, counts and percentiles."""
    assert (
        '<span class="VALID">VALID</span>' in TEXT
        and f"{RUN.report.arrivals.sent:,} of {RUN.report.arrivals.scheduled:,}" in TEXT
    )
    p99 = RUN.report.steady.metrics.ttft.p99
    assert p99 is not None and f"<td>{duration(p99)}</td>" in TEXT
    assert "http_503" in TEXT and "goodput" in TEXT.lower()


def test_reasons_and_prices_are_told() -> None:
    """Where there are any."""
    made = run(seconds=12, rate=5.0, machine=Machine(0.99, 0.9))
    assert "one core was 99% busy" in page(made)


def test_names_cannot_break_out() -> None:
    """What a fleet file says is text here."""
    made = book(sample(arm="<b>&"))
    text = page(Run(load_report(order(service="<script>alert(1)</script>"), made), made))
    assert "<script>" not in text and "&lt;b&gt;&amp;" in text
    document(text)


@pytest.mark.parametrize(
    "made", [Book(), book(sample(gaps=(), ttft=None, e2e=None, tpot=None)), book(sample(gaps=(0.0,)))]
)
def test_a_run_of_nothing_is_a_page_too(made: Book) -> None:
    """No latency, no gap, no slot."""
    document(page(Run(load_report(order(), made), made)))


def test_a_day_is_not_larger_than_an_hour() -> None:
    """Slots are merged, and a heat map has so many columns and no more."""
    many = [sample(due=n, sent=n, gaps=(0.01 + n % 50 / 1000,) * 3) for n in range(0, 40_000, 10)]
    made = book(*many, elapsed=40_000.0)
    assert len(page(Run(load_report(order(), made), made))) < 400_000


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        (Axis(0.0, 60.0, str), [0, 20, 40, 60]),
        (Axis(0.0, 1.0, str), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (Axis(0.03, 0.7, str, log=True), [0.05, 0.1, 0.2, 0.5]),
        (Axis(0.0001, 90.0, str, log=True), [0.0001, 0.001, 0.01, 0.1, 1.0, 10.0]),
    ],
)
def test_ticks_are_round(axis: Axis, ticks: list[float]) -> None:
    """And few."""
    assert axis.ticks() == pytest.approx(ticks)


@pytest.mark.parametrize(("seconds", "text"), [(0.00005, "50 us"), (0.02, "20 ms"), (0.999, "999 ms"), (1.5, "1.5 s")])
def test_a_time_has_its_unit(seconds: float, text: str) -> None:
    """The largest that leaves a digit before the point."""
    assert duration(seconds) == text
