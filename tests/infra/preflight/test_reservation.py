"""What is wanted reserved and cannot be is told before anybody asks for it; what only a page says is not known."""

from __future__ import annotations

import json

import pytest

from infra.azure.facts import gpu_sizes
from infra.fleet import FLEETS
from infra.preflight.capacity import preflight
from infra.preflight.finding import Finding
from infra.preflight.limits import Limits, Offer
from infra.preflight.reservation import PAGE
from tests.infra.granted import fleet, granting, limits, offering, source, without

DEMO, ATLAS = fleet("demo"), fleet("atlas")
DEMO_LIMITS, ATLAS_LIMITS = limits("demo"), limits("atlas")
H100, A100, A100_SXM = "Standard_ND96isr_H100_v5", "Standard_NC96ads_A100_v4", "Standard_ND96amsr_A100_v4"
WORDS = "reserved"


def found(known: Limits | None, kind: str, name: str = "atlas", *edits: tuple[str, str]) -> list[Finding]:
    """The findings of one kind that speak of what can be reserved."""
    checked = preflight(fleet(name, *edits), known, source(name, *edits))
    return [one for one in checked.of(kind) if WORDS in one.what and "the price of" not in one.what]


def saying(reservable: bool | None, sku: str = H100, location: str = "eastus2") -> Limits:
    """The limits of atlas with another word on whether a size can be reserved in a region."""
    return offering(ATLAS_LIMITS, location, **{sku: Offer(zones=(1, 2, 3), reservable=reservable)})


@pytest.mark.parametrize("kind", ["violation", "unknown", "warning"])
def test_what_the_limits_say_can_be_reserved_is_no_finding(kind: str) -> None:
    """Whatever a page says: ARM knows better, and the example stands for it. And demo reserves nothing."""
    assert not found(ATLAS_LIMITS, kind)
    assert not found(DEMO_LIMITS, kind, "demo")


def test_what_the_limits_say_cannot_be_reserved_is_a_violation() -> None:
    """File and line, what binds, what would be right, and which sizes can be reserved instead."""
    roomy = granting(saying(False), "eastus2", cores=30000, standardndamsv4_a100family=9600)
    (finding,) = found(roomy, "violation")
    assert finding.where.startswith("atlas.yaml:43:")
    assert finding.where.endswith(": regions[0].pools[0].priority")
    assert finding.what == (
        f"eastus2: no capacity of {H100} can be reserved, as h100 wants it; write priority: on-demand, or another sku"
    )
    assert finding.binding == f"capacity reservations of {H100} in eastus2: not supported, by the limits"
    assert [(one.sku, one.machines) for one in finding.fallbacks] == [(A100_SXM, 24)]


@pytest.mark.parametrize("reservable", [False, None])
def test_no_size_is_offered_instead_that_is_not_known_to_be_reserved(reservable: bool | None) -> None:
    """It would be a way out into the next refusal."""
    roomy = granting(saying(False), "eastus2", cores=30000, standardndamsv4_a100family=9600)
    closed = offering(roomy, "eastus2", **{A100_SXM: Offer(zones=(1, 2, 3), reservable=reservable)})
    (finding,) = found(closed, "violation")
    assert not finding.fallbacks


def test_a_pool_on_demand_needs_no_reservation() -> None:
    """What the finding says would be right is right."""
    edit = ("purpose: serving, priority: reserved}", "purpose: serving, priority: on-demand}")
    assert not found(saying(False), "violation", "atlas", edit)


def test_what_only_a_page_excludes_is_unknown_once_with_all_of_its_regions() -> None:
    """A page may lag behind what a subscription is given: who to ask is said, and nothing is refused."""
    known = saying(None, location="japaneast")
    known = offering(known, "eastus2", **{H100: Offer(zones=(1, 2, 3))})
    assert not found(known, "violation")
    (finding,) = found(known, "unknown")
    assert finding.where.startswith("atlas.yaml:43:")
    assert finding.what == (
        f"Microsoft's page of 2026-02-17 on capacity reservations excludes the series of {H100}, which is reserved in "
        "eastus2, japaneast: whether you may is not known; ask your account team at Microsoft, or ARM by --live"
    )


def test_what_nobody_says_is_unknown() -> None:
    """The page has no word against an A100 by PCIe, and what it allows is not taken for ARM's word."""
    edit = (f"sku: {A100}, nodes: {{min: 2, max: 12}}, purpose: serving", f"sku: {A100}, nodes: {{min: 2, max: 12}}, "
            "purpose: serving, priority: reserved")  # fmt: skip
    (finding,) = found(saying(None, A100), "unknown", "atlas", edit)
    assert finding.where.startswith("atlas.yaml:44:")
    assert finding.what == f"whether {A100} can be reserved in eastus2 is not known; --live asks ARM"


def test_without_limits_the_page_is_told_and_all_else_is_said_once() -> None:
    """No limits file, or none of that region: one finding for that, and one for each series that is excluded."""
    sizes = {finding.what.partition(" of Standard_")[2].partition(",")[0] for finding in found(None, "unknown")}
    assert sizes == {"ND96isr_H100_v5", "ND96isr_H200_v5"}
    (finding,) = found(without(ATLAS_LIMITS, "japaneast"), "unknown")
    assert "reserved in japaneast:" in finding.what
    edit = ("purpose: serving", "purpose: serving\n        priority: reserved")
    t4 = ("sku: Standard_NC40ads_H100_v5", "sku: Standard_NC4as_T4_v3")
    assert not found(None, "unknown", "demo", edit, t4)


def test_a_size_that_cannot_be_had_at_all_is_said_to_be_that() -> None:
    """And not, besides, that it cannot be reserved."""
    shut = offering(ATLAS_LIMITS, "eastus2", **{H100: Offer(restricted=True, reason="QuotaId", reservable=False)})
    assert not found(shut, "violation")
    assert any("cannot be had: QuotaId" in one.what for one in preflight(ATLAS, shut).of("violation"))


def test_our_facts_only_ever_say_no_and_only_of_what_the_page_excludes() -> None:
    """ND-series and NCads H100 v5; the finding tells the day of the page."""
    said = {sku: size.reservable for sku, size in gpu_sizes().items()}
    excluded = {sku for sku in said if sku.startswith("Standard_ND") or (sku[9:11] == "NC" and "_H100_" in sku)}
    assert {sku for sku, able in said.items() if able is False} == excluded
    assert {able for sku, able in said.items() if sku not in excluded} == {None}
    facts = json.loads((FLEETS.parent / "azure" / "facts.json").read_text(encoding="utf-8"))
    assert PAGE.split(" on ")[0].split(" of ")[1] in facts["unreservable_source"]
