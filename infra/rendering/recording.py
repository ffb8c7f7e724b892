"""A monitor for Pulumi programs that answers as the engine would on a first run, and keeps what was asked.

Azure's part is a subscription as a value: every flaw and every rule counts here, too. Starts no engine, no plugin.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import resource_pb2

from infra.azure import manifest, schema, wire
from infra.azure.kubeconfig import cluster_at, server
from infra.azure.refusal import ArmError
from infra.azure.schema import Request
from infra.azure.subscription import Subscription
from infra.rendering.computed import Computed

STACK = "pulumi:pulumi:Stack"


class NotTaken(ValueError):
    """A program asks for what ARM would not take, or refers to what is not there."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A resource as a program registered it: its id, and how Pulumi is to treat it."""

    urn: str
    type: str
    id: str
    protect: bool
    retain: bool
    ignore_changes: tuple[str, ...]
    depends_on: tuple[str, ...]


@dataclass
class Recorder(MockMonitor):
    """The monitor of one run of one program. Calls come from several threads and are answered one at a time."""

    project: str
    stack: str
    azure: Subscription
    references: Mapping[str, Mapping[str, Any]]
    """organization/<project>/<stack> -> outputs."""
    registered: dict[str, Registered] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    """By ARM id."""
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By apiVersion, kind and namespace/name."""
    outputs: dict[str, Any] = field(default_factory=dict)
    computed: Computed = field(default_factory=Computed)

    def __post_init__(self) -> None:
        super().__init__(None)  # type: ignore[arg-type]  # nothing of it that uses mocks is left
        self._one_at_a_time = threading.Lock()
        self._servers: dict[str, str] = {}  # provider -> the cluster it is for

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's names
        """Answer with what the resource would be."""
        urn = self._urn(request)
        with self._one_at_a_time:
            id, outputs = self._make(request, wire.read(request.object, sealed=True))
            self.registered[urn] = _registered(request, urn, id)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=id, object=wire.write(outputs))

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        """A reference to another stack, or a resource that must be there."""
        return resource_pb2.ReadResourceResponse(urn=self._urn(request), properties=wire.write(self._found(request)))

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        """What the stack exports."""
        if f"::{STACK}::" in request.urn:
            self.outputs = wire.read(request.outputs, sealed=True)
        return empty_pb2.Empty()

    def Invoke(self, request: Any) -> Any:  # noqa: N802
        """A function of a provider."""
        with self._one_at_a_time:
            answer = self.azure.call(request.tok, wire.read(request.args))
        return resource_pb2.ResourceInvokeResponse(**{"return": wire.write(answer)})

    def _make(self, request: Any, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if request.type.startswith("azure-native:"):
            return self._put(request, inputs)
        if request.type.startswith("kubernetes:"):
            return self._apply(request, inputs)
        if request.type == "pulumi:providers:kubernetes":
            self._servers[self._urn(request)] = server(inputs.get("kubeconfig"))
        return (request.name if request.custom else ""), inputs

    def _put(self, request: Any, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        found = schema.flaws(request.type, inputs)
        if found:
            flaws = "\n".join(f"  {flaw.path}: {flaw.what}" for flaw in found)
            raise NotTaken(f"{request.type} {request.name} is not what ARM takes:\n{flaws}")
        asked = schema.request(request.type, inputs, self.azure.id)
        if asked.id in self.requests:
            raise NotTaken(f"{request.type} {request.name}: {asked.id} is declared twice")
        self.requests[asked.id] = asked
        try:
            answer = self.azure.put(asked)
        except ArmError as error:
            raise NotTaken(f"{request.type} {request.name}: {error.what} {error.link}".rstrip()) from error
        self.computed.hear(asked, answer)
        return asked.id, schema.outputs(request.type, asked.id, answer)

    def _apply(self, request: Any, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        wanted = manifest.named(inputs, self._urn(request))
        self.objects["/".join([wanted["apiVersion"], wanted["kind"], manifest.key(wanted)])] = wanted
        place = self._servers.get(request.provider.rpartition("::")[0], "")
        return manifest.key(wanted), self.azure.put_object(cluster_at(self.azure.inventory, place), wanted)

    def _found(self, request: Any) -> dict[str, Any]:
        if request.type != "pulumi:pulumi:StackReference":
            body = self.azure.read(request.id)
            if body is None:
                raise NotTaken(f"there is no {request.id}")
            return schema.outputs(request.type, request.id, body)
        if request.id not in self.references:
            raise NotTaken(f"{request.id} is referred to before it is made")
        return {"name": request.id, "outputs": dict(self.references[request.id]), "secretOutputNames": []}

    def _urn(self, request: Any) -> str:
        kind = request.type
        if request.parent:
            above = request.parent.split("::")[2]
            kind = kind if above == STACK else f"{above}${kind}"
        return f"urn:pulumi:{self.stack}::{self.project}::{kind}::{request.name}"


def _registered(request: Any, urn: str, id: str) -> Registered:
    return Registered(
        urn=urn,
        type=request.type,
        id=id,
        protect=request.protect,
        retain=request.retainOnDelete,
        ignore_changes=tuple(request.ignoreChanges),
        depends_on=tuple(request.dependencies),
    )
