"""The same inputs given to the Pulumi SDK's typed resources under its own mocks: which of them it refuses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from contextvars import copy_context
from functools import cache
from io import StringIO
from typing import Any

from tests.infra.azure.sdk import _constants, _hints, _kind, classes


def refused_by_sdk(token: str, inputs: Mapping[str, Any]) -> bool:
    """Whether making the resource, or sending it to the engine, raises: anything, the SDK has no error of its own."""
    return copy_context().run(_refused, token, inputs)  # or the SDK would take the next program's stack for a second


def _refused(token: str, inputs: Mapping[str, Any]) -> bool:
    import pulumi

    class Accepting(pulumi.runtime.Mocks):
        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
            return f"{args.name}-id", _answered(args.inputs)

        def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], None]:
            return {}, None

    _loop()
    pulumi.runtime.set_mocks(Accepting(), preview=False)
    arguments, resource = classes(token)

    def register() -> None:
        resource("made", **_keywords(arguments, inputs))

    try:
        with redirect_stderr(StringIO()):  # the SDK prints what it raises
            pulumi.runtime.test(register)()  # type: ignore[no-untyped-call]
    except Exception:  # noqa: BLE001
        return True
    return False


@cache
def _loop() -> None:
    """One event loop for all, which says nothing of tasks that failed: that they do is what is asked."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    asyncio.set_event_loop(loop)


def _answered(inputs: dict[str, Any]) -> dict[str, Any]:
    """What mocks usually answer: the inputs. ARM answers with a map of identities where it is given a list."""
    identity = inputs.get("identity")
    if not isinstance(identity, dict) or not isinstance(identity.get("userAssignedIdentities"), list):
        return inputs
    names = [each for each in identity["userAssignedIdentities"] if isinstance(each, str)]
    return {**inputs, "identity": {**identity, "userAssignedIdentities": {each: {} for each in names}}}


def _keywords(arguments: type, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Of the resource itself: the SDK's own `resource_name` is the logical name, so ARM's has an underscore."""
    return {f"{key}_" if key == "resource_name" else key: value for key, value in _typed(arguments, inputs).items()}


def _typed(shown: type, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments, with objects of the SDK's classes wherever it has one."""
    from pulumi import _types

    names = {wire: python for python, wire in _types.input_type_py_to_pulumi_names(shown).items()}
    hints = _hints(shown, False)
    return {names.get(key, _snake(key)): _value(hints.get(key), each) for key, each in inputs.items()}


def _value(hint: Any, value: Any) -> Any:
    kind, inner = _kind(hint) if hint is not None else ("plain", [])
    if kind == "things" and isinstance(value, Mapping):
        chosen = _chosen(inner, value)
        return chosen(**_typed(chosen, value))
    if kind == "list" and isinstance(value, list):
        return [_value(inner, each) for each in value]
    if kind == "map" and isinstance(value, Mapping):
        return {key: _value(inner, each) for key, each in value.items()}
    return value


def _chosen(classes: Sequence[type], value: Mapping[str, Any]) -> Any:
    """The class of a union whose constant is among the values, as a person would choose it."""
    words = {each for each in value.values() if isinstance(each, str)}
    return next((each for each in classes if _constants(each) & words), classes[0])


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", name)
