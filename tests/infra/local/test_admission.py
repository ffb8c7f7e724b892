"""What the real Envoy refuses for a service, before a replica hears of it; and how that is counted."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.fleet import load_fleet
from infra.local import admission, envoy, routing
from infra.local.envoy import Listener
from infra.local.routing import ARMS, Endpoint, Weights
from infra.programs import find
from tests.infra.local.lab import until
from tests.infra.local.model_server import free_port
from tests.loadtests.truth import Truth, serving

BASE = load_fleet("demo").service("chat").limits
LIMITS = {
    "calm": BASE.model_copy(update={"rate": 1 / 20, "body": 400}),  # a token, and the next one in 20 s
    "wide": BASE.model_copy(update={"concurrency": 2, "body": 400}),
    "burst": BASE.model_copy(update={"rate": 40.0}),
}


@dataclass
class Gate:
    """An Envoy with a service for each of LIMITS, all in front of one server."""

    truth: Truth
    log: Path
    ports: dict[str, int]
    admin: int
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10.0, trust_env=False))

    def ask(self, service: str, number: int = 0, body: str = "{}", traffic: str = "user") -> httpx.Response:
        headers = {"x-request-id": f"r-{number}", "x-session-id": f"{number}", "x-ops-class": traffic}
        return self.http.post(f"http://127.0.0.1:{self.ports[service]}/v1/x", content=body, headers=headers)

    def counted(self, service: str) -> Counter[tuple[str, str]]:
        """Answers by code and flags, over all arms."""
        text = self.http.get(f"http://127.0.0.1:{self.admin}/stats/prometheus").text
        found = Counter[tuple[str, str]]()
        for family in text_string_to_metric_families(text):
            for one in family.samples if family.name == "envoy_ops_requests" else ():
                if one.labels["cluster"].startswith(f"{service}|"):
                    found[one.labels["code"], one.labels["flags"]] += int(one.value)
        return found


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with ExitStack() as held:
        truth = held.enter_context(serving(Truth()))
        ports, admin = {name: free_port() for name in LIMITS}, free_port()
        folder = tmp_path_factory.mktemp("envoy")
        _write(folder, ports, admin, int(truth.url.rpartition(":")[2]))
        held.enter_context(_running(folder))
        made = Gate(truth, folder / "log", ports, admin)
        until(lambda: _ready(made))
        yield made


def _write(folder: Path, ports: dict[str, int], admin: int, upstream: int) -> None:
    for service in ports:
        document = routing.routes(service, Weights(5_000, 0), "session", "1")
        envoy.route_file(folder, service).write_text(json.dumps(document))
        for arm in ARMS:
            hosts = routing.endpoints(service, arm, [Endpoint(upstream, "v1")])
            envoy.endpoint_file(folder, service, arm).write_text(json.dumps(hosts))
    listeners = {name: Listener(port, LIMITS[name]) for name, port in ports.items()}
    (folder / "bootstrap.json").write_text(json.dumps(envoy.bootstrap(listeners, admin, folder)))


@contextmanager
def _running(folder: Path) -> Iterator[None]:
    command = [str(find("envoy")), "-c", str(folder / "bootstrap.json"), "--concurrency", "1", "--disable-hot-restart"]
    with (folder / "log").open("wb") as log, subprocess.Popen([*command, "-l", "warning"], stderr=log) as process:
        try:
            yield
        finally:
            process.terminate()


def _ready(made: Gate) -> bool:
    try:
        return made.http.get(f"http://127.0.0.1:{made.admin}/ready").status_code == 200
    except httpx.HTTPError:
        return False


def test_what_is_above_the_rate_is_refused_and_told_when_to_come_again(gate: Gate) -> None:
    """429 in the form of OpenAI's errors; Retry-After is when the next one is let through. No replica hears of it."""
    before = len(gate.truth.asked)
    assert gate.ask("calm").status_code == 200
    refused = gate.ask("calm", 1)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "20")
    assert refused.json()["error"]["code"] == 429 and "0.05 requests a second" in refused.json()["error"]["message"]
    assert refused.headers["content-type"] == "application/json"
    assert len(gate.truth.asked) == before + 1
    until(lambda: gate.counted("calm") == {("200", "-"): 1, ("429", "RL"): 1})


def test_synthetic_requests_take_nothing_of_the_rate(gate: Gate) -> None:
    """It is the users'. The canary has some here, so synthetic ones have no replicas."""
    assert {gate.ask("burst", number, traffic="synthetic").status_code for number in range(60)} == {503}


def test_a_second_of_the_rate_may_come_at_once(gate: Gate) -> None:
    """A burst is no overload; what follows it at once is."""
    seen = [gate.ask("burst", number).status_code for number in range(60)]
    assert set(seen[:40]) == {200} and set(seen) <= {200, 429}


def test_no_arm_answers_more_than_the_service_accepts_at_a_time(gate: Gate) -> None:
    """Two are open; a third of that session is refused with 429 and not with Envoy's own 503."""
    gate.truth.gate.clear()
    gate.truth.behaviours = ("keep_alives",)
    address, headers = f"http://127.0.0.1:{gate.ports['wide']}/v1/x", {"x-request-id": "r-3", "x-session-id": "3"}
    with ExitStack() as held:
        for _ in range(3):
            refused = held.enter_context(gate.http.stream("POST", address, content="{}", headers=headers))
        assert refused.status_code == 429  # else it is a stream that does not end
        refused.read()
        gate.truth.gate.set()
    gate.truth.behaviours = ("ok",)
    assert refused.headers["retry-after"] == "1"
    assert "2 requests at a time" in refused.json()["error"]["message"]
    until(lambda: gate.ask("wide", 3).status_code == 200)  # when Envoy has noticed that both are over
    until(lambda: gate.counted("wide")[("429", "UO")] >= 1)


def test_a_body_that_is_too_large_is_refused(gate: Gate) -> None:
    """One of just that size is none of it."""
    before = len(gate.truth.asked)
    refused = gate.ask("wide", body="x" * 401)
    assert refused.status_code == 413 and "at most 400 bytes" in refused.json()["error"]["message"]
    assert len(gate.truth.asked) == before
    assert gate.ask("wide", body='{"a":"%s"}' % ("x" * 392)).status_code == 200


def test_what_a_replica_refuses_is_left_as_it_said_it(gate: Gate) -> None:
    """Its own words and its own time to wait."""
    gate.truth.behaviours = ("429",)
    answer = gate.ask("wide", 5)
    gate.truth.behaviours = ("ok",)
    assert (answer.status_code, answer.headers["retry-after"], answer.text) == (429, "30", "{}")


def test_refusals_are_no_lines_of_the_log(gate: Gate) -> None:
    """Forty a second would fill it: what is counted of them has a value for each."""
    assert gate.ask("calm", 2).status_code == 429
    assert "non-number" not in gate.log.read_text()


def test_a_rate_that_is_no_whole_number_is_kept() -> None:
    """Tokens are whole; the time in which so many come is what it takes."""
    (first, _) = admission.filters("chat", BASE.model_copy(update={"rate": 2.5}))
    bucket = first["typed_config"]["token_bucket"]
    assert bucket == {"max_tokens": 3, "tokens_per_fill": 3, "fill_interval": "1.200000000s"}
