"""An emulated Azure in a directory: the plugins, a home and a state backend for Pulumi, the ledger of the subscription.

It gives the environment in which plain `pulumi` speaks to the emulation; the committed programs know nothing of it.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from infra import store
from infra.azure import faults
from infra.azure.settings import VARIABLE, Settings
from infra.blueprint.stack import Stack
from infra.errors import InvalidInput
from infra.fleet import Fleet

ROOT = Path(__file__).parent.parent.parent
PROGRAMS = ROOT / "infra" / "stacks"
PLUGINS = {
    "pulumi-resource-azure-native": "infra.azure.provider",
    "pulumi-resource-kubernetes": "infra.azure.kubernetes",
    "pulumi-language-python": "infra.azure.host",
}
"""Executable -> the module that it runs."""


class NoSubscription(InvalidInput):
    """The fleet names no subscription, so there is nothing to emulate."""


class Emulation:
    """One emulated Azure for one fleet. Made, or found again, in a directory of its own."""

    def __init__(self, directory: Path, fleet: Fleet, programs: Path = PROGRAMS, **settings: Any) -> None:
        if fleet.azure is None:
            raise NoSubscription(
                f"the fleet {fleet.name} has no azure: section", not_done="nothing was made", next="ops fleet schema"
            )
        self.directory = directory.absolute()
        self._programs = programs
        self.settings = Settings(self.directory, fleet.azure.subscription, fleet.azure.tenant, **settings)
        self._prepare()

    def environment(self) -> dict[str, str]:
        """The variables under which `pulumi` works in the emulation, beside those that are set."""
        bins = [str(self.directory / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        return {
            "PATH": os.pathsep.join(bins),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
            "PULUMI_HOME": str(self.directory / "home"),
            # Without the files beside each file that say its type: a kill in the middle of one ends all reading.
            "PULUMI_BACKEND_URL": f"file://{self.directory / 'backend'}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.directory / "passphrase"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",  # what is not on PATH is an error, not a download
            VARIABLE: str(self.directory),
        }

    def project(self, stack: Stack) -> Path:
        """The program of a stack, copied: what Pulumi writes beside it does not lie in the work tree, and two stacks do
        not meet."""
        copy = self.directory / "projects" / stack.project / stack.name
        source = self._programs / stack.kind
        shutil.copytree(source, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("Pulumi.*.yaml", "__pycache__"))
        _use_this_python(copy / "Pulumi.yaml")
        return copy

    def break_with(self, plan: Collection[faults.Fault]) -> None:
        """Set the faults to come, in place of those that were set."""
        store.write_json(self.settings.faults, faults.to_json(plan))

    def _prepare(self) -> None:
        for name in ("bin", "home", "backend", "projects"):
            store.make_folder(self.directory / name)
        for name, module in PLUGINS.items():
            if module != "infra.azure.host" or shutil.which(name) is None:
                self._script(name, module)
        self.settings.write()
        self._passphrase()

    def _script(self, name: str, module: str) -> None:
        """An executable of that name. It is sh, since a path in a #! line may neither be long nor have spaces."""
        script = self.directory / "bin" / name
        store.write_atomic(script, f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
        script.chmod(0o755)

    def _passphrase(self) -> None:
        """What encrypts secrets in the emulation's state; only its owner may read it, and nothing prints it."""
        path = self.directory / "passphrase"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32), encoding="utf-8")


def _use_this_python(project: Path) -> None:
    """A real language host takes the virtual environment that the project names, and that by a relative path."""
    settings = yaml.safe_load(project.read_text(encoding="utf-8"))
    if "virtualenv" in settings["runtime"].get("options", {}):
        settings["runtime"]["options"]["virtualenv"] = sys.prefix
        store.write_atomic(project, yaml.safe_dump(settings, sort_keys=False))
