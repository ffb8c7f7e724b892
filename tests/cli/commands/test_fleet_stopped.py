"""`ops fleet up` stopped in the middle of a stack: by Ctrl-C, and by a kill of everything at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BIN, ROOT, Ops
from tests.infra.emulated import until

HERE = ("fleet", "up", "--emulated", "--stack", "base", "--yes")
BEGUN = 4  # lines of the ledger after which it is stopped: the stack has far more


def stopped(state: Path, number: signal.Signals) -> tuple[int, str]:
    """Exit code and stderr of an `up` whose whole process group got the signal, as a terminal sends it."""
    ledger = state / "demo" / "emulated" / "ledger.jsonl"
    environment = {**os.environ, "OPS_STATE": str(state)}
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [str(BIN / "ops"), *HERE]
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, start_new_session=True, **pipes) as process:
        until(lambda: ledger.exists() and len(ledger.read_text().splitlines()) >= BEGUN)
        os.killpg(process.pid, number)
        _, told = process.communicate()
    return process.returncode, told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_same_command_goes_on_from_there(ops: Ops, tmp_path: Path, number: signal.Signals) -> None:
    """After Ctrl-C what was under way has ended; after a kill the next run looks at what is there first."""
    code, told = stopped(tmp_path, number)
    if number is signal.SIGINT:
        assert code == 130, told
        assert "interrupted; what was under way has ended" in told
        assert "next: ops fleet up --stack base --emulated" in told
    else:
        assert code == -signal.SIGKILL
    done = ops(*HERE, "-o", "json", state=tmp_path, seconds=240)
    assert done.returncode == 0, done.stderr
    assert ("was killed" in done.stderr) is (number is signal.SIGKILL)
    assert json.loads(done.stdout)["stacks"][0]["changes"]["create"] > 0
    again = ops(*HERE, state=tmp_path, seconds=240)
    assert (again.returncode, again.stdout.strip()) == (0, "nothing to change")
