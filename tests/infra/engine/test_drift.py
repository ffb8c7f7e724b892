"""What was changed outside is told for what it is: a machine at work, somebody's wish, or a door that was opened."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from infra.engine.drift import Drift, explain, loudest
from infra.engine.drift_rules import CHANGED, GONE
from tests.infra.drifts import KINDS, Kind

POOL, CLUSTER = "azure-native:containerservice:AgentPool", "azure-native:containerservice:ManagedCluster"


def drift(kind: Kind) -> Drift:
    """The kind as the engine tells it, without values."""
    return Drift(kind.token, kind.name, kind.property)


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in KINDS])
def test_every_kind_of_drift_is_told_for_what_it_is(kind: Kind) -> None:
    """By type and path alone: the engine does not always tell values."""
    said = explain(drift(kind))
    assert (said.loud, said.kind) == (kind.loud, kind.kind)
    assert str(said) == f"{said.kind}, by {said.who}: {said.up}"


def test_there_are_more_than_twenty_kinds_of_every_loudness() -> None:
    """With no name twice, and some deletions."""
    loud = Counter(kind.loud for kind in KINDS)
    assert len({kind.name for kind in KINDS}) == len(KINDS) > 20
    assert min(loud.values()) >= 3
    assert sum(not kind.path for kind in KINDS) >= 3


@pytest.mark.parametrize(
    ("ours", "found", "kind"),
    [
        ("1.34", "1.35.2", "a newer version"),
        ("1.34", "1.34.5", "a newer version"),  # the patch that AKS chose
        ("1.34", "1.33", "an older version"),
        ("1.34.5", "1.34.4", "an older version"),
        ("1.34", "1.34", "a newer version"),
        (None, "1.35", "a newer version"),
    ],
)
def test_a_version_is_the_channels_unless_it_went_back(ours: Any, found: Any, kind: str) -> None:
    """AKS refuses to go back, so nothing but a mistake does."""
    assert explain(Drift(CLUSTER, "cluster", "kubernetesVersion", ours, found)).kind == kind
    assert explain(Drift(POOL, "pool", "orchestratorVersion", ours, found)).kind == kind


@pytest.mark.parametrize(
    ("path", "ours", "found", "kind"),
    [
        ("tags.cost-center", None, "4711", "a tag was added"),
        ('tags["owner.mail"]', None, "x", "a tag was added"),
        ("tags", None, {"cost-center": "4711"}, "a tag was added"),
        ("tags.cost-center", "4711", "4712", "a tag of the fleet was changed"),  # then the program sets it
        ("tags.fleet", None, "x", "a tag of the fleet was changed"),
        ('tags["managed-by"]', "bellwether", None, "a tag of the fleet was changed"),
    ],
)
def test_tags_of_others_are_no_news_and_ours_are(path: str, ours: Any, found: Any, kind: str) -> None:
    """Policies and cost tools write tags; whoever changes ours means us."""
    assert explain(Drift("azure-native:network:VirtualNetwork", "vnet", path, ours, found)).kind == kind


def test_a_gpu_pool_is_a_pool_although_it_is_a_generic_resource() -> None:
    """Its properties are one level down."""
    found = explain(Drift("azure-native:resources:Resource", "pool-h100", "properties.maxCount"))
    assert found.kind == "a pool was given another range"
    assert explain(Drift("azure-native:resources:Resource", "pool-h100")).kind == "a running part was deleted"


def test_the_loudest_is_what_a_summary_says() -> None:
    """One open door among a hundred new machines is an open door."""
    pool, tag = Drift(POOL, "pool", "count"), Drift(POOL, "pool", "minCount")
    door = Drift("azure-native:keyvault:Vault", "vault", "networkAcls.defaultAction")
    assert [loudest(found) for found in ([], [pool], [pool, tag], [pool, tag, door])] == [
        "benign",
        "benign",
        "ours",
        "dangerous",
    ]


def test_no_row_is_hidden_by_one_before_it() -> None:
    """A row whose every type and path is taken already would never speak."""
    for rules in (CHANGED, GONE):
        for place, rule in enumerate(rules):
            cases = [(type, path.removeprefix("*")) for type in rule.types or ("Any",) for path in rule.paths]
            first = [next(other for other in rules if other.fits(type, path)) for type, path in cases]
            assert any(found is rule for found in first), (place, rule)


def test_the_way_that_loses_data_says_so_before_up_hides_it() -> None:
    """`up` would make an empty vault of the same name."""
    said = explain(Drift("azure-native:keyvault:Vault", "vault"))
    assert "recover the deleted one first" in said.up
    drained = explain(Drift("azure-native:cdn:AFDOrigin", "eastus2", "enabledState"))
    assert "traffic: closed" in drained.up
