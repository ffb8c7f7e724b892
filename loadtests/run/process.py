"""What a client process runs: Locust as a library, and nothing of it that only its own command line needs.

`python -m loadtests.run.process --order JSON` is what `ops load run` starts: JSON lines on stdout.
"""

from __future__ import annotations

import argparse
import logging
import sys
from types import ModuleType
from typing import Any


class NoPage:
    """In the place of locust.web.WebUI."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("this client serves no page; `locust -f loadtests/locustfile.py` does")


def leave_out_page() -> None:
    """Locust's page brings Flask: a fifth of the time to the first request, and 7 MB of every client's memory."""
    page = ModuleType("locust.web")
    vars(page).update(WebUI=NoPage)
    sys.modules[page.__name__] = page


def main() -> int:
    """Run one order; the exit code."""
    leave_out_page()
    from locust import events
    from locust.env import Environment

    from loadtests.locustfile import Replay, add_order

    class Unseen(Replay):
        """Nobody sees Locust's own statistics here, so they are not kept."""

        shown = False

    parser = argparse.ArgumentParser(prog="python -m loadtests.run.process", description="Send one order.")
    add_order(parser)
    logging.basicConfig(level=logging.WARNING)
    environment = Environment(user_classes=[Unseen], events=events, parsed_options=parser.parse_args())
    runner = environment.create_local_runner()
    runner.start(1, spawn_rate=1)
    runner.greenlet.join()
    return environment.process_exit_code or 0


if __name__ == "__main__":
    raise SystemExit(main())
