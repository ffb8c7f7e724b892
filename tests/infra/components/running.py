"""One run of a program's beginning against the SDK's own mocks: what was registered, what was said, how it ended.

For what is the same for all four programs. What they make is rendered, as `ops fleet render` does.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import run_in_stack, set_all_config
from pulumi.runtime.mocks import MockCallArgs, MockEngine, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.settings import Settings, configure

from infra.blueprint.stack import Stack
from infra.components.program import Context, run


@dataclass
class Run(Mocks):
    """What an engine saw of one program.

    `below` are the outputs of stacks that it refers to, `answers` those of functions that it calls, by their tokens.
    """

    subscription: str
    below: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    made: list[tuple[str, str]] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    refusal: str = ""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if args.typ == "pulumi:pulumi:StackReference":
            return args.resource_id, {"name": args.name, "outputs": dict(self.below[args.name])}
        self.made.append((args.typ, args.name))
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: MockCallArgs) -> dict[Any, Any]:
        login = {"subscriptionId": self.subscription, "tenantId": "t", "clientId": "c", "objectId": "o"}
        return dict(self.answers.get(args.token, login))


class Monitor(MockMonitor):
    """The SDK's mock, which also keeps the requests: aliases and options are in them and nowhere else."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._run = run

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        self._run.asked.append(request)
        return super().RegisterResource(request)


class Engine(MockEngine):
    """Keeps what a program says to people."""

    def __init__(self, run: Run) -> None:
        super().__init__(logging.getLogger("tests.running"))
        self._run = run

    def Log(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        self._run.said.append(request.message)
        return super().Log(request)


def begin(
    stack: Stack,
    subscription: str,
    build: Callable[[Context], None] = lambda context: None,
    preview: bool = False,
    config: Mapping[str, str] | None = None,
    below: Mapping[str, Mapping[str, Any]] | None = None,
    answers: Mapping[str, Mapping[str, Any]] | None = None,
) -> Run:
    """Run a program of that stack's kind, which builds that."""
    seen = Run(subscription, below or {}, answers or {})
    given = {f"{stack.project}:{key}": value for key, value in (stack.config() if config is None else config).items()}
    contextvars.copy_context().run(_run, stack, seen, given, build, preview)
    return seen


def _run(stack: Stack, seen: Run, config: Mapping[str, str], build: Callable[[Context], None], preview: bool) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=8))
    configure(
        Settings(
            project=stack.project,
            stack=stack.name,
            monitor=Monitor(seen),
            engine=Engine(seen),
            parallel=8,
            dry_run=preview,
            organization="organization",
            root_directory=".",
        )
    )
    set_all_config(dict(config))
    try:
        loop.run_until_complete(run_in_stack(lambda: run(stack.kind, build)))
    except pulumi.RunError as error:
        seen.refusal = str(error)
    finally:
        loop.close()
