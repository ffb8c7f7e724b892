"""Stock Locust: FastHttpUser and a locustfile that reads streams as well as it can be done with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from load_rivals.client import BEYOND, FIGURES, Case, Missing, Ran, run

SPARE = 2  # users for each stream that is open on average: an open loop by pacing needs some that are free


class FastHttp:
    """`locust --headless` with as many users as streams; the rate of an open loop is spread over its users."""

    name = "locust"

    def install(self) -> str:
        """The product runs on it."""
        return ""

    def run(self, case: Case, url: str, folder: Path, core: int) -> Ran:
        """For so many seconds."""
        out, users = folder / "locust.json", case.streams * (SPARE if case.open_loop else 1)
        command = [
            *(str(Path(sys.executable).with_name("locust")), "-f", str(Path(__file__).with_name("locust_stock.py"))),
            *("--headless", "--only-summary", "-H", url, "-u", f"{users}", "-r", f"{users}"),
            *("-t", f"{case.seconds:g}s", "--stop-timeout", "3", "--exit-code-on-error", "0"),
        ]
        more = {"STOCK_OUT": str(out), "STOCK_RATE": f"{case.rate / users if case.open_loop else 0}"}
        began, usage = run(command, more, core, folder / "locust.log", case.seconds + BEYOND)
        told = json.loads(out.read_text())
        if set(told) != set(FIGURES):
            raise Missing("no request was answered")
        return Ran(began, usage, {name: told[name] for name in FIGURES})
