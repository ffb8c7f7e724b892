"""Physical names of Azure resources: the same fleet, region and part give the same name, always. Pure.

The form is type-workload-part-environment-region-nnn, as the Cloud Adoption Framework recommends (learn.microsoft.com,
"Define your naming convention"), so that an import or a recovery can compute every name. Lengths and letters are within
those of "Naming rules and restrictions for Azure resources" (MicrosoftDocs/azure-docs, articles/azure-resource-manager/
management/resource-name-rules.md, 2023-11-20). A name that must be unique in all of Azure ends with a hash of the
subscription and of what it stands for; one that would be too long is cut and ends so, too.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache

from infra.azure.facts import regions

ENVIRONMENTS = {"demo": "demo", "dev": "dev", "staging": "stg", "production": "prod"}
HASH = 5  # characters of base 32: 33 million values, enough for the few names of one fleet


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of resource is called, and what its names may be."""

    short: str  # the abbreviation of the Cloud Adoption Framework
    longest: int  # at most what Azure takes
    unique: bool = False  # in all of Azure
    dashes: bool = True


KINDS = {
    "resource group": Kind("rg", 90),
    "virtual network": Kind("vnet", 64),
    "subnet": Kind("snet", 80),
    "network security group": Kind("nsg", 80),
    "route table": Kind("rt", 80),
    "firewall": Kind("afw", 56),  # 80 on the page; Azure/bicep-types-az has 56
    "firewall policy": Kind("afwp", 80),
    "NAT gateway": Kind("ng", 80),
    "public address": Kind("pip", 80),
    "private endpoint": Kind("pep", 64),
    "private link service": Kind("pls", 80),
    "flow log": Kind("flow", 80),
    "cluster": Kind("aks", 54),  # 63 for the cluster, but it is its DNS prefix as well
    "identity": Kind("id", 128),
    "capacity reservation group": Kind("crg", 80),
    "capacity reservation": Kind("cr", 80),
    "disk encryption set": Kind("des", 80),
    "key vault": Kind("kv", 24, unique=True),
    "registry": Kind("cr", 50, unique=True, dashes=False),
    "storage account": Kind("st", 24, unique=True, dashes=False),
    "log workspace": Kind("log", 63),
    "metrics workspace": Kind("amw", 44),
    "collection endpoint": Kind("dce", 44),
    "collection rule": Kind("dcr", 64),
    "action group": Kind("ag", 260),
    "alert rule": Kind("ar", 260),
    "rule group": Kind("prg", 255),
    "backup vault": Kind("bvault", 50),
    "backup policy": Kind("bkpol", 150),
    "Front Door": Kind("afd", 90),  # 260 on the page; hashicorp/azurerm takes 90
    "edge endpoint": Kind("fde", 46),  # 50 on the page; hashicorp/azurerm takes 46
    "origin group": Kind("og", 50),
    "origin": Kind("o", 50),
    "web application firewall": Kind("waf", 128, dashes=False),
    "budget": Kind("bud", 63),
    "policy assignment": Kind("pa", 24),  # 64, but 24 in a management group
}
"""Kind of resource -> how its names are made.

Not on the page, and in no other public one that was found: NAT gateways, flow logs, link services, capacity
reservations, collection endpoints and rules, rule groups and workspaces of Azure Monitor; vaults and policies of
Microsoft.DataProtection have what it says of those of Microsoft.RecoveryServices.
"""


@dataclass(frozen=True, slots=True)
class Naming:
    """Names of one fleet in one environment of one subscription."""

    fleet: str
    environment: str
    subscription: str

    def name(self, kind: str, location: str = "", part: str = "", number: int = 1) -> str:
        """The name of a resource: its kind (a key of KINDS), the region it is for, which one of several it is."""
        rule = KINDS[kind]
        place = region_code(location) if location else ""
        words = [rule.short, self.fleet, part, ENVIRONMENTS[self.environment], place, f"{number:03d}"]
        full = _joined([word for word in words if word], rule)
        if not rule.unique and len(full) <= rule.longest:
            return full
        mark = _hash(f"{self.subscription if rule.unique else ''}/{kind}/{full}")
        return _joined([full[: rule.longest - HASH - rule.dashes].rstrip("-"), mark], rule)

    def stack(self, region: str | None = None) -> str:
        """The name of a Pulumi stack: <fleet>-<environment>[-<region>]."""
        return "-".join(word for word in (self.fleet, self.environment, region) if word)


def pool(name: str, generation: int) -> str:
    """The name of an AKS agent pool: at most 12 lower-case letters and digits, beginning with a letter."""
    return f"{name}g{generation}"


def region_code(location: str) -> str:
    """A short code of an Azure region, such as eus2 for eastus2; no two regions share one."""
    return _codes()[location]


_WORDS = {
    "north": "n", "south": "s", "east": "e", "west": "w", "central": "c", "us": "us", "europe": "eu", "asia": "as",
    "australia": "au", "austria": "at", "belgium": "be", "brazil": "br", "canada": "ca", "chile": "cl", "china": "cn",
    "denmark": "dk", "france": "fr", "germany": "de", "india": "in", "indonesia": "id", "israel": "il", "italy": "it",
    "japan": "jp", "korea": "kr", "malaysia": "my", "mexico": "mx", "newzealand": "nz", "norway": "no", "poland": "pl",
    "qatar": "qa", "africa": "za", "spain": "es", "sweden": "se", "switzerland": "ch", "taiwan": "tw", "uae": "ae",
    "uk": "uk", "jio": "jio",
}  # fmt: skip


@cache
def _codes() -> dict[str, str]:
    return {location: _code(location) for location in regions()}


def _code(location: str) -> str:
    pattern = "|".join(sorted(_WORDS, key=len, reverse=True))
    return re.sub(pattern, lambda word: _WORDS[word[0]], location)


def _joined(words: list[str], rule: Kind) -> str:
    return "-".join(words) if rule.dashes else re.sub("[^a-z0-9]", "", "".join(words))


def _hash(text: str) -> str:
    """Base 32 in lower case: letters and digits that every name may have."""
    value = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
    return "".join("abcdefghijklmnopqrstuvwxyz234567"[(value >> (5 * place)) & 31] for place in range(HASH))
