"""What the data files say of the Pulumi SDK is what the installed SDK says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.azure import armpath, shape
from tests.infra.azure.sdk import api_version, classes, input_names, twists, typed_tokens

SHOWN = json.loads(Path(shape.__file__).with_name("sdk_shape.json").read_text(encoding="utf-8"))
LEGACY = {"id", "name", "type"}  # what some network types take besides, since they once were parts of others
DEFAULTED = {"location"}  # the real provider takes the group's, we ask for it
ARM_ONLY = {"azure-native:databricks:Workspace": {"computeMode"}}  # ARM asks for it, the SDK does not


@pytest.mark.parametrize("package", sorted({token.split(":")[1] for token in typed_tokens()}))
def test_properties_paths_and_versions_are_those_of_the_sdk(package: str) -> None:
    for token in (each for each in typed_tokens() if each.split(":")[1] == package):
        arguments, resource = classes(token)
        assert shape.shape(token, "inputs").api_version == api_version(resource)
        assert twists(token) == SHOWN.get(token, {}), "python -m tests.infra.azure.sdk writes the file anew"
        _compare_names(token, input_names(arguments))


def _compare_names(token: str, names: dict[str, bool]) -> None:
    root = shape.shape(token, "inputs").root
    path = armpath.parameters(token)
    ours = {key for key in root.fields if root.writable(key)} | root.aside | set(path)
    asked = {key for key, needed in names.items() if needed}
    assert ours - set(names) == set()
    assert set(names) - ours <= LEGACY
    assert asked <= {*root.required, *path}
    assert {*root.required, *path} - asked - ARM_ONLY.get(token, set()) <= DEFAULTED | {path[-1]}
