"""Where users enter and which regions they are sent to, as it would be asked of Azure."""

from __future__ import annotations

from typing import Any

import pytest

from infra.blueprint.naming import Naming
from infra.blueprint.origin import origin
from tests.infra.components.whole import Whole

PROFILE = "Microsoft.Cdn/profiles"
FIREWALL = "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies"


def origins(atlas: Whole) -> dict[str, dict[str, Any]]:
    """Properties of the origins, by region."""
    found = atlas.all("edge", f"{PROFILE}/originGroups/origins").values()
    properties = [{**one.body["properties"], "id": one.id} for one in found]
    regions = {region.location: region.name for region in atlas.fleet.regions}
    return {regions[one["sharedPrivateLinkResource"]["privateLinkLocation"]]: one for one in properties}


def test_each_residency_group_has_an_endpoint_an_origin_group_and_a_name_of_its_own(atlas: Whole) -> None:
    for arm in ("afdEndpoints", "originGroups", "customDomains", "securityPolicies"):
        assert len(atlas.all("edge", f"{PROFILE}/{arm}")) == 2
    assert atlas.stack("edge").outputs["hosts"] == {"us": "us.atlas.example.com", "eu": "eu.atlas.example.com"}


def test_the_origins_of_a_group_are_its_regions_and_no_others(atlas: Whole) -> None:
    groups = {region.name: region.residency for region in atlas.fleet.regions}
    for region, found in origins(atlas).items():
        assert f"/originGroups/og-atlas-{groups[region]}-" in found["id"]


def test_a_region_is_reached_by_its_private_link_whose_id_is_known_before_it_is_made(atlas: Whole) -> None:
    assert atlas.fleet.azure is not None
    names = Naming("atlas", "production", atlas.fleet.azure.subscription)
    for region in atlas.fleet.regions:
        found, wanted = origins(atlas)[region.name], origin(atlas.fleet, region, names)
        assert found["sharedPrivateLinkResource"]["privateLink"]["id"] == wanted.pls_id
        assert found["hostName"] == found["originHostHeader"] == wanted.host
        assert found["enforceCertificateNameCheck"] is True


def test_a_region_whose_traffic_is_closed_gets_no_users(atlas: Whole) -> None:
    assert {name: one["enabledState"] for name, one in origins(atlas).items()} == {
        "eastus2": "Enabled",
        "southcentralus": "Disabled",
        "swedencentral": "Enabled",
    }


def test_a_region_that_others_fail_over_to_and_that_never_fails_over_stands_by(atlas: Whole) -> None:
    found = {name: one["priority"] for name, one in origins(atlas).items()}
    assert found == {"eastus2": 1, "southcentralus": 2, "swedencentral": 1}
    assert {one["weight"] for one in origins(atlas).values()} == {1000}


def test_a_route_leads_from_an_endpoint_to_the_origins_of_its_own_group_by_https_only(atlas: Whole) -> None:
    for name, route in atlas.all("edge", f"{PROFILE}/afdEndpoints/routes").items():
        properties = route.body["properties"]
        assert f"/afdEndpoints/fde-atlas-{name}-" in route.id
        assert f"/originGroups/og-atlas-{name}-" in properties["originGroup"]["id"]
        assert properties["supportedProtocols"] == ["Https"] and properties["forwardingProtocol"] == "HttpsOnly"
        assert properties["linkToDefaultDomain"] == "Disabled" and properties["patternsToMatch"] == ["/v1/*"]
        depends = " ".join(atlas.stack("edge").options[route.id].depends_on)
        assert depends.count("/origins/") == {"us": 2, "eu": 1}[name], "a route that leads nowhere is refused"


def test_the_firewall_stands_before_every_name_that_users_call(atlas: Whole) -> None:
    policy = next(iter(atlas.all("edge", FIREWALL).values()))
    guarded = set()
    for one in atlas.all("edge", f"{PROFILE}/securityPolicies").values():
        parameters = one.body["properties"]["parameters"]
        assert parameters["wafPolicy"]["id"] == policy.id
        guarded |= {domain["id"] for entry in parameters["associations"] for domain in entry["domains"]}
    assert guarded == {one.id for one in atlas.all("edge", f"{PROFILE}/customDomains").values()}


def test_the_firewall_blocks_by_azures_rules_and_does_not_read_prompts(atlas: Whole) -> None:
    properties = atlas.one("edge", FIREWALL)["properties"]
    assert properties["policySettings"]["mode"] == "Prevention"
    sets = {one["ruleSetType"]: one for one in properties["managedRules"]["managedRuleSets"]}
    assert sets.keys() == {"Microsoft_DefaultRuleSet", "Microsoft_BotManagerRuleSet"}
    [excluded] = sets["Microsoft_DefaultRuleSet"]["exclusions"]
    assert (excluded["matchVariable"], excluded["selector"]) == ("RequestBodyJsonArgNames", "*")
    scrubbed = properties["policySettings"]["logScrubbing"]["scrubbingRules"]
    assert {"RequestIPAddress", "RequestBodyJsonArgNames"} <= {rule["matchVariable"] for rule in scrubbed}


@pytest.mark.parametrize(
    ("rule", "read"),
    [
        ("LargeBodies", lambda rule: rule["matchConditions"][0]["matchValue"] == [str(4 * 2**20)]),
        ("Floods", lambda rule: rule["rateLimitThreshold"] == 60 * (2000 + 4000 + 5000 + 5000)),
        ("OtherMethods", lambda rule: rule["matchConditions"][0]["negateCondition"] is True),
    ],
)
def test_the_firewall_takes_its_limits_from_those_of_the_services(atlas: Whole, rule: str, read: Any) -> None:
    rules = {one["name"]: one for one in atlas.one("edge", FIREWALL)["properties"]["customRules"]["rules"]}
    assert rules[rule]["action"] == "Block" and read(rules[rule])


def test_names_lead_to_the_endpoint_of_their_group_and_prove_to_front_door_that_they_are_ours(atlas: Whole) -> None:
    names = atlas.all("edge", "Microsoft.Network/dnsZones/CNAME")
    for group in ("us", "eu"):
        assert names[group].body["properties"]["CNAMERecord"]["cname"].startswith(f"fde-atlas-{group}-")
    proofs = atlas.all("edge", "Microsoft.Network/dnsZones/TXT")
    assert proofs.keys() == {"_dnsauth.us", "_dnsauth.eu"}
    assert all(one.body["properties"]["TXTRecords"][0]["value"][0] for one in proofs.values())


def test_certificates_are_azures_and_old_tls_is_refused(atlas: Whole) -> None:
    for one in atlas.all("edge", f"{PROFILE}/customDomains").values():
        settings = one.body["properties"]["tlsSettings"]
        assert settings == {"certificateType": "ManagedCertificate", "minimumTlsVersion": "TLS12"}


def test_what_must_be_approved_is_said_with_the_words_of_the_request(atlas: Whole) -> None:
    approvals = {one["region"]: one for one in atlas.stack("edge").outputs["approvals"]}
    for region, found in origins(atlas).items():
        asked = found["sharedPrivateLinkResource"]
        assert approvals[region]["service"] == asked["privateLink"]["id"]
        assert approvals[region]["message"] == asked["requestMessage"] == f"atlas-production-{region}: the edge"
