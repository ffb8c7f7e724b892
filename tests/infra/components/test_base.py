"""What all regions share, as it would be asked of Azure."""

from __future__ import annotations

from infra.components.policy import PLANS, RULES
from infra.residency.proof import audit
from tests.infra.components.whole import Whole

REGISTRY = "Microsoft.ContainerRegistry/registries"


def test_the_registry_is_private_and_has_no_password(atlas: Whole) -> None:
    body = atlas.one("base", REGISTRY)
    properties = body["properties"]
    assert body["sku"] == {"name": "Premium"}
    assert properties["adminUserEnabled"] is False and properties["anonymousPullEnabled"] is False
    assert properties["publicNetworkAccess"] == "Disabled" and properties["zoneRedundancy"] == "Enabled"
    assert properties["policies"]["exportPolicy"] == {"status": "disabled"}


def test_the_registry_has_a_replica_in_every_other_region_of_the_fleet(atlas: Whole) -> None:
    replicas = atlas.all("base", f"{REGISTRY}/replications")
    assert {one.location for one in replicas.values()} == {"southcentralus", "swedencentral"}
    assert all(one.body["properties"]["zoneRedundancy"] == "Enabled" for one in replicas.values())


def test_front_door_is_the_kind_with_private_links_and_its_logs_hold_no_addresses(atlas: Whole) -> None:
    profile = atlas.one("base", "Microsoft.Cdn/profiles")
    assert profile["sku"]["name"] == "Premium_AzureFrontDoor" and profile["location"] == "global"
    scrubbed = profile["properties"]["logScrubbing"]
    assert scrubbed["state"] == "Enabled"
    assert "RequestIPAddress" in [rule["matchVariable"] for rule in scrubbed["scrubbingRules"]]
    setting = atlas.one("base", "Microsoft.Insights/diagnosticSettings")["properties"]
    [workspace] = atlas.all("base", "Microsoft.OperationalInsights/workspaces").values()
    assert setting["workspaceId"] == workspace.id and workspace.location == "eastus2"


def test_nobody_but_the_edges_authority_may_issue_certificates_for_the_zone(atlas: Whole) -> None:
    assert "atlas.example.com" in atlas.all("base", "Microsoft.Network/dnsZones")
    record = atlas.one("base", "Microsoft.Network/dnsZones/CAA")["properties"]
    assert [entry["value"] for entry in record["caaRecords"]] == ["digicert.com"]


def test_policies_hold_the_subscription_and_the_shared_group_to_their_rules(atlas: Whole) -> None:
    found = atlas.all("base", "Microsoft.Authorization/policyAssignments")
    assert len(found) == len(RULES) + 1
    assert all(len(name) <= 24 for name in found), "a name of an assignment has at most 24 characters"
    [allowed] = [one for one in found.values() if "/resourceGroups/" in one.id]
    places = allowed.body["properties"]["parameters"]["listOfAllowedLocations"]["value"]
    assert set(places) == {"eastus2", "southcentralus", "swedencentral"}


def test_defender_watches_what_a_fleet_is_made_of_one_plan_after_the_other(atlas: Whole) -> None:
    found = atlas.all("base", "Microsoft.Security/pricings")
    assert found.keys() == PLANS.keys()
    assert {one.body["properties"]["pricingTier"] for one in found.values()} == {"Standard"}
    options = [atlas.options("base")[f"pricings/{plan}"] for plan in PLANS]
    assert all(
        f"pricings/{before}" in " ".join(one.depends_on) for before, one in zip(PLANS, options[1:], strict=False)
    )


def test_azure_tells_who_has_a_role_and_no_address_is_in_the_template(atlas: Whole) -> None:
    group = atlas.one("base", "Microsoft.Insights/actionGroups")["properties"]
    assert {receiver["name"] for receiver in group["armRoleReceivers"]} == {"owners", "monitoring"}
    assert not [key for key in group if key.endswith("Receivers") and key != "armRoleReceivers"]
    alert = atlas.one("base", "Microsoft.Insights/activityLogAlerts")["properties"]
    assert "swedencentral" in str(alert["condition"])


def test_what_must_not_go_by_mistake_is_protected_and_logs_stay_when_the_stack_goes(atlas: Whole) -> None:
    options = atlas.options("base")
    protected = {key.partition("/")[0] for key, one in options.items() if one.protect}
    assert protected == {"resourceGroups", "registries", "dnsZones", "profiles", "workspaces"}
    assert {key.partition("/")[0] for key, one in options.items() if one.retain} == {"resourceGroups", "workspaces"}


def test_nothing_that_base_exports_depends_on_which_regions_there_are(atlas: Whole) -> None:
    exported = str(atlas.stack("base").outputs)
    assert atlas.stack("base").outputs["contract"] == 1
    assert not [name for name in ("southcentralus", "swedencentral", "scus", "sec") if name in exported]


def test_no_data_of_any_stack_leave_their_residency_group(atlas: Whole) -> None:
    requests = [request for one in atlas.rendered for request in one.requests]
    assert audit(atlas.fleet, requests) == ()
