"""An order that leaves this machine takes its files with it."""

from __future__ import annotations

from pathlib import Path

from loadtests.package.carried import carried, keys
from tests.loadtests.report.made import order

OWN = {"name": "own", "trace": "/data/my.csv", "rate": "5/s"}


def test_a_trace_of_ones_own_is_found_where_it_is_brought() -> None:
    there, file = carried(order(profile=OWN), "/etc/load")
    assert (there.profile.trace, file) == ("/etc/load/my.csv", Path("/data/my.csv"))


def test_a_trace_of_ours_is_there_already() -> None:
    given = order(profile={**OWN, "trace": "conv"})
    assert carried(given, "/etc/load") == (given, None)


def test_nothing_of_this_machine_stays_in_it() -> None:
    there, _ = carried(order(attached=True, targets="/here"), ".")
    assert (there.attached, there.targets) == (False, None)


def test_keys_are_named_by_their_variables() -> None:
    assert keys(order(credentials=["env:A", "env:B"])) == ("A", "B")
