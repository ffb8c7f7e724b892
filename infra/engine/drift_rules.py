"""Kinds of change outside of Pulumi: on which types, at which paths, by whom, and what `up` does. Pure: data.

Read in order, the first row that fits counts. A path is fitted by its beginning; a word after `*` fits anywhere in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Loudness = Literal["benign", "ours", "dangerous"]
"""benign: a machine did what it is for. ours: somebody's wish that the fleet file does not know, and `up` undoes.
dangerous: it opened, moved or lost something, or undoing it blindly would."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What kind of change it is, who makes such changes, what `up` does about it, and how loud to say so."""

    kind: str
    loud: Loudness
    who: str
    up: str

    def __str__(self) -> str:
        return f"{self.kind}, by {self.who}: {self.up}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Types (none: every type) and paths that an explanation is for."""

    said: Explanation
    types: tuple[str, ...] = ()
    paths: tuple[str, ...] = ("*",)

    def fits(self, type: str, path: str) -> bool:
        """Whether the rule is for a property of a type."""
        low = path.lower()
        words = (word.lower() for word in self.paths)
        return type in (self.types or (type,)) and any(
            word[1:] in low if word.startswith("*") else low.startswith(word) for word in words
        )


A_PERSON, SOMEBODY = "a person", "a person or a policy"
PUT_BACK, AGAIN = "`up` puts it back", "`up` makes it again"

LOST = Explanation(
    "deleted with its data",
    "dangerous",
    A_PERSON,
    "`up` makes an empty one of that name; recover the deleted one first, as long as Azure keeps it",
)
BROKEN = Explanation("a running part was deleted", "dangerous", A_PERSON, f"{AGAIN}; users miss it until then")
UNGUARDED = Explanation("a guard was deleted", "dangerous", A_PERSON, AGAIN)
DELETED = Explanation("deleted", "ours", A_PERSON, AGAIN)

AUTOSCALED = Explanation("machines came or went", "benign", "the autoscaler", "`up` leaves it alone")
REIMAGED = Explanation("a node image was renewed", "benign", "the upgrade channel of AKS", "`up` leaves it alone")
UPGRADED = Explanation(
    "a newer version",
    "benign",
    "the upgrade channel of AKS",
    "`up` cannot go back, and AKS refuses to: write the version under azure.kubernetes",
)
DOWNGRADED = Explanation("an older version", "ours", A_PERSON, "`up` upgrades it again")
TAGGED = Explanation("a tag was added", "benign", SOMEBODY, "`up` takes it away, and whoever set it sets it again")
RETAGGED = Explanation("a tag of the fleet was changed", "ours", SOMEBODY, PUT_BACK)
SCALED = Explanation(
    "a pool was given another range", "ours", A_PERSON, f"{PUT_BACK}; to keep it, write it under nodes of the pool"
)
RESCHEDULED = Explanation("what runs on a pool was changed", "ours", A_PERSON, f"{PUT_BACK}; pods may have to move")
SILENCED = Explanation("an alert was changed or silenced", "ours", A_PERSON, f"{PUT_BACK}; it will call again")
POSTPONED = Explanation("when things are upgraded was changed", "ours", A_PERSON, PUT_BACK)
TUNED = Explanation("how it scales or what it promises was changed", "ours", A_PERSON, PUT_BACK)
PRICED = Explanation("what it may cost was changed", "ours", A_PERSON, PUT_BACK)
OTHER = Explanation("changed by hand", "ours", A_PERSON, f"{PUT_BACK}; to keep it, say it in the fleet file")

OPENED = Explanation("security was weakened", "dangerous", A_PERSON, f"{PUT_BACK}; find out who came in meanwhile")
MOVED = Explanation(
    "data are led elsewhere", "dangerous", A_PERSON, f"{PUT_BACK}; what left its residency group stays outside"
)
CONVERTED = Explanation(
    "data are led elsewhere",
    "dangerous",
    A_PERSON,
    "`up` cannot put it back, and ends with what Azure says to that: convert the account (az storage account migration"
    " start, or the switch that its portal offers), then `up`; what left its residency group stays outside",
)
STEERED = Explanation(
    "users are led elsewhere",
    "dangerous",
    A_PERSON,
    "`up` sends them back at once; if a region was drained for an incident, write traffic: closed first",
)
UNSAVED = Explanation("backups were weakened", "dangerous", A_PERSON, f"{PUT_BACK}; what was not saved is lost")
UNSEEN = Explanation("records were switched off", "dangerous", A_PERSON, f"{PUT_BACK}; the time in between is lost")

GUARDS = (
    *("RoleAssignment", "ManagementLockByScope", "ManagementLockAtResourceGroupLevel", "PolicyAssignment", "Pricing"),
    *("SecurityPolicy", "Policy", "NetworkSecurityGroup", "AzureFirewall", "FirewallPolicy", "RouteTable"),
    *("FirewallPolicyRuleCollectionGroup", "PrivateDnsZoneGroup", "FederatedIdentityCredential", "Defender"),
)
EDGE = ("AFDOrigin", "AFDOriginGroup", "AFDEndpoint", "Route", "RecordSet", "Rule")
ALERTS = ("PrometheusRuleGroup", "ActionGroup", "MetricAlert", "ScheduledQueryRule", "ActivityLogAlert")
STORES = ("Vault", "Registry", "StorageAccount", "BlobContainer", "Workspace", "AzureMonitorWorkspace", "BackupVault")

GONE = (
    Rule(LOST, (*STORES, "Key", "BackupInstance", "Zone")),
    Rule(BROKEN, ("ManagedCluster", "AgentPool", "PrivateLinkService", *EDGE)),
    Rule(UNGUARDED, (*GUARDS, "DiagnosticSetting", "PrivateEndpoint", "BackupPolicy")),
    Rule(DELETED),
)
"""What the loss of a whole resource is."""

CHANGED = (
    Rule(AUTOSCALED, ("AgentPool",), ("count",)),
    Rule(REIMAGED, ("AgentPool", "ManagedCluster"), ("*nodeImageVersion",)),
    Rule(SCALED, ("AgentPool",), ("minCount", "maxCount", "enableAutoScaling", "scaleDownMode")),
    Rule(RESCHEDULED, ("AgentPool",), ("nodeTaints", "nodeLabels", "mode", "powerState")),
    Rule(OPENED, ("AgentPool",), ("enableNodePublicIP", "enableEncryptionAtHost", "networkProfile")),
    Rule(MOVED, ("Registry", "StorageAccount", "BackupVault", "Replication"), ("sku", "*storageSettings", "*replic")),
    Rule(MOVED, ("BackupVault",), ("*crossRegionRestore",)),
    Rule(MOVED, ("DiagnosticSetting",), ("workspaceId", "storageAccountId", "eventHub", "marketplacePartnerId")),
    Rule(MOVED, ("DataCollectionRule", "DataCollectionRuleAssociation"), ("destinations", "dataCollection")),
    Rule(MOVED, ("PrivateEndpoint",), ("*privateLinkService",)),
    Rule(MOVED, ("Route",), ("cacheConfiguration",)),
    Rule(UNSEEN, ("DiagnosticSetting", "DataCollectionRule"), ("logs", "metrics", "dataFlows", "dataSources")),
    Rule(UNSEEN, ("Workspace", "AzureMonitorWorkspace"), ("retention", "workspaceCapping")),
    Rule(UNSEEN, ("ManagedCluster",), ("azureMonitorProfile", "addonProfiles.omsagent")),
    Rule(OPENED, ("AFDOrigin",), ("sharedPrivateLinkResource", "enforceCertificateNameCheck")),
    Rule(OPENED, ("Profile",), ("logScrubbing",)),
    Rule(OPENED, ("Route",), ("supportedProtocols", "httpsRedirect", "forwardingProtocol")),
    Rule(STEERED, EDGE),
    Rule(UNSAVED, ("BackupPolicy", "BackupInstance", "BackupVault")),
    Rule(OPENED, GUARDS),
    Rule(
        OPENED,
        ("ManagedCluster",),
        (
            *("apiServerAccessProfile", "aadProfile", "disableLocalAccounts", "enableRBAC", "securityProfile", "oidc"),
            *("networkProfile", "addonProfiles", "nodeResourceGroupProfile", "diskEncryptionSet"),
        ),
    ),
    Rule(SILENCED, ALERTS),
    Rule(POSTPONED, ("MaintenanceConfiguration",)),
    Rule(POSTPONED, ("ManagedCluster",), ("autoUpgradeProfile",)),
    Rule(TUNED, ("ManagedCluster",), ("autoScalerProfile", "sku")),
    Rule(PRICED, ("CapacityReservation", "Budget")),
    Rule(
        OPENED,
        (),
        (
            *("*publicNetworkAccess", "*networkAcls", "*networkRule", "*ipRules", "*defaultAction", "*publicAccess"),
            *("*allowBlobPublic", "*allowSharedKey", "*allowCrossTenant", "*adminUserEnabled", "*anonymousPull"),
            *("*disableLocalAuth", "*enableRbacAuthorization", "*minimumTls", "*purgeProtection", "*softDelete"),
            *("*httpsTrafficOnly", "*encryption", "*accessPolicies", "*visibility", "*autoApproval", "*immutab"),
            *("*networkSecurityGroup", "*routeTable", "*defaultOutboundAccess"),
        ),
    ),
)
"""What the change of a property is; one that no row knows is OTHER."""
