"""Kubernetes objects as a provider takes them: what they must have, their names, what cannot change in place. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from infra.azure.schema import UNKNOWN, Flaw

CLUSTER_WIDE = frozenset({
    "Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition",
    "StorageClass", "PriorityClass", "RuntimeClass", "IngressClass", "GatewayClass", "APIService",
    "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding", "ClusterPolicy", "NicClusterPolicy",
})  # fmt: skip
"""Kinds that have no namespace; all others are in `default` where they name none."""

SERVER_SIDE = frozenset({"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"})
"""What only the API server writes of an object's metadata (ObjectMeta in the Kubernetes API reference)."""
IDENTITY = ("apiVersion", "kind", "metadata.name", "metadata.namespace")
FIXED: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "StatefulSet": ("spec.selector", "spec.serviceName", "spec.volumeClaimTemplates", "spec.podManagementPolicy"),
    "Job": ("spec.selector", "spec.template", "spec.completions"),
    "Secret": ("type",),
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "PersistentVolumeClaim": ("spec.accessModes", "spec.storageClassName", "spec.volumeMode", "spec.volumeName"),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "PriorityClass": ("value", "preemptionPolicy"),
}
"""Kind -> what its API server refuses to change: "field is immutable" of kubernetes/pkg/apis/*/validation."""


def flaws(manifest: Mapping[str, Any]) -> list[Flaw]:
    """What every object must have and this one has not."""
    metadata = manifest.get("metadata", {})
    missing = [Flaw(key, "is missing") for key in ("apiVersion", "kind") if not manifest.get(key)]
    if metadata is not UNKNOWN and not isinstance(metadata, Mapping):
        return [*missing, Flaw("metadata", "must be an object")]
    return missing


def named(manifest: Mapping[str, Any], urn: str) -> dict[str, Any]:
    """The object with a name: its own, or one made of the resource's. The same resource always gets the same."""
    metadata = manifest.get("metadata") or {}
    if metadata is UNKNOWN or metadata.get("name"):
        return dict(manifest)
    name = f"{urn.rpartition('::')[2]}-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"
    return {**manifest, "metadata": {**metadata, "name": name}}


def key(manifest: Mapping[str, Any]) -> str:
    """How Pulumi calls an object: namespace/name, or the name of what has no namespace."""
    metadata = manifest["metadata"]
    if manifest["kind"] in CLUSTER_WIDE:
        return str(metadata["name"])
    return f"{metadata.get('namespace') or 'default'}/{metadata['name']}"


def fixed(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths that only a new object can have."""
    kind = manifest.get("kind")
    frozen = ("data", "stringData", "binaryData") if manifest.get("immutable") is True else ()
    return (*IDENTITY, *FIXED.get(str(kind), ()), *frozen)


def named_by(token: str, key: str) -> dict[str, Any]:
    """What is known of an object by its type and id: kubernetes:apps/v1:Deployment and namespace/name."""
    _, version, kind = token.split(":")
    namespace, _, name = key.rpartition("/")
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version.removeprefix("core/"), "kind": kind, "metadata": metadata}


def declared(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what only the cluster writes."""
    metadata = {key: value for key, value in manifest.get("metadata", {}).items() if key not in SERVER_SIDE}
    return {**{key: value for key, value in manifest.items() if key != "status"}, "metadata": metadata}
