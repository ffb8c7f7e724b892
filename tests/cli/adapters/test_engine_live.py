"""The adapter over the real engine and an emulated subscription: what is lost is told first, what broke converges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.adapters.pulumi_engine import PulumiEngine
from cli.provision.failure import AGAIN
from cli.provision.plan import Step
from infra.azure.faults import Fault, Kind
from infra.engine.deploy import Protected
from tests.infra.emulated import GROUP, IN_GROUP, Lab, row


def group(location: str = "eastus2") -> dict[str, Any]:
    return row("resources:ResourceGroup", "group", {"resourceGroupName": GROUP, "location": location}, protect=True)


def net(**more: Any) -> dict[str, Any]:
    inputs = {**IN_GROUP, "virtualNetworkName": "vnet-lab", "location": "eastus2"}
    return row("network:VirtualNetwork", "net", inputs | {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}, **more)


def store(location: str = "eastus2", **inputs: Any) -> dict[str, Any]:
    wish = {"accountName": "stlab12345", "location": location, "kind": "StorageV2", "sku": {"name": "Standard_ZRS"}}
    return row("storage:StorageAccount", "store", {**IN_GROUP, **wish, **inputs}, protect=True, retain=True)


def identity(name: str) -> dict[str, Any]:
    inputs = {**IN_GROUP, "resourceName": name, "location": "eastus2"}
    return row("managedidentity:UserAssignedIdentity", name, inputs)


def told(steps: tuple[Step, ...]) -> set[tuple[str, str, bool, bool]]:
    """What is lost: operation, name, whether it is protected, whether it stays in Azure."""
    return {(one.op, one.name, one.protected, one.retained) for one in steps if one.op in ("replace", "delete")}


class Place:
    """A lab, and the engine as the commands have it."""

    def __init__(self, directory: Path) -> None:
        self.lab = Lab(directory)
        there = lambda id, api: self.lab.body(id)  # noqa: E731
        self.engine = PulumiEngine(self.lab.engine, self.lab.fleet, self.lab.fleet_file, there, directory / "kept")

    def up(self) -> Any:
        return self.engine.up(self.lab.stack, lambda event: None, past_failures=True)

    def steps(self) -> tuple[Step, ...]:
        return self.engine.preview(self.lab.stack)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_is_protected_goes_only_after_it_was_let_go(place: Place) -> None:
    """The plan has all of it; what only leaves the stack stays in Azure; what is replaced does not."""
    lab = place.lab
    lab.want([group(), net(protect=True, retain=True), store()])
    assert place.up().ok
    lab.want([group(), store("westus2")])
    plan = place.steps()
    assert told(plan) == {("replace", "store", True, True), ("delete", "net", True, True)}
    with pytest.raises(Protected, match="store"):
        lab.engine.up(lab.stack)
    place.engine.let_go(lab.stack, [one for one in plan if one.protected])
    assert place.up().ok
    assert {name: body["location"] for name, body in lab.there().items()} == {
        GROUP: "eastus2",
        "stlab12345": "westus2",
        "vnet-lab": "eastus2",
    }
    assert {one["urn"].rpartition("::")[2] for one in lab.engine.export(lab.stack)["deployment"]["resources"]} >= {
        "group",
        "store",
    }
    assert told(place.steps()) == set()


def test_what_may_go_together_with_something_is_told_and_can_be_kept_after_all(place: Place) -> None:
    """The engine stops at the first guard of such a chain; once they are off it tells exactly."""
    lab = place.lab
    lab.want([group(), net(), store()])
    assert place.up().ok
    lab.want([group("westus2"), net(), store()])
    before = lab.engine.export(lab.stack)
    plan = place.steps()
    assert told(plan) == {("replace", "group", True, False), ("replace", "store", True, False)}
    undo = place.engine.let_go(lab.stack, [one for one in plan if one.protected])
    assert ("replace", "group", True, False) in told(place.steps())
    undo()
    assert lab.engine.export(lab.stack)["deployment"]["resources"] == before["deployment"]["resources"]


def test_one_refusal_stops_nothing_that_does_not_need_it(place: Place) -> None:
    """Azure does not take a change of redundancy back; all else that others changed is put back in the same run."""
    lab = place.lab
    blobs = {**IN_GROUP, "accountName": "${store.name}", "blobServicesName": "default"}
    blobs["deleteRetentionPolicy"] = {"enabled": True, "days": 7}
    needs_it = row("storage:BlobServiceProperties", "blobs", blobs)
    lab.want([group(), net(), store(minimumTlsVersion="TLS1_2"), needs_it, identity("id-lab")])
    assert place.up().ok
    lab.change("stlab12345", "sku.name", "Standard_GRS")
    lab.change("vnet-lab", "properties.addressSpace.addressPrefixes[1]", "10.9.0.0/16")
    lab.change("default", "properties.deleteRetentionPolicy.days", 30)
    lab.delete("id-lab")
    drift = {one.name: one for one in place.engine.drift(lab.stack)}
    assert drift["store"].values == {"sku.name": ("Standard_ZRS", "Standard_GRS")}
    outcome = place.up()
    assert [(one.name, one.kind) for one in outcome.failed] == [("store", "mend")]
    assert outcome.changes == {"update": 2, "create": 1}
    assert "id-lab" in lab.there()
    assert lab.there()["default"]["properties"]["deleteRetentionPolicy"]["days"] == 7
    assert len(lab.there()["vnet-lab"]["properties"]["addressSpace"]["addressPrefixes"]) == 1


def test_a_stack_that_only_exports_something_else_says_so(place: Place) -> None:
    lab = place.lab
    lab.want([group(), {"export": {"traffic": "open"}}])
    assert place.up().ok
    lab.want([group(), {"export": {"traffic": "closed", "more": 1}}])
    assert [(one.op, one.changes) for one in place.steps() if one.op != "same"] == [("tell", ("more", "traffic"))]
    assert place.up().ok
    assert lab.engine.outputs(lab.stack)["traffic"] == "closed"
    assert [one.op for one in place.steps()] == ["same"]


MINE = {"tags": {"fleet": "demo"}}


@pytest.mark.parametrize("kinds", [{"store": Kind.INTERNAL, "net": Kind.TIMEOUT}, {"store": Kind.CRASH}], ids=len)
def test_what_azure_made_without_saying_so_is_taken_in_and_not_made_again(place: Place, kinds: dict[str, Kind]) -> None:
    """By the process that met the fault, also where two creations met one at once."""
    lab, network = place.lab, net()
    network["inputs"] |= MINE
    lab.want([group(), store(**MINE), *([network] if "net" in kinds else [])])
    types = {"store": "storageAccounts", "net": "virtualNetworks"}
    lab.emulation.break_with([Fault(kind, match=f"PUT .*{types[name]}") for name, kind in kinds.items()])
    failed = place.up().failed
    assert len(failed) >= len(kinds) and {one.kind for one in failed} <= AGAIN
    place.engine.settle(lab.stack)
    outcome = place.up()
    assert outcome.ok, outcome
    assert "create" not in outcome.changes
    assert [one.op for one in place.steps()] == ["same"] * (1 + len(kinds))


def test_also_by_another_process_that_only_finds_it(tmp_path: Path) -> None:
    """Whose memory of the failure is gone: that it is there, and whose, is all there is to know."""
    first = Place(tmp_path)
    first.lab.want([group(), store(tags={"fleet": "demo"})])
    first.lab.emulation.break_with([Fault(Kind.INTERNAL, match="PUT .*storageAccounts")])
    assert not first.up().ok
    second = Place(tmp_path)
    assert [(one.name, one.kind) for one in second.up().failed] == [("store", "converge")]
    second.engine.settle(second.lab.stack)
    assert second.up().ok


def test_somebody_else_s_resource_of_that_name_is_never_taken_in(place: Place) -> None:
    lab = place.lab
    lab.want([group(), store(tags={"fleet": "demo"})])
    lab.emulation.break_with([Fault(Kind.INTERNAL, match="PUT .*storageAccounts")])
    assert not place.up().ok
    lab.change("stlab12345", "tags.fleet", "atlas")
    place.engine.settle(lab.stack)
    assert [(one.name, one.kind) for one in place.up().failed] == [("store", "import")]
    assert lab.there()["stlab12345"]["tags"] == {"fleet": "atlas"}
