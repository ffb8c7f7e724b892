"""Rendering: what all stacks of a fleet ask for, without an engine, the same bytes each time."""

import json

import pytest
import yaml

from infra.rendering.render import RenderedStack, RenderingFailed, render, write
from tests.infra.emulated import CLUSTER, GROUP, PROGRAMS, Lab, objects, row, world

CANARY = "canary-5d0e2c"


def programs(lab: Lab) -> None:
    """A base, a region with a secret that names the base's group, a cluster's objects, an empty edge."""
    shared = {"resourceGroupName": "rg-base", "location": "eastus2"}
    region = world()
    region[0]["inputs"]["tags"] = {"base": "${base!group}", "note": {"secret": CANARY}}
    region[2] |= {"protect": True, "retain": True}
    lab.want([row("resources:ResourceGroup", "group", shared)], "base")
    lab.want([*region, *objects()], "region")
    lab.want([], "platform")
    lab.want([], "edge")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("rendering"))


@pytest.fixture(scope="module")
def rendered(lab: Lab) -> tuple[RenderedStack, ...]:
    programs(lab)
    return render(lab.fleet, lab.fleet_file, PROGRAMS)


def test_every_stack_of_the_fleet_is_rendered_in_order(rendered):
    assert [one.stack.kind for one in rendered] == ["base", "region", "platform", "edge"]
    assert [len(one.requests) for one in rendered] == [1, 6, 0, 0]


def test_a_request_is_what_arm_would_be_sent(rendered):
    pool = next(request for request in rendered[1].requests if request.name == "oneg1")
    assert pool.id.endswith(f"/managedClusters/{CLUSTER}/agentPools/oneg1")
    assert pool.body == {"properties": {"mode": "User", "count": 1, "vmSize": "Standard_D4s_v5"}}


def test_a_reference_is_answered_from_the_stack_before(rendered):
    group = next(request for request in rendered[1].requests if request.name == GROUP)
    assert group.body["tags"]["base"] == rendered[0].outputs["group"]


def test_how_pulumi_treats_a_resource_is_recorded(rendered):
    options = {id.rpartition("/")[2]: one for id, one in rendered[1].options.items()}
    assert (options["stlab12345"].protect, options["stlab12345"].retain) == (True, True)
    assert options[CLUSTER].ignore_changes == ("agentPoolProfiles",)
    assert any(id.endswith("/agentPools/oneg1") for id in options["twog1"].depends_on)
    assert not options[GROUP].protect


def test_the_files_are_templates_and_objects_and_the_same_each_time(lab, rendered, tmp_path):
    paths = write(rendered, tmp_path / "one")
    again = write(render(lab.fleet, lab.fleet_file, PROGRAMS), tmp_path / "two")
    assert [path.name for path in paths] == [
        "fleet-base.demo-demo.json",
        "fleet-region.demo-demo-eastus2.json",
        "fleet-region.demo-demo-eastus2.yaml",
        "fleet-platform.demo-demo-eastus2.json",
        "fleet-edge.demo-demo.json",
    ]
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]
    group, nested = json.loads(paths[1].read_text())["resources"]
    assert (group["name"], nested["resourceGroup"]) == (GROUP, GROUP)
    assert len(nested["properties"]["template"]["resources"]) == 5
    assert [one["kind"] for one in yaml.safe_load_all(paths[2].read_text())] == ["ConfigMap", "Namespace"]


def test_a_stack_may_be_written_as_one_template_for_each_scope(rendered, tmp_path):
    paths = write(rendered, tmp_path, by_scope=True)
    assert [path.name for path in paths if path.suffix == ".json"] == [
        "fleet-base.demo-demo.subscription.json",
        "fleet-region.demo-demo-eastus2.subscription.json",
        f"fleet-region.demo-demo-eastus2.{GROUP}.json",
    ]
    assert len(json.loads(paths[2].read_text())["resources"]) == 5


def test_no_secret_is_in_what_is_rendered(rendered, tmp_path):
    assert CANARY not in repr(rendered)
    paths = [*write(rendered, tmp_path), *write(rendered, tmp_path, by_scope=True)]
    assert all(CANARY not in path.read_text() for path in paths)


WRONG = [
    (
        row("resources:ResourceGroup", "group", {"resourceGroupName": GROUP, "locatoin": "eastus2"}),
        "locatoin: there is no",
    ),
    (world()[2] | {"inputs": world()[2]["inputs"] | {"resourceGroupName": "gone"}}, "ResourceGroupNotFound"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG)
def test_what_a_program_or_azure_refuses_ends_the_rendering_with_its_reason(tmp_path, wrong, said):
    lab = Lab(tmp_path)
    lab.want([wrong], "base")
    with pytest.raises(RenderingFailed) as failed:
        render(lab.fleet, lab.fleet_file, PROGRAMS)
    assert said in failed.value.what
    assert "Traceback" not in failed.value.what
