"""A load for Azure Load Testing: its configuration is within what the service's pages say."""

from __future__ import annotations

from typing import Any

import pytest

from infra.fleet import load_fleet
from infra.objective import Objective
from loadtests.package.azure import AzureTest, check_zip, conf, configuration, criteria, secrets, shares
from loadtests.package.carried import PackageError
from loadtests.run.ordered import fingerprint, read_share
from tests.loadtests.report.made import order

KEYS = {  # of loadtest.yaml: learn.microsoft.com/azure/app-testing/load-testing/reference-test-config-yaml
    *("version", "testId", "displayName", "description", "testType", "testPlan", "engineInstances"),
    *("configurationFiles", "failureCriteria", "autoStop", "properties", "zipArtifacts", "splitAllCSVs", "secrets"),
    *("env", "certificates", "appComponents", "subnetId", "publicIPDisabled", "regionalLoadTestConfig"),
    "referenceIdentities",
}
VAULT = "https://v.vault.azure.net/secrets/key"


def made(engines: int = 4, locations: tuple[str, ...] = (), identity: str | None = None, **how: Any) -> AzureTest:
    promised = load_fleet("demo").service("chat").objectives
    return AzureTest(order(fleet="demo", **how), engines, promised, locations, identity)


def objective(sli: str, target: str, threshold: str | None = None) -> Objective:
    return Objective.model_validate({"sli": sli, "target": target, "threshold": threshold})


def test_the_configuration_is_one_of_the_service() -> None:
    """Its keys are known, and what must be there is."""
    found = configuration(made(), {})
    assert set(found) <= KEYS
    assert (found["version"], found["testType"], found["engineInstances"]) == ("v0.1", "Locust", 4)
    assert found["testId"] == "demo-chat-even" and len(found["description"]) <= 100


def test_every_fleet_gives_one() -> None:
    """All services that stream, of both fleets that ship."""
    for name in ("demo", "atlas"):
        for service in load_fleet(name).services:
            given = AzureTest(order(fleet=name, service=service.name), 2, service.objectives)
            assert configuration(given, {})["failureCriteria"][-1].keys() == {"goodput"}


@pytest.mark.parametrize(
    ("promise", "said"),
    [
        (objective("availability", "99.9%"), {"chat": "percentage(error) > 0.1"}),
        (objective("ttft", "99%", "250ms"), {"ttft": "p99(response_time_ms) > 250"}),
        (objective("itl", "99.9%", "25ms"), {"itl": "p999(response_time_ms) > 25"}),
        (objective("e2e", "98%", "2.5s"), {"chat": "p98(response_time_ms) > 2500"}),
        (objective("api_latency", "99%", "100ms"), {"chat": "p99(response_time_ms) > 100"}),
        (objective("ttft", "99.5%", "250ms"), {"ttft": "p99(response_time_ms) > 250"}),
    ],
)
def test_a_promise_is_a_fail_criterion(promise: Objective, said: dict[str, str]) -> None:
    """By the names that Locust's statistics have; of percentiles, those that the service knows."""
    assert criteria("chat", [promise])[0] == said


def test_goodput_may_be_missed_by_as_much_as_all_promises_together() -> None:
    """A service that just keeps each does not fail by it."""
    promises = [objective("availability", "99%"), objective("ttft", "98%", "250ms"), objective("queue", "90%", "1s")]
    assert criteria("chat", promises)[-1] == {"goodput": "percentage(error) > 3"}
    assert criteria("chat", []) == []


def test_regions_share_the_engines() -> None:
    """As evenly as they go; one region is that of the resource, and not said."""
    found = configuration(made(engines=5, locations=("eastus2", "westus3")), {})["regionalLoadTestConfig"]
    assert [(one["region"], one["engineInstances"]) for one in found] == [("eastus2", 3), ("westus3", 2)]
    assert "regionalLoadTestConfig" not in configuration(made(locations=("eastus2",)), {})


@pytest.mark.parametrize(
    ("identity", "who"), [(None, {"type": "SystemAssigned"}), ("/id", {"type": "UserAssigned", "value": "/id"})]
)
def test_keys_are_read_by_the_service(identity: str | None, who: dict[str, str]) -> None:
    """From the vault, into variables that the order names; what is in a variable already stays."""
    given, vault = secrets(order(credentials=["env:MINE", f"keyvault:{VAULT}"]))
    assert given.credentials == ("env:MINE", "env:LOAD_KEY_1")
    found = configuration(made(identity=identity), vault)
    assert found["secrets"] == [{"name": "LOAD_KEY_1", "value": VAULT}]
    assert found["referenceIdentities"] == [{"kind": "KeyVault", **who}]
    assert "secrets" not in configuration(made(), {})


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"engines": 0}, "1 to 400"),
        ({"engines": 401}, "1 to 400"),
        ({"duration": 24 * 3600.0}, "24 hours"),
        ({"duration": None}, "nobody stops it"),
        ({"locations": tuple("abcdef"), "engines": 6}, "5 regions"),
        ({"locations": ("a", "b"), "engines": 1}, "need as many engines"),
        ({"service": "Ähm"}, "is no testId"),
    ],
)
def test_the_limits_of_the_service_are_checked(how: dict[str, Any], said: str) -> None:
    with pytest.raises(PackageError, match=said):
        configuration(made(**how), {})


def test_a_test_has_fifty_criteria_at_most() -> None:
    many = tuple(objective("ttft", "99%", "250ms") for _ in range(50))
    with pytest.raises(PackageError, match="50 fail criteria"):
        configuration(AzureTest(order(fleet="demo"), 1, many), {})


@pytest.mark.parametrize(("count", "unpacked", "size"), [(1001, 1, 1), (1, 10**9 + 1, 1), (1, 1, 50 * 10**6)])
def test_a_zip_that_is_too_large_is_refused(count: int, unpacked: int, size: int) -> None:
    check_zip(["a"] * 1000, 10**9, 50 * 10**6 - 1)
    with pytest.raises(PackageError, match=r"code\.zip has"):
        check_zip(["a"] * count, unpacked, size)


def test_each_engine_gets_a_row_of_its_own() -> None:
    """Without a head, which the service does not keep; all rows together are the whole."""
    profile = order().profile
    rows = shares(3, fingerprint(profile)).splitlines(keepends=True)
    found = [read_share(row, "shares.csv", profile) for row in rows]
    assert [(one.index, one.of) for one in found] == [(0, 3), (1, 3), (2, 3)]


def test_locust_is_told_what_the_service_does_not_say() -> None:
    """Order and share by file; as many users as engines, for the service divides them; an end if all hangs."""
    lines = dict(line.split(" = ") for line in conf(made(engines=3)).splitlines())
    assert (lines["order"], lines["share"], lines["users"]) == ("@order.json", "shares.csv", "3")
    assert lines["run-time"] == "130s"
