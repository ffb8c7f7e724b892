"""Writes a package for Azure Load Testing: reads this project's own files and the lock, and sends nothing anywhere."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import yaml

from infra.store import write_atomic
from loadtests.arrivals.tracefile import TRACES, path_of
from loadtests.package.azure import (
    CODE,
    ORDER,
    PLAN,
    SHARES,
    AzureTest,
    check_zip,
    conf,
    configuration,
    shares,
)
from loadtests.package.closure import closure
from loadtests.package.requirement import requirements
from loadtests.run.ordered import fingerprint

ROOT = Path(__file__).parents[2]
START = "loadtests/locustfile.py"
SINCE = (2026, 1, 1, 0, 0, 0)  # of every file in the zip, so that the same load makes the same zip


def write(test: AzureTest, vault: dict[str, str], trace: Path | None, folder: Path) -> list[Path]:
    """Write all files of the test; returns where. Raises PackageError, before it wrote anything, for a limit."""
    files, imports = closure(START, _source)
    profile = test.order.profile.model_copy(update={"trace": str(trace)}) if trace else test.order.profile
    texts = {
        "loadtest.yaml": yaml.safe_dump(configuration(test, vault), sort_keys=False, width=120),
        PLAN: files.pop(START),
        ORDER: test.order.model_dump_json(indent=1, exclude_none=True) + "\n",
        SHARES: shares(test.engines, fingerprint(profile)),
        "locust.conf": conf(test),
        "requirements.txt": requirements((ROOT / "requirements.lock").read_text(encoding="utf-8"), imports),
    }
    packed = _zip({**{name: text.encode() for name, text in files.items()}, **_traces(test, trace)})
    for name, text in texts.items():
        write_atomic(folder / name, text)
    _write_bytes(folder / CODE, packed)
    return [folder / name for name in (*texts, CODE)]


def _source(path: str) -> str | None:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _traces(test: AzureTest, trace: Path | None) -> dict[str, bytes]:
    """The traces that the profile names: ours where the code looks for them, one of a person's beside it."""
    profile = test.order.profile
    named = (profile.trace, profile.tokens.trace if profile.tokens else None)
    paths = {path_of(name) for name in named if name in TRACES}
    ours = {f"loadtests/traces/{path.name}": path.read_bytes() for path in paths}
    return {**ours, trace.name: trace.read_bytes()} if trace else ours


def _zip(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, SINCE), content, zipfile.ZIP_DEFLATED)
    packed = held.getvalue()
    check_zip(list(files), sum(map(len, files.values())), len(packed))
    return packed


def _write_bytes(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    os.replace(new, path)
