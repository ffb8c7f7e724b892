"""Features that a subscription must be registered for before anything can use them: once, for all regions.

A region does not register what it needs: another one may have, and what is there already cannot be made again.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import features

# Puts the machines of a pool on one InfiniBand fabric (github.com/Azure/aks-rdma-infiniband).
INFINIBAND = ("Microsoft.ContainerService", "AKSInfinibandSupport")

NEEDED = (INFINIBAND,)


class Features(pulumi.ComponentResource):
    """The registrations; they go last, as the whole stack does."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:base:Features", name, None, opts)
        for provider, feature in NEEDED:
            features.SubscriptionFeatureRegistration(
                f"feature-{feature}",
                provider_namespace=provider,
                feature_name=feature,
                properties={},
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
