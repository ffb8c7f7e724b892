"""A load as a test of Azure Load Testing: its configuration, its fail criteria and the service's limits. Pure.

The service runs Locust on each engine by itself and not as a master with workers, so nobody tells an engine its share:
each gets its own row of a file that the service splits. Facts are pages of
learn.microsoft.com/azure/app-testing/load-testing: reference-test-config-yaml, resource-limits-quotas-capacity,
how-to-define-test-criteria, how-to-read-csv-data, how-to-parameterize-load-tests,
how-to-generate-load-from-multiple-regions, quickstart-create-run-load-test-with-locust.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.objective import Objective
from loadtests.order import Order
from loadtests.package.carried import NOT_WRITTEN, PackageError, ending

ENGINES = 400  # per test run, at most; fewer by default, 1,000 in a region at once (resource-limits-quotas-capacity)
REGIONS = 5  # how-to-generate-load-from-multiple-regions
HOURS, DEFAULT_HOURS = 24, 3  # test duration: at most, and what a subscription has at first
CRITERIA = 50  # fail criteria of a test
# Of one zip: files, its size, and the size of its content (reference-test-config-yaml). A test takes 1,000 uploads, of
# which 100 may be zips, or 5 by the YAML page; a package has six files and one zip.
ZIP_FILES, ZIP_BYTES, UNPACKED = 1000, 50 * 10**6, 10**9
DESCRIPTION = 100  # characters
PERCENTILES = (50.0, 75.0, 90.0, 95.0, 96.0, 97.0, 98.0, 99.0, 99.9, 99.99)  # of response_time_ms
STOP = {"errorPercentage": 90, "timeWindow": 60}  # the service's own defaults, written down
SLO = ("ttft", "itl", "e2e")  # what goodput is held against, beside being ok
LATENCIES = (*SLO, "api_latency")
ENTRY = {"ttft": "ttft", "itl": "itl"}  # what loadtests/run/entries.py calls them; the others are the service's entry
PLAN, ORDER, SHARES, CODE = "locustfile.py", "order.json", "shares.csv", "code.zip"


@dataclass(frozen=True, slots=True)
class AzureTest:
    """What is to be run: an order on so many engines, in Azure regions (none: in that of the resource)."""

    order: Order
    engines: int
    objectives: tuple[Objective, ...] = ()
    locations: tuple[str, ...] = ()
    identity: str | None = None

    @property
    def id(self) -> str:
        """2 to 50 of [a-z0-9_-]."""
        return f"{self.order.fleet}-{self.order.service}-{self.order.profile.name}"[:50].rstrip("-")


def secrets(order: Order) -> tuple[Order, dict[str, str]]:
    """The order with keys from the environment only, and variable -> URL in the key vault, which the service reads."""
    names = {one: f"LOAD_KEY_{number}" for number, one in enumerate(order.credentials) if one.startswith("keyvault:")}
    found = tuple(f"env:{names[one]}" if one in names else one for one in order.credentials)
    return order.model_copy(update={"credentials": found}), {
        name: one.removeprefix("keyvault:") for one, name in names.items()
    }


def configuration(test: AzureTest, vault: dict[str, str]) -> dict[str, Any]:
    """What `loadtest.yaml` says. Raises PackageError for what the service would not take."""
    check(test)
    plain = {
        "version": "v0.1",
        "testId": test.id,
        "displayName": f"{test.order.service}: {test.order.profile.name}"[:50],
        "description": f"Load of {test.order.service} in {test.order.fleet}"[:DESCRIPTION],
        "testType": "Locust",
        "testPlan": PLAN,
        "engineInstances": test.engines,
        "configurationFiles": [ORDER, SHARES, "requirements.txt"],
        "zipArtifacts": [CODE],
        "splitAllCSVs": True,
        "properties": {"userPropertyFile": "locust.conf"},
        "failureCriteria": criteria(test.order.service, test.objectives),
        "autoStop": STOP,
    }
    return {**plain, **_secrets(test, vault), **_regions(test)}


def _secrets(test: AzureTest, vault: dict[str, str]) -> dict[str, Any]:
    if not vault:
        return {}
    who = {"type": "UserAssigned", "value": test.identity} if test.identity else {"type": "SystemAssigned"}
    named = [{"name": name, "value": url} for name, url in vault.items()]
    return {"secrets": named, "referenceIdentities": [{"kind": "KeyVault", **who}]}


def _regions(test: AzureTest) -> dict[str, Any]:
    """Engines by region, as evenly as they go: each sends the same share."""
    if len(test.locations) < 2:
        return {}
    each, more = divmod(test.engines, len(test.locations))
    counts = [each + (number < more) for number in range(len(test.locations))]
    pairs = zip(test.locations, counts, strict=True)
    return {"regionalLoadTestConfig": [{"region": region, "engineInstances": count} for region, count in pairs]}


def criteria(service: str, objectives: Sequence[Objective]) -> list[Any]:
    """What fails a test, by the names that entries.py gives: objectives one by one, and goodput, all together."""
    found: list[Any] = []
    for one in objectives:
        if one.sli == "availability":
            found.append({service: f"percentage(error) > {_share(1 - one.target)}"})
        elif one.sli in LATENCIES:
            found.append({ENTRY.get(one.sli, service): _late(one)})
    bad = sum(1 - one.target for one in objectives if one.sli in ("availability", *SLO))
    return [*found, {"goodput": f"percentage(error) > {_share(min(bad, 1.0))}"}] if found else []


def _late(one: Objective) -> str:
    """The highest percentile that is not above the target: a service that keeps its promise never fails by this."""
    assert one.threshold is not None
    point = max((p for p in PERCENTILES if p <= 100 * one.target + 1e-9), default=PERCENTILES[0])
    return f"p{f'{point:g}'.replace('.', '')}(response_time_ms) > {math.ceil(1000 * one.threshold)}"


def _share(bad: float) -> str:
    return f"{round(100 * bad, 4):g}"


def check(test: AzureTest) -> None:
    """Raises PackageError where the service's limits are passed, before anything is written."""
    seconds = ending(test.order)
    problems = {
        f"--engines {test.engines}: a test run has 1 to {ENGINES} engines": not 1 <= test.engines <= ENGINES,
        f"--duration: a test lasts {HOURS} hours at most": seconds > HOURS * 3600,
        f"a test generates load from {REGIONS} regions at most": len(test.locations) > REGIONS,
        f"{len(test.locations)} regions need as many engines": len(test.locations) > test.engines,
        f"a test has {CRITERIA} fail criteria at most": len(test.objectives) + 1 > CRITERIA,
        f"{test.id} is no testId: [a-z0-9_-], 2 to 50": re.fullmatch(r"[a-z0-9_-]{2,50}", test.id) is None,
    }
    for what, wrong in problems.items():
        if wrong:
            raise PackageError(what, not_done=NOT_WRITTEN)


def check_zip(names: Sequence[str], unpacked: int, size: int) -> None:
    """Raises PackageError for a zip that the service does not take."""
    if len(names) > ZIP_FILES or unpacked > UNPACKED or size >= ZIP_BYTES:
        what = f"{CODE} has {len(names)} files and {size:,} bytes ({unpacked:,} unpacked)"
        most = f"{ZIP_FILES} files, {ZIP_BYTES:,} bytes and {UNPACKED:,} unpacked"
        raise PackageError(f"{what}; the service takes {most}", not_done=NOT_WRITTEN, next="a shorter trace")


def conf(test: AzureTest) -> str:
    """Locust's own configuration: one user on each engine, the order, its share, and an end if all else hangs."""
    end = math.ceil(ending(test.order)) + 60
    lines = (f"order = @{ORDER}", f"share = {SHARES}", f"users = {test.engines}", f"spawn-rate = {test.engines}")
    return "".join(f"{line}\n" for line in (*lines, f"run-time = {end}s", "exit-code-on-error = 0"))


def shares(engines: int, fingerprint: str) -> str:
    """One row for each engine, without a head: the service splits it evenly and keeps no head."""
    return "".join(f"{index},{engines},{fingerprint}\n" for index in range(engines))
