"""What every test gets: a state directory of its own session, never the person's, and the real command `ops`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every machine, however slow it is: a red run is a bug and not bad luck.
settings.register_profile("bellwether", deadline=None, derandomize=True)
settings.load_profile("bellwether")

# A suite that a script started in its background ignores Ctrl-C, and so would all that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

Done = subprocess.CompletedProcess[str]
Ops = Callable[..., Done]


@pytest.fixture(autouse=True, scope="session")
def private_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """OPS_STATE of this session; what a person has set for `ops` is not seen by tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPS_FLEET", "OPS_REGION", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
            patch.delenv(name, raising=False)
        state = tmp_path_factory.mktemp("state")
        patch.setenv("OPS_STATE", str(state))
        patch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
        yield state


@pytest.fixture(scope="session")
def ops() -> Ops:
    """Runs the real `ops` in the work tree without a terminal: `ops("fleet", "check")`; `state=` for one of its own."""

    def run(*arguments: str, state: Path | None = None, seconds: float = 120) -> Done:
        environment = {**os.environ, **({"OPS_STATE": str(state)} if state else {})}
        command = [str(BIN / "ops"), *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    return run
