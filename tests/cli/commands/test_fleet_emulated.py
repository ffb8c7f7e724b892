"""`ops fleet` on the real engine and an emulated subscription: a plan, an apply, a drift, nothing left at the end.

The apply is stopped twice in the middle of the stack: by Ctrl-C, and by a kill of everything at once.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BIN, ROOT, Done, Ops
from tests.infra.emulated import until

HERE = ("--emulated", "--stack", "base")
UP = ("fleet", "up", *HERE, "--yes")
MORE = 4  # lines of the ledger, after which an `up` is stopped: the stack has more than five times as many
PIPES: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


class Base:
    """The base of the demo fleet in a subscription of its own: one `up` interrupted, one killed, one done."""

    def __init__(self, ops: Ops, state: Path) -> None:
        self._ops = ops
        self._state = state
        self.interrupted = self._stopped(signal.SIGINT)
        self.killed = self._stopped(signal.SIGKILL)
        self.up = self("up", *HERE, "--yes", "-o", "json")

    def __call__(self, *words: str) -> Done:
        return self._ops("fleet", *words, state=self._state, seconds=240)

    def _stopped(self, number: signal.Signals) -> tuple[int, str]:
        """Exit code and stderr of an `up` whose whole process group got the signal, as a terminal sends it."""
        enough = self._lines() + MORE
        environment = {**os.environ, "OPS_STATE": str(self._state)}
        command = [str(BIN / "ops"), *UP]
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True, start_new_session=True, **PIPES
        ) as process:
            until(lambda: self._lines() >= enough)
            os.killpg(process.pid, number)
            _, told = process.communicate()
        return process.returncode, told

    def _lines(self) -> int:
        ledger = self._state / "demo" / "emulated" / "ledger.jsonl"
        return len(ledger.read_text().splitlines()) if ledger.exists() else 0

    def resources(self) -> dict[str, str]:
        """Name -> type of everything in the subscription."""
        answer: dict[str, Any] = json.loads(self("emulate", "show", "-o", "json").stdout)
        return {row["name"]: row["type"] for row in answer["resources"]}

    def registry(self) -> str:
        return next(name for name, type in self.resources().items() if type.endswith("/registries"))


@pytest.fixture(scope="module")
def base(ops: Ops, tmp_path_factory: pytest.TempPathFactory) -> Base:
    return Base(ops, tmp_path_factory.mktemp("azure"))


def test_after_ctrl_c_what_was_under_way_has_ended_and_the_next_command_is_told(base: Base) -> None:
    code, told = base.interrupted
    assert code == 130, told
    assert "interrupted; what was under way has ended" in told
    assert "next: ops fleet up --stack base --emulated" in told


def test_the_same_command_goes_on_from_there(base: Base) -> None:
    """Until it is killed itself; what ended in good order needs no look."""
    code, told = base.killed
    assert code == -signal.SIGKILL
    assert "base: begun" in told and "was killed" not in told


def test_after_a_kill_it_looks_at_what_is_there_first_and_comes_to_its_end(base: Base) -> None:
    """What is there is what the first plan said, and there is nothing left to do."""
    assert base.up.returncode == 0, base.up.stderr
    assert "was killed" in base.up.stderr
    planned = re.search(r"base +(\d+) to create", base.interrupted[1])
    assert planned is not None and len(base.resources()) == int(planned[1])
    again = base("up", *HERE, "--yes")
    assert (again.returncode, again.stdout.strip()) == (0, "nothing to change")


def test_up_says_what_it_will_do_does_it_and_keeps_a_journal(base: Base) -> None:
    """The plan on stderr, first of all fleet and region; the answer on stdout."""
    told = base.up.stderr.splitlines()
    first = told.index("provision fleet demo (demo), all regions, in an emulated subscription")
    assert first < next(at for at, line in enumerate(told) if "base: begun" in line)
    answer = json.loads(base.up.stdout)
    made = answer["stacks"][0]["changes"]
    assert made["create"] > 0
    lines = [json.loads(line) for line in Path(answer["journal"]).read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["plan", "intent", "outcome", "end"]
    assert lines[0]["payload"]["changes"] == made == lines[2]["payload"]["changes"]


def test_what_others_change_is_drift_that_up_would_undo(base: Base) -> None:
    """Loud where it is dangerous; exit 8."""
    assert base("emulate", "change", base.registry(), "properties.adminUserEnabled", "true").returncode == 0
    found = base("drift", *HERE)
    assert found.returncode == 8, found.stderr
    assert "  !! Registry registry (base)" in found.stdout.splitlines()
    told = "adminUserEnabled false -> true: security was weakened, by a person: `up` puts it back"
    assert told in " ".join(found.stdout.split())


def test_destroy_leaves_nothing_also_of_what_is_protected(base: Base) -> None:
    """Last in this file: what is told is what was there."""
    done = base("destroy", *HERE, "--yes")
    assert done.returncode == 0, done.stderr
    assert "  !! DELETE Registry registry (base)" in done.stderr
    assert base.resources() == {}
