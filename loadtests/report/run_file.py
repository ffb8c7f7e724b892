"""A run that is kept: its report and all that it was reckoned from, as one JSON document. Pure: opens no file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.errors import InvalidInput
from loadtests.report.book import Book
from loadtests.report.load_report import LoadReport
from loadtests.report.series import Slot

KIND = "LoadRun"


class RunFileError(InvalidInput):
    """A file that holds no run."""


@dataclass(frozen=True, slots=True)
class Run:
    """A report, and the book it was made of: plots, merging and comparisons need more than the report says."""

    report: LoadReport
    book: Book

    @property
    def slots(self) -> list[Slot]:
        """Those of the steady part."""
        steady, width = self.report.steady, self.book.series.width
        return self.book.series.slots[round(steady.start / width) : max(1, round(steady.end / width))]

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {"kind": KIND, "report": self.report.model_dump(mode="json"), "book": self.book.to_json()}


def read_run(data: Any, file: str) -> Run:
    """What `to_json` gave. Raises RunFileError for anything else."""
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise RunFileError(f"{file} is no run; `ops load run --save FILE` writes one")
    try:
        return Run(LoadReport.model_validate(data["report"]), Book.from_json(data["book"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunFileError(f"{file} is damaged: {type(error).__name__}: {error}".splitlines()[0]) from error
