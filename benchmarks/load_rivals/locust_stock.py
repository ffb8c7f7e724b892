"""A locustfile as a careful user of stock Locust writes it: FastHttpUser, events by blank lines, no JSON per token."""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import random
from time import perf_counter
from typing import Any

from gevent import sleep
from locust import FastHttpUser, constant, constant_throughput, events, task

RATE = float(os.environ["STOCK_RATE"])  # requests a second of each user; 0: the next when the last has ended
BODY = {
    "model": "m",
    "messages": [{"role": "user", "content": " ".join(["word"] * 32)}],
    "max_tokens": 64,
    "stream": True,
    "stream_options": {"include_usage": True},
}
ttfts: list[float] = []
gaps: list[float] = []


class Stream(FastHttpUser):
    """Sends chats and reads their streams to the end."""

    wait_time = constant_throughput(RATE) if RATE else constant(0)

    def on_start(self) -> None:
        """Begin at a time of its own: users that begin together would send together for ever."""
        sleep(random() / RATE if RATE else 0.0)

    @task
    def chat(self) -> None:
        """One request; its times are kept in lists, for Locust's own buckets are too coarse."""
        sent, last = perf_counter(), None
        response = self.client.post("/v1/chat/completions", json=BODY, stream=True)
        while event := response.stream.readline(b"\n\n"):
            if b'"content":"' in event:
                now = perf_counter()
                if last is None:
                    ttfts.append(now - sent)
                else:
                    gaps.append(now - last)
                last = now


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def tell(**_: Any) -> None:
    """Percentiles as numpy has them."""
    import numpy as np

    told = {f"{name}_p{p}": float(np.percentile(values, p)) for name, values in kept() if values for p in (50, 99)}
    Path(os.environ["STOCK_OUT"]).write_text(json.dumps(told))


def kept() -> list[tuple[str, list[float]]]:
    """What was measured, by name."""
    return [("ttft", ttfts), ("itl", gaps)]
