"""One run of a stack's program against a recorder instead of an engine, in this process; and of all stacks of a fleet.

`python -m infra.rendering.rehearsal FLEET_FILE PROGRAMS` prints each stack as a line of JSON: what was asked for,
and with which options. The SDK is imported once for all of them.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import pulumi
from pulumi.runtime import run_in_stack, set_all_config
from pulumi.runtime.mocks import MockEngine
from pulumi.runtime.settings import Settings, configure

from infra.azure.subscription import Subscription
from infra.blueprint.stack import Stack, stacks
from infra.fleet import load_fleet
from infra.rendering.computed import Computed
from infra.rendering.recording import NotTaken, Recorder, Registered

WORKERS = 16  # registrations that a program may wait for at once


def rehearse(
    stack: Stack,
    folder: Path,
    azure: Subscription,
    references: Mapping[str, Mapping[str, Any]],
    computed: Computed | None = None,
) -> Recorder:
    """Run the program in `folder` as that stack, after those that `computed` has heard. Raises whatever it raises."""
    recorder = Recorder(stack.project, stack.name, azure, references, computed=computed or Computed())
    contextvars.copy_context().run(_run, stack, folder, recorder)
    return recorder


def _run(stack: Stack, folder: Path, recorder: Recorder) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=WORKERS))
    quiet = MockEngine(logging.getLogger("infra.rendering.rehearsal"))
    configure(
        Settings(
            project=stack.project,
            stack=stack.name,
            monitor=recorder,
            engine=quiet,
            parallel=WORKERS,
            dry_run=False,
            organization="organization",
            root_directory=str(folder),
        )
    )
    set_all_config({f"{stack.project}:{key}": value for key, value in stack.config().items()})
    os.chdir(folder)
    try:
        loop.run_until_complete(run_in_stack(lambda: _program(folder)))
    finally:
        loop.close()
        asyncio.set_event_loop(None)


def _program(folder: Path) -> None:
    runpy.run_path(str(folder / "__main__.py"), run_name="__main__")


def main(fleet_file: Path, programs: Path, out: TextIO) -> None:
    """Every stack of a fleet, a line each; a failure is the last line."""
    fleet = load_fleet(fleet_file)
    assert fleet.azure is not None
    azure = Subscription(fleet.azure.subscription, fleet.azure.tenant)
    outputs: dict[str, Mapping[str, Any]] = {}
    computed = Computed({azure.id, azure.tenant})
    for stack in stacks(fleet, str(fleet_file)):
        try:
            recorder = rehearse(stack, programs / stack.kind, azure, outputs, computed)
        except Exception as error:  # noqa: BLE001 - told to who asked, as the engine would
            print(json.dumps({"failed": f"{stack.project} {stack.name}: {_said(error)}"}), file=out)
            return
        outputs[stack.reference] = recorder.outputs
        print(json.dumps({"stack": stack.reference, **_row(recorder)}), file=out)


def _said(error: Exception) -> str:
    """A refusal is its message; anything else is a bug in a program and is traced."""
    if isinstance(error, pulumi.RunError | NotTaken):
        return str(error)
    return "".join(traceback.format_exception(error))


def _row(recorder: Recorder) -> dict[str, Any]:
    ids = {one.urn: one.id for one in recorder.registered.values() if one.id}
    return {
        "requests": [asdict(recorder.requests[id]) for id in sorted(recorder.requests)],
        "objects": [recorder.objects[key] for key in sorted(recorder.objects)],
        "options": {one.id: _options(one, ids) for one in recorder.registered.values() if one.id},
        "outputs": recorder.outputs,
        "computed": recorder.computed.expressions,
    }


def _options(one: Registered, ids: Mapping[str, str]) -> dict[str, Any]:
    return {
        "protect": one.protect,
        "retain": one.retain,
        "ignore_changes": one.ignore_changes,
        "depends_on": sorted(ids[urn] for urn in one.depends_on if urn in ids),
    }


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a program prints is not an answer
    main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute(), answers)
