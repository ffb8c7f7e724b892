"""A language host for Pulumi's engine: runs a Python program in its own process. Used only where no real host is.

The engine starts it as `pulumi-language-python`, reads a port from its output and calls the service LanguageRuntime.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from pulumi import RunError, log
from pulumi.runtime import run_in_stack, set_all_config
from pulumi.runtime.proto import LanguageRuntimeServicer, language_pb2, language_pb2_grpc, plugin_pb2
from pulumi.runtime.settings import Settings, configure

from infra.azure import plugin

WORKERS = 64  # calls to the engine that a program may wait for at once; each is a thread, started when it is needed


class Host(LanguageRuntimeServicer):
    """Runs programs for one engine."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's names
        """Nothing to install: every plugin is on PATH."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The same for older engines."""
        return language_pb2.GetRequiredPluginsResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Its version says nothing: it is part of this project."""
        return plugin_pb2.PluginInfo(version="0.0.0")

    def About(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Which Python runs the programs."""
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run the program of a project to its end; what it did wrong was told to the engine before."""
        return contextvars.copy_context().run(self._run, request)

    def _run(self, request: Any) -> Any:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.set_default_executor(ThreadPoolExecutor(max_workers=WORKERS))
        self._configure(request)
        try:
            loop.run_until_complete(run_in_stack(lambda: _program(request)))
        except BaseException as error:  # noqa: BLE001 - whatever a program raises is told to the engine
            return _failure(error)
        finally:
            _close(loop)
        return language_pb2.RunResponse()

    def _configure(self, request: Any) -> None:
        configure(
            Settings(
                project=request.project,
                stack=request.stack,
                monitor=request.monitor_address,
                engine=self._engine,
                parallel=request.parallel,
                dry_run=request.dryRun,
                organization=request.organization or "organization",
                root_directory=request.info.root_directory or request.pwd,
            )
        )
        set_all_config(dict(request.config), list(request.configSecretKeys))


def _program(request: Any) -> None:
    folder = Path(request.info.program_directory or request.pwd)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    runpy.run_path(str(folder / (request.info.entry_point or ".") / "__main__.py"), run_name="__main__")


def _failure(error: BaseException) -> Any:
    """A refusal of the program is its message; an engine that is gone needs none; all else is a bug and is traced."""
    if isinstance(error, grpc.RpcError) and error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        return language_pb2.RunResponse(bail=True)
    text = str(error) if isinstance(error, RunError) else "".join(traceback.format_exception(error))
    log.error(text)
    return language_pb2.RunResponse(bail=True)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()
    sys.stdout.flush()


def main() -> None:
    """Serve until the engine ends it."""
    engine = plugin.engine_address(sys.argv[1:])
    server = grpc.server(ThreadPoolExecutor(max_workers=4), options=plugin.CHANNEL)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(engine), server)
    plugin.announce(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    plugin.until_over()
    server.stop(0)
    os._exit(0)  # a program's threads may still wait for an engine that is gone


if __name__ == "__main__":
    main()
