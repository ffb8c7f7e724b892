"""The provider kubernetes as Pulumi's engine sees it, over the clusters of an emulated subscription.

The engine starts it as `pulumi-resource-kubernetes`. The kubeconfig says which cluster; one that is not there, or not
yet, is unreachable. Objects run nothing; a Service can bring a private link service, as Azure's cloud controller would.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import empty_pb2  # type: ignore[import-untyped]

from infra.azure import manifest, observation, plugin, wire
from infra.azure.difference import changes
from infra.azure.kubeconfig import server
from infra.azure.protocol import provider_pb2
from infra.azure.refusal import ArmError
from infra.azure.resource_manager import ResourceManager
from infra.azure.settings import Settings


class Provider(plugin.Provider):
    """kubernetes for one engine and one cluster."""

    package = "pulumi-kubernetes"

    def __init__(self, settings: Settings) -> None:
        self._azure = ResourceManager(settings)
        self._server = ""

    async def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's names
        """Take the cluster that the kubeconfig is for; in a preview it may not be known yet."""
        self._server = server(wire.read(request.args).get("kubeconfig"))
        return await super().Configure(request, context)

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """What every object must have; an object without a name gets one."""
        found = manifest.flaws(wire.read(request.news))
        failures = [provider_pb2.CheckFailure(property=flaw.path, reason=flaw.what) for flaw in found]
        wanted = wire.read(request.news) if found else manifest.named(wire.read(request.news), request.urn)
        return provider_pb2.CheckResponse(inputs=wire.write(wanted, wire.secret_keys(request.news)), failures=failures)

    async def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        """What changed, and whether the API server would change that in place."""
        old, new = wire.read(request.old_inputs), wire.read(request.news)
        found = changes(old, new, request.ignoreChanges)
        replacing = [change for change in found if change.within(manifest.fixed(old))]
        return plugin.diff(found, replacing, delete_first=manifest.key(old) == manifest.key(new))

    async def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Apply an object; one that is there already and is the same is taken over."""
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        made = await self._apply(context, wire.read(request.properties, sealed=True))
        return provider_pb2.CreateResponse(id=manifest.key(made), properties=wire.write(made))

    async def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Apply an object over what is there."""
        if request.preview:
            return provider_pb2.UpdateResponse(properties=request.news)
        made = await self._apply(context, wire.read(request.news, sealed=True))
        return provider_pb2.UpdateResponse(properties=wire.write(made))

    async def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Delete an object; done, where it or its whole cluster is gone."""
        try:
            self._azure.forget(self._server, wire.read(request.properties))
        except ArmError as error:
            await plugin.refuse(context, error.message, known=error.status < 500)
        return empty_pb2.Empty()

    async def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        """What is there now."""
        before = wire.read(request.properties) or manifest.named_by(plugin.token(request.urn), request.id)
        try:
            now = self._azure.object(self._server, before)
        except ArmError as error:
            await plugin.refuse(context, error.message, known=True)
        if now is None:
            return provider_pb2.ReadResponse()
        inputs = wire.read(request.inputs)
        seen = observation.observed(inputs, manifest.declared(before), manifest.declared(now)) if inputs else now
        return provider_pb2.ReadResponse(id=request.id, properties=wire.write(now), inputs=wire.write(seen))

    async def _apply(self, context: Any, wanted: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._azure.apply(self._server, wanted)
        except ArmError as error:
            await plugin.refuse(context, f"{manifest.key(wanted)}: {error.message}", known=error.status < 500)


def main() -> None:
    """Serve until the engine ends it."""
    plugin.serve(Provider(Settings.given()))


if __name__ == "__main__":
    main()
