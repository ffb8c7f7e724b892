"""Findings of public scanners that we answer for: which check, at which type of resource, and why it stays so. Pure.

A waiver is written into the rendered template, at its resource, in checkov's form (checkov.io, "Suppressing and
Skipping Policies"). Resource Manager ignores `metadata`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiver:
    """One check that is not heeded at one type of resource."""

    check: str
    type: str
    reason: str


WAIVERS = (
    Waiver(
        "CKV_AZURE_6",
        "Microsoft.ContainerService/managedClusters",
        "the API server is private, and a private cluster takes no authorized IP ranges",
    ),
    Waiver(
        "CKV_AZURE_172",
        "Microsoft.ContainerService/managedClusters",
        "rotation is on: ARM takes the text true, and the check knows only the boolean",
    ),
    Waiver(
        "CKV_AZURE_206",
        "Microsoft.Storage/storageAccounts",
        "zone redundant on purpose: a copy in the paired region would leave the residency group",
    ),
    Waiver(
        "CKV_AZURE_166",
        "Microsoft.ContainerRegistry/registries",
        "quarantine without a scanner that releases images means that none can be pulled; Defender scans them",
    ),
    Waiver(
        "CKV_AZURE_87",
        "Microsoft.Security/pricings",
        "the check fails every plan that is not Key Vault's; that one is on",
    ),
)


def waived(type: str) -> Iterator[str]:
    """The comments that a resource of that type carries for the scanner."""
    for waiver in WAIVERS:
        if waiver.type.lower() == type.lower():
            yield f"checkov:skip={waiver.check}:{waiver.reason}"
