"""Locust's master with two workers, real processes, against a server of known truth: one load, counted once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loadtests.report.run_file import Run, read_run
from tests.loadtests.package.unpacked import engines
from tests.loadtests.report.made import order
from tests.loadtests.run.crew import crew
from tests.loadtests.truth import Truth, serving

Merged = tuple[Truth, Run, int, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Merged:
    """One load by two workers, with the code of a package and no other; how it ended, and Locust's own statistics."""
    with serving(Truth(("ok", "early", "ok"), gap=0.02)) as truth:
        given = order(url=truth.url, duration=1.0)
        (folder,) = engines(given, 1, tmp_path_factory.mktemp("package"))
        with crew("@order.json", 2, "--json", "--skip-log", folder=folder, plan="locustfile.py") as found:
            run = read_run(found.said("LoadRun"), "the master's stdout")
            code, rest = found.end()
    lines = rest.splitlines()
    stats = json.loads("\n".join(lines[lines.index("[") :]))
    return truth, run, code, {one["name"]: one for one in stats}


def test_the_master_says_one_report_of_all(together: Merged) -> None:
    """Every request that the server saw, from two processes, in one book, exactly."""
    truth, run, code, _ = together
    arrivals = run.report.arrivals
    assert arrivals.scheduled == arrivals.sent == arrivals.done == len(truth.asked) > 20
    assert run.report.outcomes == {"ok": truth.done["ok"], "ended_early": truth.done["early"]}
    assert (run.report.client.processes, code, run.report.interrupted) == (2, 0, False)
    assert run.report.metrics.ttft.count == truth.done["ok"]


def test_each_arrival_is_sent_by_one_worker(together: Merged) -> None:
    """Its number is that of the whole load, so none is missing and none came twice."""
    truth, run, *_ = together
    assert Counter(one.number for one in truth.asked) == Counter(range(run.report.arrivals.scheduled))


def test_locusts_own_statistics_are_of_all_too(together: Merged) -> None:
    """At the master, with the parts of requests beside them: what a busy machine made slow is the same in both."""
    truth, run, _, stats = together
    sent, ok, report = len(truth.asked), truth.done["ok"], run.report
    assert {name: (one["num_requests"], one["num_failures"]) for name, one in stats.items()} == {
        "chat": (sent, sent - ok),
        "goodput": (sent, sent - report.goodput.good),
        "ttft": (ok, 0),
        "itl": (report.metrics.tpot.count, 0),
    }


def test_a_load_that_lost_a_worker_failed(tmp_path: Path) -> None:
    """In words and by its exit code; the others stop, and there is no report of a part."""
    with serving(Truth()) as truth:
        given = tmp_path / "order.json"
        given.write_text(order(url=truth.url, duration=None).model_dump_json())
        with crew(f"@{given}", 2) as found:
            assert found.said("started") == {"kind": "started", "workers": 2}
            found.workers[0].kill()
            assert "was lost: its share of the load was not sent, or is not counted" in found.said("failed")["what"]
            code, rest = found.end()
            assert found.workers[1].wait(timeout=60) is not None
    assert code == 1 and "LoadRun" not in rest
