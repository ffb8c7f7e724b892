"""Envoy's files as the real Envoy takes them, and what its answers mean."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import grid
from infra.fleet import load_fleet
from infra.local import admin, envoy, routing
from infra.local.envoy import Listener
from infra.local.routing import ARMS, Assignment, Endpoint, Weights
from infra.programs import find

points = st.integers(0, 5_000)


def write(folder: Path, assignment: Assignment, weights: Weights) -> Path:
    """A bootstrap for two services with everything it refers to."""
    for service in ("chat", "chat-mini"):
        document = routing.routes(service, weights if service == "chat" else Weights(), assignment, "1", "salt")
        (folder / f"{service}.routes.json").write_text(json.dumps(document))
        for arm in ARMS:
            hosts = [Endpoint(20_001, "v1"), Endpoint(20_002, "v1")]
            (folder / f"{service}.{arm}.json").write_text(json.dumps(routing.endpoints(service, arm, hosts)))
    file = folder / "bootstrap.json"
    fleet = load_fleet("demo")
    listeners = {name: Listener(20_003 + n, fleet.service(name).limits) for n, name in enumerate(("chat", "chat-mini"))}
    file.write_text(json.dumps(envoy.bootstrap(listeners, 20_005, folder)))
    return file


@pytest.mark.parametrize("assignment", get_args(Assignment))
def test_the_real_envoy_takes_the_configuration_without_a_warning(tmp_path: Path, assignment: Assignment) -> None:
    """For every way of assigning traffic."""
    file = write(tmp_path, assignment, Weights(5, 5))
    command = [str(find("envoy")), "--mode", "validate", "-c", str(file), "-l", "warning"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "warning" not in done.stderr, done.stderr


@given(points, points)
def test_weights_always_add_up_to_the_same_total(canary: int, baseline: int) -> None:
    """Canary first and baseline last, so that growth moves nobody out of either."""
    route = routing.routes("chat", Weights(canary, baseline), "session", "1")
    clusters = route["resources"][0]["virtual_hosts"][0]["routes"][-1]["route"]["weighted_clusters"]["clusters"]
    assert [cluster["name"] for cluster in clusters] == ["chat|canary", "chat|stable", "chat|baseline"]
    assert sum(cluster["weight"] for cluster in clusters) == 10_000


@given(points, points)
def test_what_was_written_is_read_back_from_the_dump(canary: int, baseline: int) -> None:
    """Envoy's dump holds the file's own words, with a weight of zero left out."""
    config = json.loads(json.dumps(routing.routes("chat", Weights(canary, baseline), "session", "41"))).pop(
        "resources"
    )[0]
    for cluster in config["virtual_hosts"][0]["routes"][-1]["route"]["weighted_clusters"]["clusters"]:
        if cluster["weight"] == 0:
            del cluster["weight"]
    dump = {"configs": [{"version_info": "41", "route_config": config}]}
    assert admin.applied(dump) == {"chat": admin.Applied("41", Weights(canary, baseline))}


def test_open_requests_are_counted_by_arm() -> None:
    """Other statistics are not."""
    stats = [{"name": "cluster.chat|canary.upstream_rq_active", "value": 3}, {"name": "server.live", "value": 1}, {}]
    assert admin.open_requests({"stats": stats}) == {"chat|canary": 3}


def test_an_empty_answer_means_nothing_is_known() -> None:
    """No weights, no replicas, no requests."""
    assert (admin.applied({}), admin.serving({}), admin.open_requests({})) == ({}, {}, {})
    assert admin.serving({"cluster_statuses": [{"name": "chat|canary"}]}) == {"chat|canary": frozenset()}


def test_no_request_is_tried_twice_and_none_is_cut_by_time() -> None:
    """What the engine does is what the client sees."""
    listeners = {"chat": Listener(1, load_fleet("demo").service("chat").limits)}
    text = json.dumps([envoy.bootstrap(listeners, 2, Path("/d")), routing.routes("chat", Weights(), "session", "1")])
    assert "retry_policy" not in text and '"timeout": "0s"' in text


@pytest.mark.parametrize("weights", [Weights(), Weights(0, 5), Weights(5, 5), Weights(10_000)])
def test_synthetic_requests_have_the_canary_for_themselves_or_are_refused(weights: Weights) -> None:
    """They come before the route of users, which is never asked for them."""
    synthetic, users = routing.routes("chat", weights, "session", "1")["resources"][0]["virtual_hosts"][0]["routes"]
    header = {"name": "x-ops-class", "string_match": {"exact": "synthetic"}}
    assert synthetic["match"]["headers"] == [header] and "headers" not in users["match"]
    if weights.canary:
        assert synthetic["direct_response"]["status"] == 503 and "route" not in synthetic
    else:
        assert synthetic["route"] == {"cluster": "chat|canary", "timeout": "0s"}
        arm, release = (one["header"]["value"] for one in synthetic["response_headers_to_add"])
        assert (arm, release) == ("canary", "%UPSTREAM_METADATA(ops:release)%")


def test_users_are_drawn_anew_with_each_salt() -> None:
    """The salt is part of what is hashed."""
    first, second = (json.dumps(routing.routes("chat", Weights(), "user", "1", salt)) for salt in ("7", "8"))
    assert first != second and "x-user-id" in first and "x-session-id" not in first


def test_lowering_never_raises_an_arm() -> None:
    """Each arm takes the smaller of both."""
    assert Weights(10, 50).lowered_to(Weights(30, 20)) == Weights(10, 20)


def test_buckets_hold_the_bounds_of_the_engine_in_milliseconds() -> None:
    """A threshold of an objective is a bound in both histograms."""
    declared = json.loads((Path(envoy.__file__).with_name("vllm_metrics.json")).read_text())
    bounds = {bound for found in find_buckets(declared) for bound in found}
    assert {1_000 * bound for bound in (0.25, 0.5, 1.0, 2.5, 5.0)} <= set(envoy.BUCKETS)
    assert {bound / 1_000 for bound in envoy.BUCKETS} <= bounds


def find_buckets(node: object) -> list[list[float]]:
    """Every list called buckets below a JSON value."""
    if isinstance(node, dict):
        own = [node["buckets"]] if isinstance(node.get("buckets"), list) else []
        return own + [found for value in node.values() for found in find_buckets(value)]
    return [found for value in node for found in find_buckets(value)] if isinstance(node, list) else []


def test_users_are_drawn_anew_where_the_judge_begins_a_block() -> None:
    """Not in between, whoever drives and whenever the supervisor was started; conversations are drawn once."""
    by_session = load_fleet("demo").service("chat").rollout
    by_user = by_session.model_copy(update={"assignment": "user", "look": 7.0, "block": 60.0})
    begin = grid.begin(1_795_000_000.0, by_user.block, by_user.look)
    draws = [routing.salt(by_user, begin + second) for second in (-0.1, 0.1, 30.0, 62.9, 63.1)]  # 9 looks of 7 s
    assert draws[1] == draws[2] == draws[3] and len(set(draws)) == 3
    assert routing.salt(by_session, begin) == ""
