"""A run that was kept is the run that it was, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loadtests.report.run_file import RunFileError, read_run
from tests.loadtests.report.made import run

KEPT = run(seconds=12, rate=5.0)


def test_a_run_survives_its_file() -> None:
    """Report and book, and so plots and comparisons."""
    data = json.loads(json.dumps(KEPT.to_json()))
    again = read_run(data, "run.json")
    assert again.report == KEPT.report
    assert again.to_json() == data
    assert len(again.slots) == len(KEPT.slots) == 12


@pytest.mark.parametrize("data", [None, [], "x", {}, {"kind": "LoadReport"}])
def test_another_document_is_no_run(data: Any) -> None:
    """And the error says what writes one."""
    with pytest.raises(RunFileError, match=r"run\.json is no run; `ops load run --save FILE` writes one"):
        read_run(data, "run.json")


@pytest.mark.parametrize("lost", ["report", "book"])
@pytest.mark.parametrize("by", [None, 3, {}, {"service": "chat"}])
def test_a_damaged_file_is_told_in_one_line(lost: str, by: Any) -> None:
    """Whatever is damaged in it."""
    data = {**KEPT.to_json(), lost: by}
    with pytest.raises(RunFileError, match=r"run\.json is damaged: ") as caught:
        read_run(data, "run.json")
    assert "\n" not in str(caught.value)


def test_a_run_of_before_merged_tokens_were_counted_is_read() -> None:
    """None of them is known."""
    data = json.loads(json.dumps(KEPT.to_json()))
    del data["report"]["client"]["merged"]
    for *_, cell in data["book"]["cells"]:
        del cell["merged"]
    again = read_run(data, "run.json")
    assert (again.report.client.merged, again.book.total("merged")) == (0.0, 0)
