"""`ops fleet` on the real engine and an emulated subscription: a plan, an apply, a drift, nothing left at the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Done, Ops

HERE = ("--emulated", "--stack", "base")


class Base:
    """The base of the demo fleet, up in an emulated subscription of its own."""

    def __init__(self, ops: Ops, state: Path) -> None:
        self._ops = ops
        self.state = state
        self.up = self("up", *HERE, "--yes", "-o", "json")

    def __call__(self, *words: str) -> Done:
        return self._ops("fleet", *words, state=self.state, seconds=240)

    def resources(self) -> dict[str, str]:
        """Name -> type of everything in the subscription."""
        answer: dict[str, Any] = json.loads(self("emulate", "show", "-o", "json").stdout)
        return {row["name"]: row["type"] for row in answer["resources"]}

    def registry(self) -> str:
        return next(name for name, type in self.resources().items() if type.endswith("/registries"))


@pytest.fixture(scope="module")
def base(ops: Ops, tmp_path_factory: pytest.TempPathFactory) -> Base:
    return Base(ops, tmp_path_factory.mktemp("azure"))


def test_up_says_what_it_will_do_does_it_and_keeps_a_journal(base: Base) -> None:
    """The plan on stderr, first of all fleet and region; the answer on stdout."""
    assert base.up.returncode == 0, base.up.stderr
    told = base.up.stderr.splitlines()
    first = told.index("provision fleet demo (demo), all regions, in an emulated subscription")
    assert first < next(at for at, line in enumerate(told) if "base: begun" in line)
    answer = json.loads(base.up.stdout)
    made = answer["stacks"][0]["changes"]["create"]
    assert len(base.resources()) == made
    lines = [json.loads(line) for line in Path(answer["journal"]).read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["plan", "intent", "outcome", "end"]
    assert lines[0]["payload"]["changes"] == {"create": made} == lines[2]["payload"]["changes"]


def test_what_others_change_is_drift_that_up_would_undo(base: Base) -> None:
    """Loud where it is dangerous; exit 8."""
    assert base("emulate", "change", base.registry(), "properties.adminUserEnabled", "true").returncode == 0
    found = base("drift", *HERE)
    assert found.returncode == 8, found.stderr
    assert "  !! Registry registry (base)" in found.stdout.splitlines()
    told = "adminUserEnabled false -> true: security was weakened, by a person: `up` puts it back"
    assert told in " ".join(found.stdout.split())


def test_destroy_leaves_nothing_also_of_what_is_protected(base: Base) -> None:
    """Last in this file: what is told is what was there."""
    done = base("destroy", *HERE, "--yes")
    assert done.returncode == 0, done.stderr
    assert "  !! DELETE Registry registry (base)" in done.stderr
    assert base.resources() == {}
