"""Values as Pulumi's engine sends them: the signatures of unknown and secret values in a protobuf Struct, and back.

Calls nothing; what a value means is for the providers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value  # type: ignore[import-untyped]

from infra.azure.schema import UNKNOWN

# The signatures of Pulumi's protocol, sdk/go/common/resource/properties.go and sig.go of pulumi/pulumi.
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SEALED = "sealed:"  # how a secret stands in the ledger: this and a digest


def read(struct: Struct, sealed: bool = False) -> dict[str, Any]:
    """The values of a Struct, secrets unwrapped or, with `sealed`, replaced by a digest of each text in them."""
    return {key: _read(value, sealed) for key, value in struct.fields.items()}


def secret_keys(struct: Struct) -> frozenset[str]:
    """The keys of a Struct that have a secret somewhere in their value."""
    return frozenset(key for key, value in struct.fields.items() if _has_secret(value))


def write(values: dict[str, Any], secrets: Collection[str] = ()) -> Struct:
    """A Struct of values; those of the keys in `secrets` are wrapped as secrets."""
    struct = Struct()
    for key, value in values.items():
        struct.fields[key].CopyFrom(_secret(value) if key in secrets else _write(value))
    return struct


def seal(value: Any) -> Any:
    """A secret as the ledger may hold it: every text in it is a digest, nothing else changes."""
    if isinstance(value, str):
        return SEALED + hashlib.sha256(value.encode()).hexdigest()[:16]
    if isinstance(value, dict):
        return {key: seal(item) for key, item in value.items()}
    return [seal(item) for item in value] if isinstance(value, list) else value


def _read(value: Value, sealed: bool) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value == UNKNOWN_VALUE else value.string_value
        case "number_value":
            return int(value.number_value) if value.number_value.is_integer() else value.number_value
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_read(item, sealed) for item in value.list_value.values]
        case "struct_value":
            return _read_struct(value.struct_value, sealed)
    return None


def _read_struct(struct: Struct, sealed: bool) -> Any:
    match _signature(struct):
        case "":
            return read(struct, sealed)
        case signature if signature in (SECRET, OUTPUT):
            value = _read(struct.fields["value"], sealed) if "value" in struct.fields else UNKNOWN
            return seal(value) if sealed and (signature == SECRET or struct.fields["secret"].bool_value) else value
    return {key: _read(value, sealed) for key, value in struct.fields.items() if key != SIGNATURE}


def _signature(struct: Struct) -> str:
    return str(struct.fields[SIGNATURE].string_value) if SIGNATURE in struct.fields else ""


def _has_secret(value: Value) -> bool:
    if value.WhichOneof("kind") == "list_value":
        return any(_has_secret(item) for item in value.list_value.values)
    if value.WhichOneof("kind") != "struct_value":
        return False
    struct = value.struct_value
    return _signature(struct) == SECRET or any(_has_secret(item) for item in struct.fields.values())


def _write(value: Any) -> Value:
    if value is UNKNOWN:
        return Value(string_value=UNKNOWN_VALUE)
    if isinstance(value, bool):
        return Value(bool_value=value)
    if isinstance(value, int | float):
        return Value(number_value=value)
    if isinstance(value, str):
        return Value(string_value=value)
    if isinstance(value, list | tuple):
        return Value(list_value=ListValue(values=[_write(item) for item in value]))
    if isinstance(value, dict):
        return Value(struct_value=write(value))
    return Value(null_value=0)


def _secret(value: Any) -> Value:
    struct = Struct()
    struct.fields[SIGNATURE].string_value = SECRET
    struct.fields["value"].CopyFrom(_write(value))
    return Value(struct_value=struct)
