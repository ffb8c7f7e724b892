"""What resource providers refuse though the types allow it: a module per provider or matter, a function per rule.

`check` and `check_removal` ask all of them; `immutable` says what cannot be changed in place. Codes are Azure's where a
page or an issue states them; where none does, they are the provider's general one or a name in its style.
"""

from infra.azure.rules import (
    agentpool,
    api_server,
    authorization,
    cdn,
    cluster_network,
    compute,
    containerregistry,
    containerservice,
    dataprotection,
    dns,
    egress,
    firewall,
    gpupool,
    keyvault,
    managedidentity,
    monitor,
    network,
    overlap,
    peering,
    private_access,
    purchase,
    quota,
    removal,
    resources,
    storage,
    systempool,
    traffic,
    waf,
)
from infra.azure.rules.immutable import immutable
from infra.azure.rules.rule import RULES, check, check_removal

PROVIDERS = (
    *(resources, overlap, removal),
    *(agentpool, systempool, gpupool, purchase, containerservice, api_server, cluster_network, egress),
    *(network, peering, traffic, firewall, private_access, dns),
    *(keyvault, containerregistry, storage, compute, quota),
    *(authorization, managedidentity, monitor, dataprotection, cdn, waf),
)
"""The modules whose rules are in force: being imported registers them."""

__all__ = ["PROVIDERS", "RULES", "check", "check_removal", "immutable"]
