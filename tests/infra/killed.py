"""An engine that dies while Azure makes a cluster: `python -m tests.infra.killed DIRECTORY`, in its own session."""

import os
import signal
import sys
from pathlib import Path

from infra.engine.deploy import Progress
from tests.infra.emulated import CLUSTER, Lab, until

lab = Lab(Path(sys.argv[1]), operation=60.0)  # seconds; longer than anybody waits


def busy() -> bool:
    """Whether Azure has accepted the cluster."""
    with lab.azure() as subscription:
        return any(id.endswith(f"/{CLUSTER}") for id in subscription.busy)


def kill_at_the_cluster(progress: Progress) -> None:
    """Kill the engine and this process at once; plugins see that their engine is gone."""
    if (progress.kind, progress.step.name) == ("started", "cluster") and until(busy):
        os.killpg(0, signal.SIGKILL)


lab.engine.up(lab.stack, kill_at_the_cluster)
