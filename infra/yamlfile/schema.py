"""The JSON Schema of a file that people edit, for editors: keys, descriptions, patterns of units, defaults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model. Defaults are as a person would write them, `30d` and not 2592000.0."""
    schema = {"$schema": DRAFT, **model.model_json_schema(by_alias=True)}
    for part in {model, *_parts(model)}:
        node = schema if part is model else schema["$defs"][part.__name__]
        for name, field in part.model_fields.items():
            _as_written(node["properties"][field.alias or name], field)
    return schema


def _as_written(node: dict[str, Any], field: FieldInfo) -> None:
    if "default" in node and node["default"] is not None:
        kind: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        node["default"] = TypeAdapter(kind).dump_python(field.default, mode="json")


def _parts(kind: Any) -> Iterator[type[BaseModel]]:
    """Every model inside a type."""
    inner = get_args(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        inner = tuple(field.annotation for field in kind.model_fields.values())
    for option in inner:
        if isinstance(option, type) and issubclass(option, BaseModel):
            yield option
        yield from _parts(option)
