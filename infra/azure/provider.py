"""The provider azure-native as Pulumi's engine sees it, over an emulated subscription: Check, Diff, Create, Read, ...

The engine starts it as `pulumi-resource-azure-native`. It speaks the protocol and nothing else: types are in schema.py,
rules in rules/, effects and faults in resource_manager.py. The SDK is never imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import empty_pb2  # type: ignore[import-untyped]

from infra.azure import armpath, difference, forecast, generic, observation, plugin, schema, wire
from infra.azure.difference import changes
from infra.azure.protocol import provider_pb2
from infra.azure.refusal import ArmError, Unfinished
from infra.azure.resource_id import type_of
from infra.azure.resource_manager import ResourceManager
from infra.azure.rules.immutable import immutable
from infra.azure.settings import Settings
from infra.azure.shape import versions


class Provider(plugin.Provider):
    """azure-native for one engine."""

    package = "pulumi-azure-native"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._azure = ResourceManager(settings)
        self._subscription = settings.subscription

    async def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's names
        """Take the subscription that the program names; without one, the emulated one."""
        self._subscription = wire.read(request.args).get("subscriptionId") or self._settings.subscription
        return await super().Configure(request, context)

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Every flaw of the inputs, at its path."""
        found = schema.flaws(plugin.token(request.urn), wire.read(request.news))
        failures = [provider_pb2.CheckFailure(property=flaw.path, reason=flaw.what) for flaw in found]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    async def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        """What changed in the inputs, and whether the resource provider can change that in place."""
        token, old, new = plugin.token(request.urn), wire.read(request.old_inputs), wire.read(request.news)
        asked = schema.request(token, new, self._subscription)
        found = changes(old, new, request.ignoreChanges)
        fixed = {*_path(token), *map(_lifted, immutable(asked.type))}
        replacing = [one for one in found if difference.Change(_lift(one.path), one.kind).within(fixed)]
        return plugin.diff(found, replacing, delete_first=asked.id == request.id)

    async def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        """PUT, where nothing is there."""
        token, inputs = plugin.token(request.urn), wire.read(request.properties, sealed=True)
        if request.preview:
            expected = forecast.made(token, wire.read(request.properties))
            return provider_pb2.CreateResponse(properties=wire.write(expected, wire.secret_keys(request.properties)))
        asked = schema.request(token, inputs, self._subscription)
        try:
            self._azure.absent(asked)
            body = await self._azure.put(asked)
        except Unfinished as error:
            await _half(context, token, asked.id, error, request.properties)
        except ArmError as error:
            await _refuse(context, asked.id, error)
        return provider_pb2.CreateResponse(id=asked.id, properties=wire.write(schema.outputs(token, asked.id, body)))

    async def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        """PUT over what is there."""
        if request.preview:
            return provider_pb2.UpdateResponse(properties=_expected(request))
        token, inputs = plugin.token(request.urn), wire.read(request.news, sealed=True)
        asked = schema.request(token, inputs, self._subscription)
        try:
            body = await self._azure.put(asked)
        except Unfinished as error:
            await _half(context, token, asked.id, error, request.news)
        except ArmError as error:
            await _refuse(context, asked.id, error)
        return provider_pb2.UpdateResponse(properties=wire.write(schema.outputs(token, asked.id, body)))

    async def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        """DELETE; done, where nothing is there."""
        try:
            await self._azure.delete(request.id)
        except ArmError as error:
            await _refuse(context, request.id, error)
        return empty_pb2.Empty()

    async def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        """What is there now, as outputs and as the inputs that would make it; no id where nothing is."""
        token = plugin.token(request.urn)
        body = self._azure.read(request.id)
        if body is None:
            return provider_pb2.ReadResponse()
        now, inputs = schema.outputs(token, request.id, body), wire.read(request.inputs)
        before = wire.read(request.properties) or now  # a state without outputs remembers nothing that could have moved
        seen = observation.observed(inputs, before, now) if inputs else _imported(token, request.id, body)
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=wire.write(now),
            inputs=wire.write(_declared(token, inputs, seen), wire.secret_keys(request.inputs)),
        )

    async def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        """A function of the SDK; what lists keys or credentials answers with secrets."""
        try:
            answer = self._azure.call(request.tok, wire.read(request.args))
        except ArmError as error:
            await _refuse(context, request.tok, error)
        hidden = frozenset(answer) if ":list" in request.tok else frozenset()
        return provider_pb2.InvokeResponse(**{"return": wire.write(answer, hidden)})


def _lift(path: difference.Path) -> difference.Path:
    """A path of ARM as the SDK shows it: without `properties`."""
    return tuple(part for part in path if part != "properties")


def _lifted(path: str) -> str:
    return difference.write(_lift(difference.parse(path)))


def _expected(request: Any) -> Any:
    """In a preview: what is there stays, but for what the inputs say anew."""
    expected = forecast.changed(wire.read(request.olds), wire.read(request.news))
    return wire.write(expected, wire.secret_keys(request.olds) | wire.secret_keys(request.news))


def _path(token: str) -> tuple[str, ...]:
    """The inputs that are the resource's id: another value is another resource."""
    return generic.PATH if token == generic.TOKEN else armpath.parameters(token)


def _imported(token: str, id: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a resource that no state knows."""
    known = versions(type_of(id)) if token == generic.TOKEN else []
    return schema.inputs(token, id, body, max(known, default=""))


def _declared(token: str, inputs: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    """What was seen, without what only Azure writes."""
    wrong = [flaw.path for flaw in schema.flaws(token, seen)]
    known = [flaw.path for flaw in schema.flaws(token, inputs)] if inputs else []
    return dict(observation.without(seen, [path for path in wrong if path not in known]))


async def _refuse(context: Any, what: str, error: ArmError) -> None:
    await plugin.refuse(context, _said(what, error), known=error.status < 500)


async def _half(context: Any, token: str, id: str, error: Unfinished, inputs: Any) -> None:
    """What was accepted is in the state, to be brought to its end by the next run: the real provider does the same."""
    await plugin.half(context, _said(id, error), id, wire.write(schema.outputs(token, id, error.made)), inputs)


def _said(what: str, error: ArmError) -> str:
    after = f" Retry-After: {error.retry_after:g} s." if error.retry_after else ""
    text = f'{what}: Status={error.status} Code="{error.code}" Message="{error.message}"{after}'
    return f"{text} {error.link}".rstrip()


def main() -> None:
    """Serve until the engine ends it."""
    plugin.serve(Provider(Settings.given()))


if __name__ == "__main__":
    main()
