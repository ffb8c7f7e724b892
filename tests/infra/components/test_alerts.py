"""Which rules a region has: the cluster's own, and those that were rendered for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.components.alerts import CLUSTER, groups
from infra.errors import InvalidInput

BURN = {"name": "chat-burn", "interval": "PT1M", "rules": [{"record": "slo:burn:5m", "expression": "vector(0)"}]}


def _write(folder: Path, text: str) -> None:
    path = folder / "atlas" / "eastus2.rule-groups.json"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


def test_without_rendered_rules_there_are_the_clusters_own(tmp_path: Path) -> None:
    assert groups(tmp_path, "atlas", "eastus2") == (CLUSTER,)


def test_rendered_rules_of_the_region_join_them(tmp_path: Path) -> None:
    _write(tmp_path, json.dumps([BURN]))
    assert groups(tmp_path, "atlas", "eastus2") == (CLUSTER, BURN)
    assert groups(tmp_path, "atlas", "westeurope") == (CLUSTER,)


@pytest.mark.parametrize("text", ["", "{}}", '[{"name": "x"}]', "[1]", "7"])
def test_rendered_rules_that_are_none_refuse_the_stack_and_say_where(tmp_path: Path, text: str) -> None:
    _write(tmp_path, text)
    with pytest.raises(InvalidInput, match=r"eastus2\.rule-groups\.json"):
        groups(tmp_path, "atlas", "eastus2")


def test_silence_of_the_cluster_is_an_alert_of_its_own() -> None:
    silent = next(rule for rule in CLUSTER["rules"] if rule["alert"] == "ClusterMetricsAbsent")
    assert silent["expression"].startswith("absent(") and silent["severity"] == 1
