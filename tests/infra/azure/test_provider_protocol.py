"""The provider azure-native, call by call as the engine makes them, without an engine."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest

from infra.azure import wire
from infra.azure.faults import Kind
from infra.azure.ledger import Ledger
from infra.azure.protocol import provider_pb2, status_pb2
from infra.azure.provider import Provider
from infra.azure.refusal import ArmError
from infra.azure.resource_manager import ResourceManager
from infra.azure.schema import UNKNOWN, request
from infra.azure.settings import Settings
from infra.store import write_json

SUBSCRIPTION, TENANT = "00000000-0000-0000-0000-0000000000a1", "00000000-0000-0000-0000-0000000000a2"
GROUP = {"resourceGroupName": "rg-x", "location": "eastus2"}
STORE = {
    "resourceGroupName": "rg-x",
    "accountName": "stx12345",
    "location": "eastus2",
    "kind": "StorageV2",
    "sku": {"name": "Standard_ZRS"},
}
RG, ACCOUNT = "azure-native:resources:ResourceGroup", "azure-native:storage:StorageAccount"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"


class Aborted(Exception):
    """What a call ends with that is refused."""


class Context:
    """The part of a gRPC context that providers use."""

    trailing: tuple[tuple[str, bytes], ...] = ()

    def set_trailing_metadata(self, pairs: Sequence[tuple[str, bytes]]) -> None:
        self.trailing = tuple(pairs)

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise Aborted(code, details, dict(self.trailing))


class Desk:
    """A provider over a fresh subscription, asked as the engine asks."""

    def __init__(self, directory: Path) -> None:
        self.settings = Settings(directory, SUBSCRIPTION, TENANT, operation=0.0)
        self.provider = Provider(self.settings)

    def ask(self, method: str, message: Any) -> Any:
        return asyncio.run(getattr(self.provider, method)(message, Context()))

    def check(self, token: str, inputs: dict[str, Any]) -> Any:
        return self.ask("Check", provider_pb2.CheckRequest(urn=urn(token), news=wire.write(inputs)))

    def diff(self, token: str, id: str, old: dict[str, Any], new: dict[str, Any], ignored: tuple[str, ...] = ()) -> Any:
        message = provider_pb2.DiffRequest(
            urn=urn(token), id=id, old_inputs=wire.write(old), news=wire.write(new), ignoreChanges=ignored
        )
        return self.ask("Diff", message)

    def create(self, token: str, inputs: dict[str, Any], secrets: tuple[str, ...] = (), preview: bool = False) -> Any:
        message = provider_pb2.CreateRequest(urn=urn(token), properties=wire.write(inputs, secrets), preview=preview)
        return self.ask("Create", message)

    def update(self, token: str, id: str, old: dict[str, Any], new: dict[str, Any], preview: bool = False) -> Any:
        message = provider_pb2.UpdateRequest(
            urn=urn(token), id=id, olds=wire.write(old), news=wire.write(new), preview=preview
        )
        return self.ask("Update", message)

    def read(self, token: str, id: str, state: dict[str, Any], inputs: dict[str, Any]) -> Any:
        message = provider_pb2.ReadRequest(
            urn=urn(token), id=id, properties=wire.write(state), inputs=wire.write(inputs)
        )
        return self.ask("Read", message)

    def delete(self, token: str, id: str) -> None:
        self.ask("Delete", provider_pb2.DeleteRequest(urn=urn(token), id=id))

    def there(self) -> list[str]:
        with Ledger(self.settings.ledger).session() as subscription:
            return [id.rpartition("/")[2] for id in subscription.resources()]

    def change(self, id: str, path: str, value: Any) -> None:
        with Ledger(self.settings.ledger).session() as subscription:
            subscription.change(id, path, value)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def urn(token: str) -> str:
    return f"urn:pulumi:s::p::bellwether:x:Component${token}::it"


def test_every_flaw_is_told_at_its_path(desk):
    answer = desk.check(ACCOUNT, {**STORE, "sku": {"name": "Gold"}, "kindd": 1, "location": UNKNOWN})
    assert {failure.property for failure in answer.failures} == {"sku.name", "kindd"}


def test_inputs_that_are_right_pass_unchanged_with_their_secrets(desk):
    message = provider_pb2.CheckRequest(urn=urn(RG), news=wire.write({**GROUP, "tags": {"a": "b"}}, ["tags"]))
    answer = desk.ask("Check", message)
    assert (list(answer.failures), wire.secret_keys(answer.inputs)) == ([], {"tags"})


DIFFS = [
    ({}, (), {}, False),
    ({"tags": {"a": "b"}}, (), {"tags": "ADD"}, False),
    ({"kind": "BlobStorage"}, (), {"kind": "UPDATE"}, False),
    ({"location": "westus3"}, (), {"location": "UPDATE_REPLACE"}, True),
    ({"accountName": "stother1"}, (), {"accountName": "UPDATE_REPLACE"}, False),
    ({"isHnsEnabled": True}, (), {"isHnsEnabled": "ADD_REPLACE"}, True),
    ({"resourceGroupName": UNKNOWN}, (), {"resourceGroupName": "UPDATE_REPLACE"}, False),
    ({"sku": {"name": "Standard_GRS"}, "tags": {"a": "b"}}, ("sku.name",), {"tags": "ADD"}, False),
]


@pytest.mark.parametrize(("changed", "ignored", "paths", "delete_first"), DIFFS)
def test_a_diff_has_each_path_and_whether_it_needs_a_new_resource(desk, changed, ignored, paths, delete_first):
    id = desk.create(RG, GROUP) and desk.create(ACCOUNT, STORE).id
    answer = desk.diff(ACCOUNT, id, STORE, STORE | changed, ignored)
    kinds = {path: provider_pb2.PropertyDiff.Kind.Name(diff.kind) for path, diff in answer.detailedDiff.items()}
    assert kinds == paths
    assert answer.deleteBeforeReplace is delete_first
    assert (answer.changes == provider_pb2.DiffResponse.DIFF_SOME) is bool(paths)


def test_a_preview_makes_nothing_and_keeps_what_will_stay(desk):
    assert desk.create(RG, GROUP, preview=True).id == ""
    assert desk.there() == []
    made = desk.create(RG, GROUP)
    state = wire.read(made.properties)
    expected = wire.read(desk.update(RG, made.id, state, {**GROUP, "tags": {"a": "b"}}, preview=True).properties)
    assert expected == state | GROUP | {"tags": {"a": "b"}}
    assert wire.read(desk.read(RG, made.id, state, GROUP).properties) == state


def test_a_secret_reaches_the_ledger_as_a_digest(desk):
    desk.create(RG, {**GROUP, "tags": {"note": "canary-1c"}}, secrets=("tags",))
    assert "canary-1c" not in desk.settings.ledger.read_text()
    assert wire.SEALED in desk.settings.ledger.read_text()


def test_what_is_made_is_read_with_what_only_azure_knows(desk):
    desk.create(RG, GROUP)
    made = desk.create(IDENTITY, {"resourceGroupName": "rg-x", "resourceName": "id-x", "location": "eastus2"})
    assert made.id.endswith("/userAssignedIdentities/id-x")
    assert {"principalId", "clientId", "tenantId"} <= wire.read(made.properties).keys()


def test_what_somebody_changed_is_in_the_inputs_that_are_read(desk):
    made = desk.create(RG, GROUP)
    state = wire.read(made.properties)
    desk.change(made.id, "tags.who", "somebody")
    assert wire.read(desk.read(RG, made.id, state, GROUP).inputs) == {**GROUP, "tags": {"who": "somebody"}}


def test_an_import_reads_the_inputs_that_made_a_resource(desk):
    desk.create(RG, GROUP)
    made = desk.create(ACCOUNT, STORE)
    answer = desk.read(ACCOUNT, made.id, {}, {})
    inputs = wire.read(answer.inputs)
    assert answer.id == made.id
    assert STORE.items() <= inputs.items()
    assert list(desk.check(ACCOUNT, inputs).failures) == []


def test_what_is_gone_is_read_as_nothing_and_deleted_without_complaint(desk):
    id = desk.create(RG, GROUP).id
    desk.delete(RG, id)
    assert desk.read(RG, id, {}, GROUP).id == ""
    desk.delete(RG, id)


def test_nothing_is_created_where_something_is(desk):
    desk.create(RG, GROUP)
    with pytest.raises(Aborted, match="cannot create already existing resource"):
        desk.create(RG, GROUP)
    assert desk.there() == ["rg-x"]


def test_what_was_accepted_and_not_waited_for_is_told_with_its_state(desk):
    """So the engine keeps it, and the next run brings it to its end."""
    write_json(desk.settings.faults, [{"kind": "timeout", "match": "PUT .*rg-x"}])
    with pytest.raises(Aborted) as refused:
        desk.create(RG, GROUP)
    (packed,) = status_pb2.Status.FromString(refused.value.args[2]["grpc-status-details-bin"]).details
    detail = provider_pb2.ErrorResourceInitFailed()
    assert packed.Unpack(detail)
    assert detail.id.endswith("/resourceGroups/rg-x")
    assert wire.read(detail.inputs) == GROUP
    assert wire.read(detail.properties)["name"] == "rg-x"


def test_a_rule_s_refusal_says_status_code_and_where_that_is_written(desk):
    with pytest.raises(Aborted) as refused:
        desk.create(ACCOUNT, STORE)
    code, text, _ = refused.value.args
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "Status=404" in text and 'Code="ResourceGroupNotFound"' in text


def test_another_subscription_than_the_fleet_s_is_not_there(desk):
    args = wire.write({"subscriptionId": "00000000-0000-0000-0000-00000000ffff"})
    desk.ask("Configure", provider_pb2.ConfigureRequest(args=args))
    with pytest.raises(Aborted, match="SubscriptionNotFound"):
        desk.create(RG, GROUP)


def test_a_function_answers_for_the_subscription(desk):
    message = provider_pb2.InvokeRequest(tok="azure-native:authorization:getClientConfig")
    answer = wire.read(getattr(desk.ask("Invoke", message), "return"))
    assert (answer["subscriptionId"], answer["tenantId"]) == (SUBSCRIPTION, TENANT)


def test_a_function_that_lists_credentials_answers_with_secrets(desk):
    desk.create(RG, GROUP)
    system = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5"}
    inputs = {"resourceGroupName": "rg-x", "resourceName": "aks-x", "location": "eastus2", "dnsPrefix": "aks-x"}
    identity = {"identity": {"type": "SystemAssigned"}, "agentPoolProfiles": [system]}
    desk.create("azure-native:containerservice:ManagedCluster", inputs | identity)
    token = "azure-native:containerservice:listManagedClusterUserCredentials"
    args = wire.write({"resourceGroupName": "rg-x", "resourceName": "aks-x"})
    answer = getattr(desk.ask("Invoke", provider_pb2.InvokeRequest(tok=token, args=args)), "return")
    assert wire.secret_keys(answer) == wire.read(answer).keys() != set()


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.CRASH])
def test_a_fault_leaves_what_its_kind_says_and_the_next_call_succeeds(desk, kind):
    write_json(desk.settings.faults, [{"kind": str(kind), "match": "PUT .*rg-x"}])
    with pytest.raises(Aborted) as refused:
        desk.create(RG, GROUP)
    after = kind in (Kind.INTERNAL, Kind.TIMEOUT)
    assert desk.there() == (["rg-x"] if after else [])
    assert refused.value.args[0] is (grpc.StatusCode.UNKNOWN if after else grpc.StatusCode.FAILED_PRECONDITION)
    assert ("Retry-After: 5 s" in refused.value.args[1]) is (kind is Kind.THROTTLED)
    if not after:
        assert desk.create(RG, GROUP).id.endswith("rg-x")
    assert desk.there() == ["rg-x"]


def test_a_fault_meets_the_call_of_its_number(desk):
    write_json(desk.settings.faults, [{"kind": "conflict", "at": 2}])
    id = desk.create(RG, GROUP).id
    with pytest.raises(Aborted, match="AnotherOperationInProgress"):
        desk.update(RG, id, GROUP, {**GROUP, "tags": {"a": "b"}})


def test_operations_on_one_cluster_overlap_and_azure_refuses_the_second(tmp_path):
    azure = ResourceManager(Settings(tmp_path, SUBSCRIPTION, TENANT, operation=0.05))
    system = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5"}
    inputs = {"resourceGroupName": "rg-x", "resourceName": "aks-x", "location": "eastus2", "dnsPrefix": "aks-x"}
    inputs |= {"identity": {"type": "SystemAssigned"}, "agentPoolProfiles": [system]}
    pools = [
        {"resourceGroupName": "rg-x", "resourceName": "aks-x", "agentPoolName": f"p{n}", "mode": "User"} for n in (1, 2)
    ]

    async def both() -> list[Any]:
        await azure.put(request(RG, GROUP, SUBSCRIPTION))
        await azure.put(request("azure-native:containerservice:ManagedCluster", inputs, SUBSCRIPTION))
        token = "azure-native:containerservice:AgentPool"
        wanted = [request(token, pool | {"count": 1, "vmSize": "Standard_D4s_v5"}, SUBSCRIPTION) for pool in pools]
        return await asyncio.gather(*map(azure.put, wanted), return_exceptions=True)

    first, second = asyncio.run(both())
    assert first["name"] == "p1"
    assert (second.status, second.code) == (409, "OperationNotAllowed")


def test_a_limit_of_the_fleet_is_held_against_its_pools(tmp_path):
    quota = {"standardncadsh100v5family": {"limit": 40, "used": 40}}
    limits = {
        "apiVersion": "bellwether/v1",
        "kind": "Limits",
        "example": True,
        "as_of": "2026-11-01",
        "sources": ["a test"],
        "subscription": SUBSCRIPTION,
        "regions": {"eastus2": {"quota": quota, "skus": {}, "prices": {}}},
    }
    write_json(tmp_path / "limits.json", limits)
    azure = ResourceManager(
        Settings(tmp_path, SUBSCRIPTION, TENANT, operation=0.0, limits=str(tmp_path / "limits.json"))
    )
    pool = {"name": "gpu", "mode": "System", "count": 1, "vmSize": "Standard_NC40ads_H100_v5"}
    cluster = {"resourceGroupName": "rg-x", "resourceName": "aks-x", "location": "eastus2", "dnsPrefix": "aks-x"}
    cluster |= {"identity": {"type": "SystemAssigned"}, "agentPoolProfiles": [pool]}
    asyncio.run(azure.put(request(RG, GROUP, SUBSCRIPTION)))
    with pytest.raises(ArmError, match=r"(?i)quota"):
        asyncio.run(azure.put(request("azure-native:containerservice:ManagedCluster", cluster, SUBSCRIPTION)))
