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

SLOWEST = (
    *("cli/commands/test_rollout.py", "test_examples.py", "cli/commands/test_load.py", "cli/commands/test_local.py"),
    *("cli/adapters/test_engine_live.py", "cli/commands/test_fleet_emulated.py", "cli/commands/test_load_search.py"),
    *("infra/test_campaign.py", "cli/adapters/test_prometheus.py", "infra/local/test_region.py"),
    *("infra/local/test_supervisor.py", "infra/azure/test_provider.py", "cli/test_steering.py"),
    *("infra/components/test_fleets.py", "infra/components/test_region.py"),
)
"""Files that are begun first, the longest before the others: else one process has a long one left, and the other waits.
From `--durations`; a file that is not here comes in its own place, behind them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files first, in their order."""
    rank = {str(ROOT / "tests" / name): place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: rank.get(str(item.path), len(rank)))


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
