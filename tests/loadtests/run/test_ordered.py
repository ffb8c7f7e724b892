"""The order of a client: JSON or a file, and the part that is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.order import Share
from loadtests.run.ordered import OrderError, fingerprint, read_order, read_share
from tests.loadtests.report.made import order

TEXT = order().model_dump_json()
PRINT = fingerprint(order().profile)


@pytest.mark.parametrize("prefix", ["@", ""])
def test_an_order_is_json_or_a_file(prefix: str, tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_text(TEXT)
    assert read_order(f"{prefix}{file}") == read_order(TEXT) == order()


def test_a_share_of_ones_own_replaces_that_of_the_order(tmp_path: Path) -> None:
    file = tmp_path / "shares.csv"
    file.write_text(f"1,3,{PRINT}\n")
    assert read_order(TEXT, str(file)).share == Share(index=1, of=3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no order was given"),
        ("", "no order was given"),
        ("@no-such-file.json", r"no-such-file\.json cannot be read: No such file"),
        ("{", "is not valid: Invalid JSON"),
        ('{"service": "chat"}', "is not valid: model: Field required"),
    ],
)
def test_what_is_no_order_is_told(text: str | None, said: str) -> None:
    with pytest.raises(OrderError, match=said) as caught:
        read_order(text)
    assert caught.value.not_done == "nothing was sent"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has 0 rows"),
        (f"0,2,{PRINT}\n1,2,{PRINT}\n", "has 2 rows"),
        (f"2,2,{PRINT}", "is no share"),
        ("0,2", "is no share"),
        ("a,b,c", "is no share"),
    ],
)
def test_a_client_that_would_send_anothers_share_sends_nothing(text: str, said: str) -> None:
    """A file that was not split has a row for each: all engines would send the first one's."""
    with pytest.raises(OrderError, match=said):
        read_share(text, "shares.csv", order().profile)


def test_a_client_whose_trace_was_cut_sends_nothing(tmp_path: Path) -> None:
    """It would send other requests than the order says."""
    trace = tmp_path / "own.csv"
    profile = order(profile={"name": "own", "trace": str(trace), "rate": "5/s"}).profile
    with pytest.raises(OrderError, match=r"own\.csv cannot be read"):
        fingerprint(profile)
    trace.write_text("whole\n")
    row = f"0,1,{fingerprint(profile)}"
    assert read_share(row, "shares.csv", profile) == Share()
    trace.write_text("who\n")
    with pytest.raises(OrderError, match="changed or split"):
        read_share(row, "shares.csv", profile)
