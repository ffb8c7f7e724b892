"""Loads on a canary by the real client, against the server of known truth: it says that it is a canary of v2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cli.adapters.stage_load import StageLoad
from cli.rollouts.plan import Stage
from cli.rollouts.ports import Pressed
from cli.rollouts.procedure import Press
from infra.errors import Unavailable
from infra.load_profile import LoadProfile
from loadtests.run.ordered import fingerprint
from tests.cli.drill import until
from tests.fakes import PLAN
from tests.loadtests.truth import Truth, serving

PROFILE = {"name": "even", "rate": "1/s", "arrivals": "constant", "tokens": {"prompt": 16, "output": 4}}
SLO = ("ok >= 60%", "ttft p60 < 1s")
STAGED = replace(PLAN, load=Stage(PROFILE, 40.0, 1.0, SLO))


@pytest.fixture(scope="module")
def truth() -> Iterator[Truth]:
    with serving(Truth()) as server:
        yield server


def clients() -> list[int]:
    """The load clients that this process has started and that live."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            found += [child.pid] if "loadtests.run.process" in child.cmdline() else []
    return found


def came(loads: StageLoad) -> Pressed:
    """What the load under way comes to."""
    found: Pressed = until(loads.ended)
    return found


def test_a_load_is_synthetic_and_told_once_with_its_facts(truth: Truth) -> None:
    """Here another release answers than the plan is for, so it says nothing of that."""
    loads = StageLoad("m", lambda: truth.url)
    loads.begin(replace(STAGED, canary="v9"), Press(2, 1.0))
    assert loads.under_way
    found = came(loads)
    assert found.ruling.verdict == "cannot tell"
    assert found.ruling.why == "answers came from the arm canary of v2, not from a canary of v9"
    assert (found.facts["outcomes"], found.facts["rate"], found.facts["seed"]) == ({"ok": 40}, 40.0, 2)
    assert {asked.headers["x-ops-class"] for asked in truth.asked} == {"synthetic"}
    assert (loads.under_way, loads.ended()) == (False, None)


def test_a_load_that_is_stopped_leaves_nothing_behind(truth: Truth) -> None:
    """Its process is killed with what is open, whether it sends already or only starts."""
    loads, before = StageLoad("m", lambda: truth.url), len(truth.asked)
    loads.begin(STAGED, Press(1, 600.0))
    until(clients)
    loads.begin(STAGED, Press(1, 600.0))
    until(lambda: len(clients()) == 1 and len(truth.asked) > before)
    loads.stop()
    until(lambda: not clients())
    assert (loads.under_way, loads.ended()) == (False, None)
    loads.stop()


def test_a_load_that_cannot_be_sent_cannot_tell() -> None:
    """A region that is down says nothing of the release."""

    def url() -> str:
        raise Unavailable("the region is down")

    loads = StageLoad("m", url)
    loads.begin(STAGED, Press(1, 1.0))
    found = came(loads)
    assert (found.ruling.verdict, found.ruling.why) == ("cannot tell", "the load could not be sent: the region is down")
    assert found.facts == {}


def test_a_load_whose_trace_was_edited_is_not_the_one_that_was_planned(truth: Truth, tmp_path: Path) -> None:
    """Nothing of it is sent."""
    trace = tmp_path / "mine.csv"
    trace.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2026-01-01 00:00:00,9,3\n2026-01-01 00:00:01,9,3\n")
    profile = {"name": "mine", "trace": str(trace), "speed": "1x"}
    stage = Stage(profile, 40.0, 1.0, SLO, fingerprint(LoadProfile.model_validate(profile)))
    loads, before = StageLoad("m", lambda: truth.url), len(truth.asked)
    trace.write_text(trace.read_text().replace(",9,", ",900,"))
    loads.begin(replace(PLAN, load=stage), Press(1, 1.0))
    found = came(loads)
    edited = "the load could not be sent: the trace of mine was edited since the rollout was planned"
    assert (found.ruling.verdict, found.ruling.why) == ("cannot tell", edited)
    assert (found.facts, len(truth.asked)) == ({}, before)
