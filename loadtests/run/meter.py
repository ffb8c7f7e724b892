"""What a load costs: the adapter to psutil for this process and this machine, as shares since a moment."""

from __future__ import annotations

from time import perf_counter, process_time

import psutil

from loadtests.report.summary import Machine


class Meter:
    """Shares from when it was made until it is read."""

    def __init__(self) -> None:
        self._wall = perf_counter()
        self._cpu = process_time()
        self._idle, self._all = _machine()

    def read(self) -> Machine:
        """CPU seconds of this process by wall second, and the busy share of all cores."""
        idle, whole = _machine()
        wall = max(perf_counter() - self._wall, 1e-9)
        busy = 1 - (idle - self._idle) / max(whole - self._all, 1e-9)
        client = (process_time() - self._cpu) / wall
        return Machine(client_cpu=round(client, 4), busy=round(min(1.0, max(0.0, busy)), 4))


def _machine() -> tuple[float, float]:
    """Idle and all seconds of all cores since they started. Time stolen by a hypervisor is not idle."""
    times = psutil.cpu_times()
    return times.idle + getattr(times, "iowait", 0.0), sum(times) - getattr(times, "guest", 0.0)
