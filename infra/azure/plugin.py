"""What the plugins for Pulumi's engine share: say the port, serve, end when told; the protocol's common answers.

Knows nothing of Azure or Kubernetes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import Any, ClassVar, NoReturn

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2  # type: ignore[import-untyped]

from infra.azure.difference import Change
from infra.azure.protocol import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

CHANNEL = [("grpc.max_receive_message_length", 400 * 2**20)]  # as large as the engine's own limit, 400 MiB
LOOK = 0.2  # seconds between two looks whether the engine lives: a killed one says nothing, and plugins outlive it
KIND = {"add": 0, "delete": 2, "update": 4}  # PropertyDiff.Kind of the protocol; one more: and that replaces it


class Provider(provider_pb2_grpc.ResourceProviderServicer):  # type: ignore[misc]
    """A provider whose configuration never matters; its resources are a subclass's."""

    package: ClassVar[str]
    """The Python package of the SDK that programs speak to it with."""

    async def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's names
        """The version of the SDK, which is what programs ask for."""
        return plugin_pb2.PluginInfo(version=version(self.package))

    async def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Every configuration will do."""
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        """A change of the configuration replaces nothing."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        """What this provider can do: secrets and previews."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    async def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Operations end soon by themselves."""
        return empty_pb2.Empty()


def token(urn: str) -> str:
    """The type of a resource: urn:pulumi:stack::project::parent$type::name -> type."""
    return urn.split("::")[2].rpartition("$")[2]


def name(urn: str) -> str:
    """The logical name of a resource."""
    return urn.split("::", 3)[3]


def diff(found: Sequence[Change], replacing: Collection[Change], delete_first: bool) -> Any:
    """The answer to Diff: each changed path, and those that only a new resource can have."""
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
        replaces=sorted({str(change.path[0]) for change in replacing}),
        diffs=sorted({str(change.path[0]) for change in found}),
        deleteBeforeReplace=delete_first and bool(replacing),
        hasDetailedDiff=True,
        detailedDiff={
            change.text: provider_pb2.PropertyDiff(
                kind=KIND[change.kind] + (change in replacing),
                inputDiff=True,
            )
            for change in found
        },
    )


async def refuse(context: Any, what: str, known: bool) -> NoReturn:
    """End a call with an error. Where its outcome is `known`, there was no effect; the engine forgets about it."""
    await context.abort(grpc.StatusCode.FAILED_PRECONDITION if known else grpc.StatusCode.UNKNOWN, what)
    raise AssertionError("abort always raises")


async def half(context: Any, what: str, id: str, outputs: Any, inputs: Any) -> NoReturn:
    """End a call with an error whose resource is there all the same: the engine keeps it, and that it is not whole."""
    detail = provider_pb2.ErrorResourceInitFailed(id=id, properties=outputs, reasons=[what], inputs=inputs)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=what)
    status.details.add().Pack(detail)
    context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
    await context.abort(grpc.StatusCode.UNKNOWN, what)
    raise AssertionError("abort always raises")


def engine_address(arguments: Sequence[str]) -> str:
    """Where the engine listens: the last argument that is no option."""
    return next((word for word in reversed(arguments) if not word.startswith("-")), "")


def announce(port: int) -> None:
    """Tell the engine where to call: the first line of the output."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def until_over() -> None:
    """Wait until the engine ends this process, with SIGINT or SIGTERM, or is gone. Only for the main thread."""
    over, engine = threading.Event(), os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    while os.getppid() == engine and not over.wait(LOOK):
        pass


def serve(provider: Provider) -> None:
    """Serve a provider on an event loop, until the engine ends this process or is gone."""
    asyncio.run(_serve(provider))


async def _serve(provider: Provider) -> None:
    over, engine = asyncio.Event(), os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    server = grpc.aio.server(options=CHANNEL)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    announce(server.add_insecure_port("127.0.0.1:0"))
    await server.start()
    while os.getppid() == engine and not over.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), LOOK)
    await server.stop(0)
