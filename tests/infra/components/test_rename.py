"""Programs under the real engine: a rename replaces nothing, and a refusal leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

import pytest

from infra.azure.emulation import Emulation
from infra.blueprint.stack import Stack, find
from infra.engine.deploy import Engine, ProgramFailed
from infra.engine.event import Plan
from infra.fleet import FLEETS, load_fleet

DEMO = load_fleet("demo")

PROJECT = "name: fleet-base\nruntime:\n  name: python\n"

# A component with two resource groups in it, one protected, that get new names. `aliases` says what they were called.
PROGRAM = Template("""
import pulumi
from pulumi_azure_native import resources

from infra.components.program import Context, run


def before(name):
    return [pulumi.Alias(name=name)] if $aliases else []


class Shared(pulumi.ComponentResource):
    def __init__(self, name, context):
        super().__init__("bellwether:test:Shared", name, None, pulumi.ResourceOptions(aliases=before("old")))
        inside = pulumi.ResourceOptions(parent=self, aliases=before("old-group"))
        resources.ResourceGroup("$name-group", resource_group_name="rg-test", location="eastus2", opts=inside)
        inside = pulumi.ResourceOptions(parent=self, protect=True, aliases=before("old-other"))
        resources.ResourceGroup("$name-other", resource_group_name="rg-other", location="eastus2", opts=inside)


run("base", lambda context: Shared("$name", context))
""")


@dataclass
class Programs:
    """A program of the kind base in a folder, and the engine that runs it."""

    folder: Path
    engine: Engine
    stack: Stack

    def write(self, name: str, aliases: bool) -> None:
        text = PROGRAM.substitute(name=name, aliases=aliases)
        (self.folder / "base" / "__main__.py").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """The first version of the program, applied."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "base").mkdir()
    (folder / "base" / "Pulumi.yaml").write_text(PROJECT, encoding="utf-8")
    emulation = Emulation(tmp_path_factory.mktemp("emulation"), DEMO, programs=folder)
    made = Programs(folder, Engine(DEMO, FLEETS / "demo.yaml", emulation), find(DEMO, "base"))
    made.write("old", aliases=False)
    made.engine.up(made.stack)
    yield made


def changing(plan: Plan) -> dict[str, str]:
    """Operation by name of what is not left as it is."""
    return {step.name: step.op for step in plan if step.op != "same" and not step.type.startswith("pulumi:")}


def test_a_rename_with_an_alias_of_ours_replaces_creates_and_deletes_nothing(programs: Programs) -> None:
    programs.write("new", aliases=True)
    assert changing(programs.engine.preview(programs.stack)) == {}


def test_a_rename_without_an_alias_would_delete_what_is_protected_and_the_plan_says_so(programs: Programs) -> None:
    programs.write("new", aliases=False)
    plan = programs.engine.preview(programs.stack)
    lost = [step for step in plan if step.protected and step.op != "create"]
    assert [(step.op, step.name) for step in lost] == [("delete", "old-other")]


def test_a_refusal_comes_before_anything_is_registered_and_is_told_without_a_traceback(
    programs: Programs, tmp_path: Path
) -> None:
    broken = tmp_path / "demo.yaml"
    text = (FLEETS / "demo.yaml").read_text(encoding="utf-8")
    broken.write_text(text.replace("failover: []", "failover: [mars]"), encoding="utf-8")
    engine = Engine(DEMO, broken, Emulation(tmp_path / "emulation", DEMO, programs=programs.folder))
    with pytest.raises(ProgramFailed) as refusal:
        engine.preview(find(DEMO, "base", source=str(broken)))
    assert f"{broken}:" in refusal.value.what and "there is no region 'mars'" in refusal.value.what
    assert "Traceback" not in refusal.value.what
