"""The import contracts hold something: each one fails, with the module and the line, when it is broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pure

LINTER = Path(sys.executable).with_name("lint-imports")

BREACHES = [
    ("infra/units.py", "import time", "infra.units -> time"),
    ("infra/units.py", "from urllib.request import urlopen", "infra.units -> urllib"),
    ("infra/units.py", "import infra.package", "infra.units -> infra.package"),  # through another module
    ("cli/rollouts/decision.py", "import random", "cli.rollouts.decision -> random"),
    ("loadtests/wire/sse.py", "import gevent", "loadtests.wire.sse -> gevent"),
    ("infra/store.py", "import cli.console", "infra.store -> cli.console"),
    ("loadtests/__init__.py", "import dashboards", "loadtests -> dashboards"),
    ("cli/rollouts/__init__.py", "import cli.adapters", "cli.rollouts -> cli.adapters"),
    ("cli/console.py", "import cli.main", "cli.console -> cli.main"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the rooms and of the contracts."""
    copy = tmp_path_factory.mktemp("tree")
    for room in pure.ROOMS:
        shutil.copytree(pure.ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", "*.csv", "*.sum"))
    shutil.copy(pure.ROOT / "pyproject.toml", copy)
    return copy


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINTER, "--no-logo", "--no-cache"], cwd=tree, capture_output=True, text=True, check=False)


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    """And the linter reads the copy, which the next test relies on."""
    done = lint(tree)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("path", "line", "named"), BREACHES, ids=[breach[2] for breach in BREACHES])
def test_a_breach_is_named_with_its_module_and_line(tree: Path, path: str, line: str, named: str) -> None:
    """One line is added at the end of one file; the report says which import, and its line number."""
    source = (tree / path).read_text()
    (tree / path).write_text(f"{source}\n{line}\n")
    try:
        done = lint(tree)
    finally:
        (tree / path).write_text(source)
    assert done.returncode == 1, done.stdout
    report = " ".join(done.stdout.split())
    assert f"{named} (l.{len(source.splitlines()) + 2})" in report


def test_a_module_that_says_it_is_pure_is_held_to_it() -> None:
    """A docstring with the word "Pure" is a promise, and the contract is where it is kept."""
    assert sorted(pure.declared() - pure.contracted()) == [], "add these to source_modules of the contract `pure`"


def test_every_module_of_the_contract_exists() -> None:
    """A module that was renamed must not leave the contract unnoticed."""
    assert [name for name in sorted(pure.contracted()) if not (pure.ROOT / pure.file(name)).is_file()] == []
