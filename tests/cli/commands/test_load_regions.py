"""`ops load regions` from the outside: who is sent what before and after a loss, what it says, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import run
from tests.cli.commands.made_region import bring_up
from tests.cli.commands.test_load_search import EXITS
from tests.conftest import Ops
from tests.loadtests.truth import Truth, serving

EAST, SOUTH = "eastus2", "southcentralus"  # of atlas: each takes over for the other
SEND = ("load", "regions", "--service", "chat", "--fleet", "atlas", "--rate", "60/s", "--slo", "goodput >= 50%")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Truth]]:
    """Two regions of atlas, as their files say, each with a server of known truth as its `chat`."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    with serving(Truth()) as east, serving(Truth()) as south:
        bring_up("atlas", EAST, east.url)
        bring_up("atlas", SOUTH, south.url)
        yield {EAST: east, SOUTH: south}


def test_the_users_of_a_lost_region_go_to_its_heir(world: dict[str, Truth], ops: Ops) -> None:
    """All that is due is sent once, in both regions together; from the loss on by the heir alone; counted exactly."""
    done = ops(*SEND, "--lose", EAST, "--at", "1s", "--duration", "3s", "--weight", f"{EAST}=3", "-o", "json")
    found = json.loads(done.stdout)
    assert (found["kind"], done.returncode) == ("LoadRegions", EXITS[found["verdict"]]), done.stderr
    numbers = sorted(asked.number for truth in world.values() for asked in truth.asked)
    assert numbers == list(range(len(numbers))) and len(numbers) > 100
    report, parts = found["report"], {(one["phase"], one["region"]): one for one in found["parts"]}
    assert report["arrivals"]["scheduled"] == report["outcomes"]["ok"] == len(numbers)
    assert (report["region"], report["client"]["processes"]) == (f"{EAST}, {SOUTH}", 2)
    assert parts["lost", EAST]["sent"] == 0 and parts["before", EAST]["sent"] == len(world[EAST].asked)
    assert parts["before", EAST]["sent"] > parts["before", SOUTH]["sent"] > 0
    homes = [{asked.headers["x-user-id"] for asked in world[name].asked} for name in (EAST, SOUTH)]
    assert homes[0] & homes[1]  # users of the lost region, in both
    assert found["outage"] == {"region": EAST, "at": 1.0, "back": None, "heirs": [SOUTH]}
    assert found["verdict"] in ("pass", "cannot tell") and found["reasons"]
    assert f"{EAST} is lost at 1 s; its users go to {SOUTH}" in done.stderr


def test_a_region_that_breaks_the_slo_is_told_to_a_person(world: dict[str, Truth], ops: Ops) -> None:
    """Without a loss it is the question whether all regions hold. Exit 3, or 5 where the client was INVALID."""
    world[SOUTH].behaviours = ("503",)
    done = ops(*SEND, "--duration", "2s")
    assert (done.returncode, "the capacity does not hold" in done.stdout) in ((3, True), (5, False)), done.stderr
    assert all(word in done.stdout for word in ("WHEN", "whole", "all", EAST, SOUTH))
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--lose", EAST], "--lose NAME needs --at TIME"),
        (["--back", "1s"], "--lose NAME needs --at TIME"),
        (["--lose", EAST, "--at", "2s", "--back", "1s"], "cannot be back at 1 s"),
        (["--lose", EAST, "--at", "2m"], "lie within the load"),
        (["--lose", "westeurope", "--at", "2s"], "westeurope is not up here"),
        (["--lose", EAST, "--at", "2s", "--weight", f"{EAST}=0"], "has no users to lose"),
        (["--weight", EAST], "write one such as eastus2=3"),
        (["--weight", f"{EAST}=-1"], "write one such as eastus2=3"),
        (["--weight", f"{EAST}=0", "--weight", f"{SOUTH}=0"], "nobody belongs anywhere"),
        (["--weight", "nowhere=1"], "nowhere"),
        (["--duration", "forever"], "needs an end"),
    ],
    ids=str,
)
def test_wrong_input_says_what_would_be_right(
    world: dict[str, Truth], capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """Exit 2, before anything is sent."""
    assert run([*SEND, *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == "" and said in " ".join(told.err.split())
    assert not [truth for truth in world.values() if truth.asked]


def test_a_region_that_nobody_takes_over_from_cannot_be_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ops: Ops
) -> None:
    """Its users would have nowhere to go: it says what the fleet file has and what is up."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    with serving(Truth()) as truth:
        bring_up("demo", EAST, truth.url)
        done = ops("load", "regions", "--service", "chat", "--lose", EAST, "--at", "1s")
    assert (done.returncode, truth.asked) == (2, [])
    assert f"nobody takes over from {EAST}: its failover is nothing" in " ".join(done.stderr.split())
