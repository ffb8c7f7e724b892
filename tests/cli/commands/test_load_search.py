"""`ops load search` and `ops load gate` from the outside: what they send, what they say, and how they end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from cli.commands.load.search_page import page
from loadtests.search.answer import answer
from loadtests.search.decision import Rule, Stop
from tests.cli.commands.made_region import bring_up
from tests.conftest import Ops
from tests.loadtests.search.test_crossing import seen
from tests.loadtests.truth import Truth, serving

EXITS = {"pass": 0, "fail": 3, "cannot tell": 5}
REGIONS = {"demo": ["eastus2"], "atlas": ["eastus2", "southcentralus"]}


@pytest.fixture
def truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Truth]:
    """The server of known truth, in the region of the demo fleet and in two of atlas."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    with serving(Truth()) as server:
        for fleet, regions in REGIONS.items():
            for region in regions:
                bring_up(fleet, region, server.url)
        yield server


@pytest.mark.parametrize(("behaviour", "duration", "honest"), [("ok", "2s", "pass"), ("503", "2s", "fail")])
def test_a_gate_ends_as_its_verdict_says(truth: Truth, ops: Ops, behaviour: str, duration: str, honest: str) -> None:
    """0, 3 or 5; on a machine where the client was INVALID it is 5, and says so."""
    truth.behaviours = (behaviour,)
    asked = ("--rate", "60/s", "--duration", duration, "--slo", "goodput >= 50%")
    done = ops("load", "gate", "--service", "chat", *asked, "-o", "json")
    found = json.loads(done.stdout)
    assert (found["kind"], done.returncode) == ("LoadGate", EXITS[found["verdict"]]), done.stderr
    assert found["verdict"] == ("cannot tell" if found["facts"]["client"] == "INVALID" else honest)
    sent = found["report"]["arrivals"]["sent"]
    assert 0 < found["facts"]["findings"][0]["events"] <= sent == len(truth.asked)
    assert found["reasons"]


def test_a_gate_says_why_to_a_person(truth: Truth, ops: Ops, tmp_path: Path) -> None:
    """A handful of requests shows no tail; the run is kept all the same."""
    kept, cases = tmp_path / "run.json", tmp_path / "cases.xml"
    files = ("--save", str(kept), "--junit", str(cases))
    done = ops("load", "gate", "--service", "chat", "--rate", "20/s", "--duration", "1s", *files)
    assert done.returncode == 5
    assert ": cannot tell" in done.stdout and "it cannot be told" in done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert json.loads(kept.read_text())["kind"] == "LoadRun"
    names = [case.get("name") for case in ElementTree.parse(cases).iter("testcase")]
    assert names[:2] == ["client", "arrivals"] and names[-2:] == ["no damage", "no growing queue"]


@pytest.mark.parametrize(("rule", "said"), [(Rule.INTERVAL, "chat in a: between 39."), (Rule.BUDGET, "by one curve")])
def test_a_search_says_what_all_probes_tell_together(rule: Rule, said: str) -> None:
    """As the answer where it ended the search, else beside what single runs showed."""
    one = answer(seen(40.0), Stop(rule, "told"), service="chat", region="a", profile="p", slo=["ttft p95 < 250ms"])
    console = Console(width=80, file=StringIO(), record=True)
    console.print(page([one], None))
    text = console.export_text()
    assert said in text and f"stopped by {rule}" in text


def test_a_search_shows_every_probe_and_what_stopped_it(truth: Truth, ops: Ops) -> None:
    """One second shows nothing, however good it is: more is sent, then for longer, then the budget is spent."""
    limits = ("--from", "20/s", "--up-to", "40/s", "--probe", "1s", "--budget", "4s")
    done = ops(
        "load", "search", "--service", "chat", "--slo", "goodput >= 50%", *limits, "--workers", "2", "-o", "json"
    )
    document = json.loads(done.stdout)
    (found,) = document["answers"]
    assert (done.returncode, document["kind"], document["fleet"]) == (5, "LoadSearch", None), done.stderr
    assert found["rule"] in ("budget", "client")
    assert found["slo"] == ["goodput >= 50%"]
    assert [one["rate"] for one in found["probes"]] == [20, 40][: len(found["probes"])]
    assert len({one["seed"] for one in found["probes"]}) == len(found["probes"])
    assert sum(sum(one["outcomes"].values()) for one in found["probes"]) == len(truth.asked) > 0


def test_a_search_takes_every_region_that_is_up(truth: Truth, ops: Ops) -> None:
    """And adds up what each was shown to carry: nothing yet, so the sum is not known."""
    limits = ("--from", "20/s", "--probe", "1s", "--budget", "1s")
    done = ops("load", "search", "--service", "chat", *limits, "--fleet", "atlas")
    assert done.returncode == 5, done.stderr
    assert all(f"chat in {region}: not known" in done.stdout for region in REGIONS["atlas"])
    assert "all regions: not known" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("command", ["search", "gate"])
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--service", "chat", "--slo", "ttft p99"], 2, "write one such as 'ttft p99 < 500ms'"),
        ([], 2, "--service"),
    ],
    ids=str,
)
def test_wrong_input_says_what_would_be_right(
    truth: Truth, ops: Ops, command: str, arguments: list[str], code: int, said: str
) -> None:
    """Before anything is sent."""
    done = ops("load", command, *arguments)
    assert (done.returncode, done.stdout, truth.asked) == (code, "", [])
    assert said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        ("search", ["--from", "500/s"], "--from: 500/s is above 200/s"),
        ("search", ["--budget", "5s"], "--budget"),
        ("search", ["--probe", "0s"], "give more than zero"),
        ("search", ["--profile", "sixteen-streams"], "closed loop"),
        ("gate", ["--duration", "forever"], "must come to an end"),
    ],
    ids=str,
)
def test_what_has_no_end_or_no_room_is_refused(
    truth: Truth, ops: Ops, command: str, arguments: list[str], said: str
) -> None:
    """Before anything is sent."""
    done = ops("load", command, "--service", "chat", *arguments)
    assert (done.returncode, done.stdout, truth.asked) == (2, "", [])
    assert said in done.stderr
