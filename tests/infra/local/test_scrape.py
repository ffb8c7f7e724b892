"""Prometheus' and Alertmanager's files as promtool and amtool take them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from infra.local import scrape
from infra.local.scrape import Listening, Target
from infra.programs import find

PORTS = Listening(20_001, 20_002, 20_003)


def check(*command: str) -> str:
    """What a checking program says; it must be content."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_takes_the_configuration(tmp_path: Path) -> None:
    """With a target file in its folder."""
    (tmp_path / "targets").mkdir()
    (tmp_path / "targets" / "servers.json").write_text(json.dumps(scrape.targets("demo", "eastus2", [REPLICA])))
    file = tmp_path / "prometheus.yml"
    file.write_text(json.dumps(scrape.prometheus("demo", "eastus2", PORTS, tmp_path / "targets")))
    assert "SUCCESS" in check(str(find("promtool")), "check", "config", str(file))


def test_amtool_takes_the_configuration(tmp_path: Path) -> None:
    """It tells nobody, and is valid."""
    file = tmp_path / "alertmanager.yml"
    file.write_text(json.dumps(scrape.alertmanager()))
    done = subprocess.run([str(find("amtool")), "check-config", str(file)], capture_output=True, text=True, check=False)
    assert "SUCCESS" in done.stdout


REPLICA = Target(20_010, "chat", "canary", "v2", "chat-canary-1")


def test_a_target_has_all_labels_of_the_fleet() -> None:
    """Fleet, region, service, arm, release, replica."""
    labels = scrape.targets("demo", "eastus2", [REPLICA])[0]["labels"]
    assert {"fleet", "region", "service", "arm", "release", "replica", "job"} == set(labels)


def test_service_and_arm_come_from_the_name_of_the_cluster() -> None:
    """Also for a service with a dash; and a code gets its class, but no code none."""
    cluster = re.fullmatch(scrape.OF_CLUSTER, "chat-mini|canary")
    assert cluster and (cluster[1], cluster[2]) == ("chat-mini", "canary")
    rules = scrape.prometheus("f", "r", PORTS, Path("/t"))["scrape_configs"][0]["metric_relabel_configs"]
    code = next(rule["regex"] for rule in rules if rule.get("target_label") == "code_class")
    assert re.fullmatch(code, "503") and not re.fullmatch(code, "0")
