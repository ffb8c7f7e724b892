"""What a part of the campaign works with and hands back: its figures as lines, and whether they are as they must be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import numpy as np
from campaign.report import Report
from load_truth.server import Asked

SERVER, CLIENT = 0, 1  # cores
TRUTH = {"ttft": 50_000, "jitter": 10_000, "itl": 10_000}  # microseconds


@dataclass(frozen=True)
class Job:
    """What a part may use: a folder of its own, what to run, and what it kept of earlier runs."""

    folder: Path
    rounds: int
    seconds: float
    tools: Sequence[str]
    streams: Sequence[int]
    kept: list[dict[str, Any]]
    keep: Callable[[dict[str, Any]], None]


Part = Callable[[Job], Report]


def whole(log: Iterable[Asked]) -> list[Asked]:
    """The requests that were answered to their end."""
    return [asked for asked in log if asked.end == "whole" and asked.writes]


def written(log: Iterable[Asked], start: float, end: float) -> int:
    """Writes of tokens between two times, s since the epoch: as many as tokens where each has its own."""
    return sum(
        start <= at <= end for asked in log for at in islice(accumulate(asked.writes, initial=asked.arrived), 1, None)
    )


def figures(log: Sequence[Asked]) -> dict[str, float]:
    """TTFT and ITL as the server wrote them down, s."""
    ttft = [asked.writes[0] for asked in log]
    gaps = np.concatenate([asked.gaps for asked in log])
    both = {"ttft": np.asarray(ttft), "itl": gaps}
    return {f"{name}_p{p}": float(np.percentile(values, p)) for name, values in both.items() for p in (50, 99)}


def variation(times: Sequence[float]) -> float:
    """Coefficient of variation of the gaps between times."""
    gaps = np.diff(np.sort(np.asarray(times)))
    return float(gaps.std() / gaps.mean())
