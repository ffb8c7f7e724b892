"""An emulated Azure for tests: what programs want as rows, what is there as bodies, and somebody who changes it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.azure.emulation import Emulation
from infra.azure.ledger import Ledger
from infra.azure.subscription import Subscription
from infra.blueprint.stack import Kind, Stack, find
from infra.engine.deploy import Engine
from infra.fleet import load_fleet, locate

PROGRAMS = Path(__file__).with_name("programs")
DEADLINE = 60.0  # seconds, on a machine that has other things to do
GROUP, CLUSTER = "rg-lab", "aks-lab"
IN_GROUP = {"resourceGroupName": "${group.name}"}
IN_CLUSTER = {**IN_GROUP, "resourceName": "${cluster.name}"}


def until(condition: Callable[[], bool]) -> bool:
    """Wait until something is so."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"not within {DEADLINE:g} s"
        time.sleep(0.05)
    return True


class Lab:
    """One fleet, one engine, one emulated subscription in a directory."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.directory = directory
        self.fleet_file = directory / "demo.yaml"
        shutil.copy(locate("demo"), self.fleet_file)
        self.fleet = load_fleet(self.fleet_file)
        self.emulation = Emulation(directory / "emulation", self.fleet, PROGRAMS, **settings)
        self.engine = Engine(self.fleet, self.fleet_file, self.emulation)
        self.stack = self.of("region")

    def of(self, kind: Kind) -> Stack:
        """The fleet's stack of that kind."""
        return find(self.fleet, kind, source=str(self.fleet_file))

    def want(self, rows: Sequence[dict[str, Any]], kind: Kind = "region") -> None:
        """Say what the program of that kind declares from now on."""
        (self.directory / f"{kind}.json").write_text(json.dumps(rows))

    @contextmanager
    def azure(self) -> Iterator[Subscription]:
        """The subscription as it is, alone with it."""
        with Ledger(self.emulation.settings.ledger).session() as subscription:
            yield subscription

    def there(self) -> dict[str, Any]:
        """Name -> body of all that is in the subscription."""
        with self.azure() as subscription:
            return {id.rpartition("/")[2]: body for id, body in subscription.resources().items()}

    def body(self, id: str) -> dict[str, Any] | None:
        """What is there of a resource."""
        with self.azure() as subscription:
            return subscription.read(id)

    def change(self, name: str, path: str, value: Any) -> None:
        """Somebody changes a resource by hand."""
        with self.azure() as subscription:
            subscription.change(next(id for id in subscription.resources() if id.endswith(f"/{name}")), path, value)

    def delete(self, name: str) -> None:
        """Somebody deletes a resource by hand."""
        with self.azure() as subscription:
            subscription.remove(next(id for id in subscription.resources() if id.endswith(f"/{name}")))


def row(type: str, name: str, inputs: dict[str, Any], **options: Any) -> dict[str, Any]:
    """One resource of azure-native."""
    return {"type": f"azure-native:{type}", "name": name, "inputs": inputs, **options}


def pool(name: str, after: Sequence[str] = (), **inputs: Any) -> dict[str, Any]:
    """A pool of the cluster, made after others."""
    wish = {**IN_CLUSTER, "agentPoolName": name, "mode": "User", "count": 1, "vmSize": "Standard_D4s_v5"}
    return row("containerservice:AgentPool", name, wish | inputs, depends_on=list(after))


def objects() -> list[dict[str, Any]]:
    """What is in the cluster: a namespace, and settings in it."""
    config = json.dumps({"clusters": [{"name": "c", "cluster": {"server": "https://${cluster.fqdn}"}}]})
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "models"}}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "models"}}
    return [
        {"package": "kubernetes", "name": "inside", "inputs": {"kubeconfig": config}},
        {"type": "kubernetes:core/v1:Namespace", "name": "models", "inputs": space, "provider": "inside"},
        {
            "type": "kubernetes:core/v1:ConfigMap",
            "name": "settings",
            "inputs": {**settings, "data": {"a": "1"}},
            "provider": "inside",
            "depends_on": ["models"],
        },
    ]


def world() -> list[dict[str, Any]]:
    """A group, a network, a storage account, a cluster with two pools."""
    subnet = {"name": "nodes", "addressPrefix": "10.0.0.0/20"}
    system = {
        "name": "system",
        "mode": "System",
        "count": 3,
        "vmSize": "Standard_D4s_v5",
        "type": "VirtualMachineScaleSets",
    }
    return [
        row("resources:ResourceGroup", "group", {"resourceGroupName": GROUP, "location": "eastus2"}),
        row(
            "network:VirtualNetwork",
            "net",
            {
                **IN_GROUP,
                "virtualNetworkName": "vnet-lab",
                "location": "eastus2",
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [subnet],
            },
        ),
        row(
            "storage:StorageAccount",
            "store",
            {
                **IN_GROUP,
                "accountName": "stlab12345",
                "location": "eastus2",
                "kind": "StorageV2",
                "sku": {"name": "Standard_ZRS"},
                "minimumTlsVersion": "TLS1_2",
            },
        ),
        row(
            "containerservice:ManagedCluster",
            "cluster",
            {
                **IN_GROUP,
                "resourceName": CLUSTER,
                "location": "eastus2",
                "dnsPrefix": CLUSTER,
                "identity": {"type": "SystemAssigned"},
                "agentPoolProfiles": [system],
            },
            ignore_changes=["agentPoolProfiles"],
            depends_on=["net", "store"],
            outputs=["fqdn"],
        ),
        pool("oneg1"),
        pool("twog1", after=["oneg1"]),
    ]
