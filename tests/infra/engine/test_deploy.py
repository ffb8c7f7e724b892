"""The driver of the engine: what it refuses, what it keeps clean, what it can put back."""

import subprocess
from pathlib import Path

import pytest

from infra.azure.emulation import Emulation, NoSubscription
from infra.engine.deploy import ProgramFailed
from infra.fleet import load_fleet, locate
from tests.infra.emulated import PROGRAMS, Lab, row

GROUP = row("resources:ResourceGroup", "group", {"resourceGroupName": "rg-x", "location": "eastus2"})


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A stack with one group in it."""
    lab = Lab(tmp_path_factory.mktemp("with a space"))
    lab.want([GROUP])
    lab.engine.up(lab.stack)
    return lab


def test_a_program_that_refuses_is_told_in_its_own_words(lab):
    lab.want([GROUP, {"refuse": "demo.yaml:31:15: no such zone"}])
    with pytest.raises(ProgramFailed) as failed:
        lab.engine.preview(lab.stack)
    assert failed.value.what == "demo.yaml:31:15: no such zone"
    assert failed.value.not_done == "nothing was changed"


def test_a_stack_exports_what_its_program_says(lab):
    assert lab.engine.outputs(lab.stack)["group"].endswith("/resourceGroups/rg-x")


def test_a_state_can_be_put_back(lab):
    before = lab.engine.export(lab.stack)
    older = {"version": before["version"], "deployment": {"manifest": before["deployment"]["manifest"]}}
    lab.engine.restore(lab.stack, older)
    assert "resources" not in lab.engine.export(lab.stack)["deployment"]


def test_the_programs_are_run_from_a_copy_and_the_work_tree_stays_clean(lab):
    assert {path.name for path in (PROGRAMS / "region").iterdir()} <= {"Pulumi.yaml", "__main__.py", "__pycache__"}
    copy = lab.emulation.directory / "projects" / lab.stack.project / lab.stack.name
    assert f"Pulumi.{lab.stack.name}.yaml" in {path.name for path in copy.iterdir()}


def test_a_copied_project_names_this_python_by_its_whole_path(lab):
    project = lab.emulation.directory / "projects" / lab.stack.project / lab.stack.name / "Pulumi.yaml"
    assert "../" not in project.read_text()


def test_plain_pulumi_works_in_the_environment_of_the_emulation(lab):
    folder = lab.emulation.directory / "projects" / lab.stack.project / lab.stack.name
    words = ["pulumi", "stack", "ls", "--json", "--non-interactive"]
    said = subprocess.run(
        words, cwd=folder, env=lab.emulation.environment(), capture_output=True, text=True, check=True
    )
    assert lab.stack.name in said.stdout


def test_the_environment_downloads_nothing_and_says_no_secret(lab):
    environment = lab.emulation.environment()
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    passphrase = Path(environment["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text()
    assert all(passphrase not in value for value in environment.values())


def test_an_emulation_is_found_again_as_it_was(lab):
    passphrase = (lab.emulation.directory / "passphrase").read_text()
    again = Emulation(lab.emulation.directory, lab.fleet, PROGRAMS)
    assert (again.directory / "passphrase").read_text() == passphrase
    assert again.settings == lab.emulation.settings


def test_a_fleet_without_a_subscription_cannot_be_emulated(tmp_path):
    text = locate("demo").read_text()
    start, end = text.index("# Where `ops fleet up`"), text.index("# Data stay inside")
    (tmp_path / "bare.yaml").write_text(text[:start] + text[end:])
    with pytest.raises(NoSubscription, match="no azure: section"):
        Emulation(tmp_path / "emulation", load_fleet(tmp_path / "bare.yaml"))
