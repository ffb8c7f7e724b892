"""The messages of Pulumi's provider protocol, without the SDK around them: importing that takes half a second.

A plugin is started once for each run of the engine; it needs the messages that are in the SDK's wheel, and no more.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

PACKAGES = ("pulumi", "pulumi.runtime", "pulumi.runtime.proto")


def _messages(*names: str) -> list[ModuleType]:
    """Modules of pulumi.runtime.proto. Where the SDK is not loaded, its packages are only folders for as long as this
    takes: what their own code would do is left out."""
    if PACKAGES[0] in sys.modules:
        return [importlib.import_module(f"{PACKAGES[-1]}.{name}") for name in names]
    folder = importlib.util.find_spec(PACKAGES[0]).submodule_search_locations[0]  # type: ignore[union-attr,index]
    try:
        for place, package in enumerate(PACKAGES):
            sys.modules[package] = ModuleType(package)
            sys.modules[package].__path__ = ["/".join([folder, *PACKAGES[place].split(".")[1:]])]
        return [importlib.import_module(f"{PACKAGES[-1]}.{name}") for name in names]
    finally:
        for package in PACKAGES:
            del sys.modules[package]


plugin_pb2: Any
provider_pb2: Any
provider_pb2_grpc: Any
status_pb2: Any
plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2 = _messages(
    "plugin_pb2", "provider_pb2", "provider_pb2_grpc", "status_pb2"
)
