"""A local region as its files say, without any of its processes: what `ops load` meets where one is up."""

from __future__ import annotations

import os

import psutil

from infra import state
from infra.store import write_json

REGION = "eastus2"


def bring_up(fleet: str, region: str, url: str) -> None:
    """One whose service `chat` answers at `url`, in the state directory of now."""
    owner = {"pid": os.getpid(), "started": psutil.Process().create_time(), "host": ""}
    here = state.region_dir(fleet, region)
    facts = {"fleet": fleet, "region": region, "supervisor": owner, "services": {"chat": {"url": url}}}
    urls = dict.fromkeys(("envoy_admin", "prometheus", "alertmanager"), "http://127.0.0.1:9")
    write_json(here / "lock", owner)
    write_json(here / "region.json", {**facts, **urls})
