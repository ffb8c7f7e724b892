"""ServeGen's rates: a CSV with the rate and the variation of gaps in each window of a day. Pure: parses lines."""

from __future__ import annotations

import re

from infra.rate_curve import MOST_VARIATION
from loadtests.arrivals.curve import Stretch
from loadtests.arrivals.row import Problem, refuse

HEADER = "t_s,total_rate_rps,rate_weighted_client_cv,active_clients"
NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
ROW = re.compile(rf"({NUMBER}),({NUMBER}),({NUMBER}),[0-9]{{1,9}}")


def parse(lines: list[str], source: str) -> tuple[Stretch, ...]:
    """The windows, each as long as the first. Raises TraceError with every problem.

    A window's CV is that of single clients, weighted by their rates; all clients together are calmer. It goes up to 86,
    where nearly all gaps would be 0, so what is above 20 is read as 20.
    """
    numbers: list[tuple[float, float, float]] = []
    problems: list[Problem] = []
    for line, text in enumerate(lines[1:], start=2):
        if found := ROW.fullmatch(text):
            numbers.append((float(found[1]), float(found[2]), float(found[3])))
        else:
            problems.append(Problem(line, f"{text[:60]!r} is not `{HEADER}`"))
    problems = problems or list(_uneven(numbers)) or list(_still(numbers))
    if problems:
        raise refuse(source, problems)
    width = numbers[1][0] - numbers[0][0]
    return tuple(Stretch(width, rate, min(cv, MOST_VARIATION)) for _, rate, cv in numbers)


def _uneven(numbers: list[tuple[float, float, float]]) -> list[Problem]:
    """Windows that are not as long as the first."""
    if len(numbers) < 2:
        return [Problem(len(numbers) + 1, "rates need at least two rows: the second says how long the first lasts")]
    starts = [at for at, _, _ in numbers]
    width = starts[1] - starts[0]
    return [
        Problem(line, f"{starts[line - 2]:g} s is not {width:g} s after the row above; windows are of one length")
        for line in range(3, len(starts) + 2)
        if width <= 0 or abs(starts[line - 2] - starts[line - 3] - width) > 1e-6
    ]


def _still(numbers: list[tuple[float, float, float]]) -> list[Problem]:
    sent = any(rate for _, rate, _ in numbers)
    return [] if sent else [Problem(2, "no row has a rate above 0, so nothing would ever be sent")]
