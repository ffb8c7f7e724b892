"""A load for a cluster: objects as Kubernetes takes them, with no more rights and no more talk than it needs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loadtests.order import Order
from loadtests.package.carried import PackageError
from loadtests.package.kubernetes_job import Crowd, manifests
from tests.loadtests.package.typed import flaws
from tests.loadtests.report.made import order

IMAGE = f"registry.example.com/load@sha256:{'0' * 64}"
URL = "https://eastus2.demo.example.com"


def crowd(workers: int = 3, image: str = IMAGE, inside: bool = True, **how: Any) -> Crowd:
    trace = how.pop("trace", None)
    return Crowd(order(url=URL, traffic="synthetic", **how), workers, image, inside, 443, trace)


def objects(given: Crowd) -> dict[tuple[str, str], Any]:
    return {(one["kind"], one["metadata"]["name"].removeprefix(given.name)): one for one in manifests(given)}


def pods(given: Crowd) -> list[Any]:
    return [one["spec"]["template"]["spec"] for one in manifests(given) if one["kind"] == "Job"]


@pytest.mark.parametrize(
    "given", [crowd(), crowd(inside=False, credentials=["env:A_KEY"], trace=("my.csv", "1,2,3\n"))]
)
def test_objects_have_the_types_of_kubernetes(given: Crowd) -> None:
    """Key by key, as the platform's own do."""
    assert [flaw for one in manifests(given) for flaw in flaws(one)] == []


@pytest.mark.parametrize(
    ("path", "value", "flaw"),
    [
        (("spec", "backoffLimit"), "0", "Job.spec.backoffLimit: '0' is not <class 'int'>"),
        (("spec", "retries"), 0, "Job.spec: no retries"),
        (("metadata", "label"), {}, "Job.metadata: no label"),
        (("spec", "template", "spec", "containers", 0, "env", 0, "name"), 5, "is not <class 'str'>"),
        (("spec", "template", "spec", "containers", 0, "name"), None, "containers[0]: name is missing"),
    ],
)
def test_the_check_of_types_sees_what_is_wrong(path: tuple[Any, ...], value: Any, flaw: str) -> None:
    """Else it would prove nothing."""
    job = manifests(crowd())[-1]
    inner: Any = job
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    if value is None:
        del inner[path[-1]]
    assert any(flaw in one for one in flaws(job))


def test_pods_are_restricted() -> None:
    """What the level `restricted` of Kubernetes' pod security standards asks for, and no account, no writable root."""
    for pod in pods(crowd()):
        (container,) = pod["containers"]
        assert pod["automountServiceAccountToken"] is False and pod["restartPolicy"] == "Never"
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        inside = container["securityContext"]
        assert inside["allowPrivilegeEscalation"] is False and inside["readOnlyRootFilesystem"]
        assert inside["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]["requests"]) == set(container["resources"]["limits"]) == {"cpu", "memory"}
        assert {one["name"] for one in pod["volumes"]} == {one["name"] for one in container["volumeMounts"]}


def test_jobs_end_and_do_not_begin_again() -> None:
    """The time of the load with what goes before and after; a worker that died is not replaced."""
    found = objects(crowd(workers=7, duration=600.0))
    worker, master = found["Job", "-worker"]["spec"], found["Job", "-master"]["spec"]
    assert (worker["completionMode"], worker["completions"], worker["parallelism"]) == ("Indexed", 7, 7)
    for job in (worker, master):
        assert job["backoffLimit"] == 0 and 600 < job["activeDeadlineSeconds"] <= 600 + 10 + 660
        assert job["ttlSecondsAfterFinished"] > 0


def test_workers_find_the_master_and_the_master_the_order() -> None:
    """By the name of its Service; the order is in a file, and says all but the shares."""
    given = crowd(workers=2)
    found = objects(given)
    command = {
        role: pods(given)[number]["containers"][0]["command"] for number, role in enumerate(["master", "worker"])
    }
    service = found["Service", "-master"]
    assert command["worker"][command["worker"].index("--master-host") + 1] == service["metadata"]["name"]
    assert service["spec"]["selector"] == found["Job", "-master"]["spec"]["template"]["metadata"]["labels"]
    assert command["master"][-1] == "@/etc/load/order.json"
    assert command["master"][command["master"].index("--expect-workers") + 1] == "2"
    said = Order.model_validate_json(found["ConfigMap", ""]["data"]["order.json"])
    assert said == given.order and said.traffic == "synthetic"


def test_nobody_talks_to_more_than_it_needs() -> None:
    """Workers: master, name server, gateway. Master: nobody. The gateway's closed namespace lets the workers in."""
    found = objects(crowd())
    ask = found["NetworkPolicy", "-worker"]["spec"]
    assert [[port["port"] for port in one["ports"]] for one in ask["egress"]] == [[5557], [53, 53], ["https"]]
    assert ask["ingress"] == found["NetworkPolicy", "-master"]["spec"]["egress"] == []
    door = found["NetworkPolicy", ""]
    assert door["metadata"]["namespace"] == "gateway"
    (who,) = door["spec"]["ingress"][0]["from"]
    assert who["podSelector"]["matchLabels"] == found["Job", "-worker"]["spec"]["template"]["metadata"]["labels"]
    elsewhere = objects(crowd(inside=False))
    assert ("NetworkPolicy", "") not in elsewhere
    assert elsewhere["NetworkPolicy", "-worker"]["spec"]["egress"][-1]["ports"] == [{"port": 443, "protocol": "TCP"}]


def test_keys_are_references_to_a_secret() -> None:
    """That somebody else makes; only workers get them."""
    given = crowd(credentials=["env:A_KEY"])
    master, worker = pods(given)
    key = {"name": "A_KEY", "valueFrom": {"secretKeyRef": {"name": "load-chat", "key": "A_KEY"}}}
    assert key in worker["containers"][0]["env"] and key not in master["containers"][0]["env"]
    assert "Secret" not in {one["kind"] for one in manifests(given)}


def test_the_same_load_has_the_same_name_and_another_one_another() -> None:
    """So that two loads do not share a master."""
    assert crowd().name == crowd().name != crowd(seed=9).name
    assert len(crowd().name) <= 63


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"image": "load:latest"}, "@sha256"),
        ({"image": "load@sha256:abc"}, "@sha256"),
        ({"workers": 0}, "give 1 to 100"),
        ({"duration": None}, "nobody stops it there"),
        ({"credentials": ["keyvault:https://v.vault.azure.net/secrets/k"]}, "cannot read a key vault"),
        ({"trace": ("a b.csv", "1")}, "ConfigMap takes letters"),
        ({"trace": ("a.csv", "1" * 1024**2)}, "bytes, and a ConfigMap takes"),
    ],
)
def test_what_would_not_run_is_refused(how: dict[str, Any], said: str) -> None:
    """Before anything is written."""
    with pytest.raises(PackageError, match=said) as caught:
        manifests(crowd(**how))
    assert caught.value.not_done == "nothing was written"


def test_a_trace_of_ones_own_goes_with_the_order() -> None:
    """Beside it, in the same ConfigMap."""
    data = objects(crowd(trace=("my.csv", "1,2,3\n")))["ConfigMap", ""]["data"]
    assert data["my.csv"] == "1,2,3\n" and json.loads(data["order.json"])
