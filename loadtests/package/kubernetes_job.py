"""A distributed load as objects of Kubernetes: one Job that leads, one that sends, and who may talk to whom. Pure.

Nothing in it is a secret: keys come from a Secret that somebody else made, by name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtests.order import Order
from loadtests.package.carried import NOT_WRITTEN, PackageError, ending, keys

NAMESPACE = "load"
CODE = "/opt/bellwether"  # where the image has the clone; docs/load.md says how one is built
PLACE = "/etc/load"  # where a pod finds the order and a trace of its own
LED = 5557  # TCP port of Locust's master (docs.locust.io, "Running distributed")
START = 300  # s for nodes, images and the last worker: so long does a Locust worker look for its master (60 x 5 s)
END = 60  # s for the report, and for pods to go
KEPT = 86_400  # s for which a Job that has ended can be asked for its log: the report is there
NOBODY = 65_532  # the user "nonroot" of distroless images; any other that is not root would do
SEND = {"cpu": "1", "memory": "512Mi"}  # a worker is one process: more than a core it cannot use
MOST = {"cpu": "2", "memory": "1Gi"}  # a limit of one core would stop it for its helpers' threads (CFS quota)
CONFIG_MAP = 1024**2 - 4096  # bytes: Kubernetes takes 1 MiB of data (docs, "ConfigMaps"); names are in it too
PINNED = re.compile(r"[a-z0-9][\w.:/-]*@sha256:[0-9a-f]{64}")
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}


@dataclass(frozen=True, slots=True)
class Crowd:
    """What is sent by whom. `inside`: the host is behind the gateway of the cluster; else it is anywhere on `port`."""

    order: Order
    workers: int
    image: str
    inside: bool
    port: int
    trace: tuple[str, str] | None = None
    """Name and text of a trace file that goes with the order."""

    @property
    def name(self) -> str:
        """The same for the same load, so that two different ones do not meet in one cluster."""
        text = f"{self.order.model_dump_json()} {self.workers} {self.image}"
        return f"load-{self.order.service}-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"

    @property
    def files(self) -> dict[str, str]:
        """What the pods find at `PLACE`."""
        return {
            "order.json": self.order.model_dump_json(indent=1, exclude_none=True) + "\n",
            **dict([self.trace] if self.trace else []),
        }


def manifests(crowd: Crowd) -> list[dict[str, Any]]:
    """The objects, in the order in which they are applied. Raises PackageError for what would not run."""
    _check(crowd)
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": RESTRICTED}},
        {**_object(crowd, "v1", "ConfigMap"), "immutable": True, "data": crowd.files},
        _service(crowd),
        *_policies(crowd),
        _job(crowd, "master"),
        _job(crowd, "worker"),
    ]


def _check(crowd: Crowd) -> None:
    if PINNED.fullmatch(crowd.image) is None:
        what = f"--image {crowd.image}: a tag can mean something else tomorrow; write IMAGE@sha256:DIGEST"
        raise PackageError(what, not_done=NOT_WRITTEN)
    if not 1 <= crowd.workers <= 100:  # one master merges them; at 1,800/s each that is more than any gateway takes
        raise PackageError(f"--workers {crowd.workers}: give 1 to 100", not_done=NOT_WRITTEN)
    for name in crowd.files:
        if re.fullmatch(r"[-._a-zA-Z0-9]+", name) is None:
            what = f"the trace {name}: a ConfigMap takes letters, digits, '-', '_' and '.' in the name of a file"
            raise PackageError(what, not_done=NOT_WRITTEN)
    size = sum(len(text.encode()) for text in crowd.files.values())
    if size > CONFIG_MAP:
        what = f"order and trace have {size:,} bytes, and a ConfigMap takes {CONFIG_MAP:,}"
        raise PackageError(what, not_done=NOT_WRITTEN, next="a shorter trace, or one that the image has")
    ending(crowd.order), keys(crowd.order)


def _labels(crowd: Crowd, role: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": "load", "app.kubernetes.io/instance": crowd.name, "bellwether/role": role}


def _object(crowd: Crowd, version: str, kind: str, role: str = "", namespace: str = NAMESPACE) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "load", "app.kubernetes.io/instance": crowd.name}
    name = f"{crowd.name}-{role}" if role else crowd.name
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace, "labels": labels}}


def _service(crowd: Crowd) -> dict[str, Any]:
    """The name of the master's pod, from before it is ready."""
    spec = {
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": _labels(crowd, "master"),
        "ports": [{"name": "lead", "port": LED, "targetPort": LED, "protocol": "TCP"}],
    }
    return {**_object(crowd, "v1", "Service", "master"), "spec": spec}


def _policies(crowd: Crowd) -> list[dict[str, Any]]:
    """Workers ask the master, the name server and the target; the master is asked by workers, and asks nobody."""
    lead = [{"port": LED, "protocol": "TCP"}]
    ask = [{"to": [_pods(_labels(crowd, "master"))], "ports": lead}, _names(), _target(crowd)]
    answer = [{"from": [_pods(_labels(crowd, "worker"))], "ports": lead}]
    policies = [_policy(crowd, "master", answer, []), _policy(crowd, "worker", [], ask)]
    return [*policies, _entry(crowd)] if crowd.inside else policies


def _policy(crowd: Crowd, role: str, ingress: Sequence[Any], egress: Sequence[Any]) -> dict[str, Any]:
    spec = {**_pods(_labels(crowd, role)), "policyTypes": ["Ingress", "Egress"]}
    policy = _object(crowd, "networking.k8s.io/v1", "NetworkPolicy", role)
    return {**policy, "spec": {**spec, "ingress": list(ingress), "egress": list(egress)}}


def _names() -> dict[str, Any]:
    ports = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    return {"to": [{**_space("kube-system"), **_pods({"k8s-app": "kube-dns"})}], "ports": ports}


def _target(crowd: Crowd) -> dict[str, Any]:
    if crowd.inside:
        gateway = {**_space("gateway"), **_pods({"app.kubernetes.io/name": "gateway"})}
        return {"to": [gateway], "ports": [{"port": "https", "protocol": "TCP"}]}
    anywhere = [{"ipBlock": {"cidr": cidr}} for cidr in ("0.0.0.0/0", "::/0")]
    return {"to": anywhere, "ports": [{"port": crowd.port, "protocol": "TCP"}]}


def _entry(crowd: Crowd) -> dict[str, Any]:
    """The gateway lets the workers in: its namespace is closed to whom no policy names."""
    door = {"from": [{**_space(NAMESPACE), **_pods(_labels(crowd, "worker"))}]}
    spec = {**_pods({"app.kubernetes.io/name": "gateway"}), "policyTypes": ["Ingress"]}
    ports = [{"port": "https", "protocol": "TCP"}]
    policy = _object(crowd, "networking.k8s.io/v1", "NetworkPolicy", namespace="gateway")
    return {**policy, "spec": {**spec, "ingress": [{**door, "ports": ports}]}}


def _pods(labels: Mapping[str, str]) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": dict(labels)}}


def _space(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _job(crowd: Crowd, role: str) -> dict[str, Any]:
    count = crowd.workers if role == "worker" else 1
    spec = {
        "completionMode": "Indexed" if role == "worker" else "NonIndexed",
        "completions": count,
        "parallelism": count,
        "backoffLimit": 0,  # a worker that begins again would begin a share that was half sent
        "activeDeadlineSeconds": round(START + ending(crowd.order) + END),
        "ttlSecondsAfterFinished": KEPT,
        "template": {"metadata": {"labels": _labels(crowd, role)}, "spec": _pod(crowd, role)},
    }
    return {**_object(crowd, "batch/v1", "Job", role), "spec": spec}


def _pod(crowd: Crowd, role: str) -> dict[str, Any]:
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(crowd, role)],
        "volumes": [{"name": "order", "configMap": {"name": crowd.name}}, {"name": "tmp", "emptyDir": {}}],
    }
    return {**pod, "topologySpreadConstraints": [_apart(crowd)]} if role == "worker" else pod


def _apart(crowd: Crowd) -> dict[str, Any]:
    """Workers on machines of their own, where there are so many: they would measure each other."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": _labels(crowd, "worker")},
    }


def _container(crowd: Crowd, role: str) -> dict[str, Any]:
    return {
        "name": role,
        "image": crowd.image,
        "workingDir": CODE,
        "command": ["python", "-m", "locust", "-f", "loadtests/locustfile.py", "--headless", *_words(crowd, role)],
        "env": _environment(crowd, role),
        "resources": {"requests": SEND, "limits": MOST},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "order", "mountPath": PLACE, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }


def _words(crowd: Crowd, role: str) -> list[str]:
    if role == "worker":
        return ["--worker", "--master-host", f"{crowd.name}-master", "--master-port", str(LED)]
    expect = ["--expect-workers", str(crowd.workers), "--expect-workers-max-wait", str(START)]
    facts = ["--exit-code-on-error", "0"]  # requests that failed are facts of the report; a load that failed ends 1
    return ["--master", *expect, *facts, "--only-summary", "--order", f"@{PLACE}/order.json"]


def _environment(crowd: Crowd, role: str) -> list[dict[str, Any]]:
    plain = {"HOME": "/tmp", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": CODE}
    values: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in plain.items()]
    if role == "worker":
        secret = f"load-{crowd.order.service}"
        values += [
            {"name": key, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}} for key in keys(crowd.order)
        ]
    return values
