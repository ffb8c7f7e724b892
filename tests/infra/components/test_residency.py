"""The audit sees through what the programs really render: whatever is bent to another group is found, one by one."""

from __future__ import annotations

import json
from dataclasses import replace

from infra.azure.schema import Request
from infra.residency.proof import audit
from tests.infra.components.whole import Whole

HARMLESS = {  # what no data follow: names, and what money is spent on
    "microsoft.network/privatednszones/virtualnetworklinks",
    "microsoft.network/privateendpoints/privatednszonegroups",
    "microsoft.consumption/budgets",
    "microsoft.kubernetesconfiguration/extensions",  # of its group it has the name; the storage account counts
}
MOVED = {
    *("microsoft.insights/diagnosticsettings", "microsoft.insights/datacollectionrules"),
    *("microsoft.insights/datacollectionruleassociations", "microsoft.alertsmanagement/prometheusrulegroups"),
    *("microsoft.network/privateendpoints", "microsoft.dataprotection/backupvaults/backupinstances"),
    *("microsoft.compute/diskencryptionsets", "microsoft.cdn/profiles/origingroups/origins"),
    *("microsoft.containerservice/managedclusters", "microsoft.containerservice/managedclusters/agentpools"),
}


def _all(atlas: Whole) -> list[Request]:
    return [request for one in atlas.rendered for request in one.requests]


def test_each_reference_of_a_region_that_is_bent_to_another_group_is_found(atlas: Whole) -> None:
    """One request of Sweden at a time refers to what is in Virginia."""
    requests, found, missed = _all(atlas), set[str](), set[str]()
    for place, request in enumerate(requests):
        bent = json.dumps(request.body).replace("-sec-", "-eus2-")
        if "-sec-" in request.id and bent != json.dumps(request.body):
            changed = [*requests[:place], replace(request, body=json.loads(bent)), *requests[place + 1 :]]
            (found if audit(atlas.fleet, changed) else missed).add(request.type.lower())
    assert found >= MOVED
    assert missed <= HARMLESS


def test_each_resource_of_a_region_that_is_made_elsewhere_is_found(atlas: Whole) -> None:
    """One resource of Sweden at a time lies in Virginia."""
    requests = _all(atlas)
    for place, request in enumerate(requests):
        if "-sec-" in request.id and request.location == "swedencentral":
            moved = replace(request, location="eastus2", body={**request.body, "location": "eastus2"})
            changed = [*requests[:place], moved, *requests[place + 1 :]]
            assert audit(atlas.fleet, changed), request.id
