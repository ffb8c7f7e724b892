"""A file read as a model, or every problem with it in words that say where and what would be right. Pure.

pydantic finds what is wrong with single values; this turns its findings into problems of the file. What values have to
do with each other is checked elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from infra.suggest import hint
from infra.yamlfile.problem import Place, Problem, brief
from infra.yamlfile.source import Source

M = TypeVar("M", bound=BaseModel)


def validate(source: Source, model: type[M]) -> tuple[M | None, list[Problem]]:
    """The content of a file as a model, or None and what is wrong with it."""
    try:
        return model.model_validate(source.data), []
    except ValidationError as error:
        return None, list(_problems(source, model, error))


def part(model: type[M], data: Any) -> M | None:
    """A part of a file as a model, or None where it is not valid; `validate` has said why."""
    try:
        return model.model_validate(data)
    except ValidationError:
        return None


def _problems(source: Source, model: type[BaseModel], error: ValidationError) -> Iterator[Problem]:
    seen: set[Place] = set()
    for details in error.errors(include_url=False):
        if details["type"] == "too_short" and details["input"]:
            continue  # pydantic counts the valid items only, and has said what is wrong with the others
        place = _place(source, details)
        if place not in seen:  # each type of a union has its own complaint; the first one will do
            seen.add(place)
            at_key = details["type"] == "extra_forbidden" or "[key]" in details["loc"]
            yield source.problem(place, _words(details, model, place), at_key=at_key)


def _place(source: Source, details: ErrorDetails) -> Place:
    """Where the finding is in the file: pydantic's place without what only pydantic knows, as the types of a union."""
    place: Place = tuple(step for step in details["loc"] if step != "[key]")
    while details["type"] != "missing" and place and place not in source.values:
        place = place[:-1]
    return place


def _words(details: ErrorDetails, model: type[BaseModel], place: Place) -> str:
    """One finding of pydantic, as a person would say it."""
    given, context = details["input"], details.get("ctx", {})
    match details["type"]:
        case "value_error":
            return str(context["error"])
        case "missing":
            return _missing(model, place)
        case "extra_forbidden":
            return f"unknown key{hint(place[-1], _keys(_model_at(model, place[:-1])))}"
        case "literal_error":
            words = re.findall(r"'([^']*)'", str(context["expected"]))
            return f"{brief(given)} is not one of {', '.join(words)}{_near(given, words)}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{_kind(given)}; write a mapping of keys to values"
        case "tuple_type" | "list_type":
            return f"{_kind(given)}; write a list"
        case "string_type":
            return f"{_kind(given)}; write text{_quoted(given)}"
        case "int_type" | "int_from_float":
            return f"{_kind(given)}; write a whole number"
        case "bool_type":
            return f"{_kind(given)}; write true or false"
        case "too_short" | "string_too_short":
            return "it is empty; write at least one"
    return f"{brief(given)}: {details['msg'][:1].lower()}{details['msg'][1:]}"


def _missing(model: type[BaseModel], place: Place) -> str:
    """That a key is missing, and what it is for."""
    parent = _model_at(model, place[:-1])
    meaning = next((field.description for name, field in _fields(parent) if name == place[-1]), None)
    return f"this key is missing: {meaning}" if meaning else "this key is missing"


def _near(given: object, words: list[str]) -> str:
    found = hint(given, words) if isinstance(given, str) else ""
    return found if "did you mean" in found else ""


def _kind(given: object) -> str:
    """What was found, in the words of the file."""
    match given:
        case None:
            return "there is no value"
        case dict():
            return "this is a mapping"
        case list():
            return "this is a list"
        case str():
            return f"{brief(given)} is text"
        case bool():
            return f"{str(given).lower()} is a boolean"
    return f"{brief(given)} is a number"


def _quoted(given: object) -> str:
    """How to write a number or boolean that is meant as text."""
    shown = str(given).lower() if isinstance(given, bool) else str(given)
    return f', in quotes if it must be "{shown}"' if isinstance(given, (bool, int, float)) else ""


def _fields(model: type[BaseModel] | None) -> list[tuple[str, Any]]:
    """The keys of a model as they are written, with their fields."""
    return [(field.alias or name, field) for name, field in model.model_fields.items()] if model else []


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [key for key, _ in _fields(model)]


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The model of the mapping at `place`, by following the types of the fields."""
    kind: Any = model
    for step in place:
        kind = _inside(_bare(kind), step)
    bare = _bare(kind)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def _bare(kind: Any) -> Any:
    """A type without what is around it: X of Annotated[X, ...] and of X | None."""
    if hasattr(kind, "__metadata__"):
        return _bare(get_args(kind)[0])
    options = [option for option in get_args(kind) if option is not NoneType]
    return _bare(options[0]) if NoneType in get_args(kind) and options else kind


def _inside(kind: Any, step: str | int) -> Any:
    """The type of what is in a mapping or list at one step."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return next((field.annotation for name, field in _fields(kind) if name == step), None)
    arguments = get_args(kind)
    if get_origin(kind) is dict:
        return arguments[1]
    return arguments[0] if arguments else None
