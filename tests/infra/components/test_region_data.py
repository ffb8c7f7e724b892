"""Where the data of a region are, how they are kept and backed up, and that nothing of them goes by mistake."""

from __future__ import annotations

import pytest

from infra.azure.facts import regions
from infra.components.grant import ROLES
from tests.infra.components.rendered import Rendered, scope
from tests.infra.components.rows import Row, Where, cases, everywhere

AKS = "Microsoft.ContainerService/managedClusters"
NETWORK = "Microsoft.Network"
BACKUP = "Microsoft.DataProtection/backupVaults"


def backup_that_stays_in_the_region(made: Rendered) -> None:
    zonal = regions()[made.place.location].zones
    vault = made.properties(BACKUP)
    assert [store["type"] for store in vault["storageSettings"]] == ["ZoneRedundant" if zonal else "LocallyRedundant"]
    assert vault["securitySettings"]["softDeleteSettings"]["state"] == "On"
    instance = made.properties(f"{BACKUP}/backupInstances")
    assert instance["dataSourceInfo"]["resourceID"] == made.one(AKS).id
    assert instance["policyInfo"]["policyId"] == made.one(f"{BACKUP}/backupPolicies").id
    account = made.one("Microsoft.Storage/storageAccounts")
    assert account.body["sku"]["name"] == ("Standard_ZRS" if zonal else "Standard_LRS")
    settings = made.properties("Microsoft.KubernetesConfiguration/extensions")["configurationSettings"]
    assert settings["configuration.backupStorageLocation.config.useAAD"] == "true"
    assert settings["configuration.backupStorageLocation.config.storageAccount"] == account.name


def backup_every_four_hours_and_for_a_month(made: Rendered) -> None:
    making, *kept = made.properties(f"{BACKUP}/backupPolicies")["policyRules"]
    (interval,) = making["trigger"]["schedule"]["repeatingTimeIntervals"]
    assert interval.endswith("/PT4H")
    lifecycles = [one for rule in kept for one in rule["lifecycles"]]
    found = {(one["sourceDataStore"]["dataStoreType"], one["deleteAfter"]["duration"]) for one in lifecycles}
    assert found == {("OperationalStore", "P7D"), ("VaultStore", "P30D")}


VAULTS_RIGHTS = {
    ("Reader", "cluster"),
    *(("Reader", "snapshots"), ("Disk Snapshot Contributor", "snapshots")),
    *(("Data Operator for Managed Disks", "snapshots"), ("Storage Blob Data Contributor", "account")),
}
"""learn.microsoft.com, "AKS backup prerequisites"."""


def rights_that_a_backup_needs(made: Rendered) -> None:
    """Before the first one is made: of the vault, of what writes in the cluster, and of the cluster itself."""
    instance, trusted = made.one(f"{BACKUP}/backupInstances"), made.one(f"{AKS}/trustedAccessRoleBindings")
    before = made.waited_for(instance)
    assert trusted.body["properties"]["roles"] == ["Microsoft.DataProtection/backupVaults/backup-operator"]
    (stored,) = instance.body["properties"]["policyInfo"]["policyParameters"]["dataStoreParametersList"]
    scopes = {made.one(AKS).id: "cluster", made.one("Microsoft.Storage/storageAccounts").id: "account"}
    scopes[stored["resourceGroupId"]] = "snapshots"
    rights: dict[str, set[tuple[str, str]]] = {}
    for role in ROLES:
        for one in (one for one in made.granted(role) if one.id in before and scope(one) in scopes):
            rights.setdefault(one.body["properties"]["principalId"], set()).add((role, scopes[scope(one)]))
    vault = made.recorder.azure.read(made.one(BACKUP).id) or {}
    assert trusted.id in before and rights.pop(vault["identity"]["principalId"]) == VAULTS_RIGHTS
    assert sorted(rights.values(), key=str) == [
        {("Contributor", "snapshots")},
        {("Storage Blob Data Contributor", "account")},
    ]


ROWS: list[tuple[Where, Row]] = [
    (everywhere, backup_that_stays_in_the_region),
    (everywhere, backup_every_four_hours_and_for_a_month),
    (everywhere, rights_that_a_backup_needs),
]


@pytest.mark.parametrize(("region", "row"), cases(ROWS))
def test_a_region_has(rendered: dict[str, Rendered], region: str, row: Row) -> None:
    row(rendered[region])


GUARDED = (AKS, "Microsoft.Compute/diskEncryptionSets", f"{NETWORK}/publicIPAddresses")
KEPT = (
    *("Microsoft.KeyVault/vaults", "Microsoft.KeyVault/vaults/keys", "Microsoft.OperationalInsights/workspaces"),
    *("Microsoft.Monitor/accounts", "Microsoft.DataProtection/backupVaults", "Microsoft.Storage/storageAccounts"),
    "Microsoft.DataProtection/backupVaults/backupInstances",
)


@pytest.mark.parametrize("kind", [*GUARDED, *KEPT])
def test_what_must_not_go_by_mistake_is_protected(rendered: dict[str, Rendered], kind: str) -> None:
    made = rendered["walled"]
    options = made.options(made.one(kind))
    assert options.protect and options.retain == (kind in KEPT)


def test_what_holds_data_is_in_groups_that_stay(rendered: dict[str, Rendered]) -> None:
    """A resource group that is deleted takes along what is retained in it."""
    made = rendered["walled"]
    groups = {one.name: made.options(one).retain for one in made.all("Microsoft.Resources/resourceGroups")}
    assert sorted(groups.values()) == [False, True, True]
    for kind in KEPT:
        assert groups[made.one(kind).id.split("/")[4]]


def test_everything_lies_in_the_region(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        location, asked = made.fleet.region(made.region).location, made.requests
        elsewhere = {one.type for one in asked if one.location not in (location, "global", None)}
        assert elsewhere == ({"Microsoft.KeyVault/vaults"} if made.region == "southeastasia" else set())


def test_secrets_lie_elsewhere_rather_than_be_copied_out_of_their_group(rendered: dict[str, Rendered]) -> None:
    made = rendered["atlas-southeastasia"]
    vault = made.one("Microsoft.KeyVault/vaults")
    assert vault.location and regions()[vault.location].residency in made.fleet.residency["apac"].jurisdictions
    assert not made.all("Microsoft.Compute/diskEncryptionSets")  # Azure wants them beside their vault
    assert "diskEncryptionSetID" not in made.cluster


def test_nothing_is_copied_to_a_paired_region(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        text = str([one.body for one in made.requests])
        assert "GeoRedundant" not in text and "_GRS" not in text and "_GZRS" not in text and "RAGRS" not in text


def test_no_key_password_or_shared_secret_is_anywhere(rendered: dict[str, Rendered]) -> None:
    for made in rendered.values():
        account = made.properties("Microsoft.Storage/storageAccounts")
        assert account["allowSharedKeyAccess"] is False and account["minimumTlsVersion"] == "TLS1_2"
        assert made.properties("Microsoft.OperationalInsights/workspaces")["features"]["disableLocalAuth"] is True
        assert not made.all("Microsoft.KeyVault/vaults/secrets")
