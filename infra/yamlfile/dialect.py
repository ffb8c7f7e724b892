"""The YAML that our files are written in: events of a parser -> plain data, with the position of everything. Pure.

The dialect is the safe part of YAML 1.2: `true` and `false` are the only booleans, so Norway's `NO` stays text.
Anchors, aliases, tags, duplicate keys and second documents are refused. What the keys mean is not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from infra.yamlfile.problem import Mark, Place, Problem, brief, show

MAX_DEPTH = 32  # the schema needs 8
MAX_VALUES = 10_000  # atlas has about 700
MAX_PROBLEMS = 1000  # a file with more is not what it is taken for

_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?")


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML has it: ten times faster


def compose(file: str, text: str) -> Build:
    """Read all of `text`, collecting problems. Raises nothing for wrong YAML: the last problem then says what it is."""
    build = Build(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            build.take(event)
    except yaml.MarkedYAMLError as error:
        build.problems.append(_syntax(file, text, error))
    except _Enough:
        pass
    return build


class _Enough(Exception):
    """Nothing after this is worth reading."""


@dataclass(slots=True)
class _Level:
    """A mapping or list that is being read; `key` is the key whose value comes next."""

    place: Place
    data: dict[str, Any] | list[Any]
    key: str | None = None
    skip: bool = False


@dataclass(slots=True)
class Build:
    """Data and positions, grown event by event: no recursion that depth could break, no aliases to expand."""

    file: str
    documents: int = 0
    root: Any = None
    levels: list[_Level] = field(default_factory=list)
    values: dict[Place, Mark] = field(default_factory=dict)
    keys: dict[Place, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def take(self, event: Any) -> None:
        """Take the next event of the parser."""
        if len(self.problems) > MAX_PROBLEMS:
            raise _Enough
        match event:
            case yaml.DocumentStartEvent():
                self._document(_mark(event))
            case yaml.AliasEvent():
                self._refuse(event, f"an alias ({brief(event.anchor)}); write the value out")
                self._value(_mark(event), None)
            case yaml.ScalarEvent():
                self._checked(event)
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._checked(event)
                self._open(_mark(event), {})
            case yaml.SequenceStartEvent():
                self._checked(event)
                self._open(_mark(event), [])
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.levels.pop()

    def _document(self, mark: Mark) -> None:
        self.documents += 1
        if self.documents == 2:
            self.problems.append(Problem(self.file, mark, "", "a second document (---); a file holds one"))
            raise _Enough

    def _checked(self, event: Any) -> None:
        if event.anchor:
            self._refuse(event, f"an anchor ({brief(event.anchor)}); write the value out where it is needed")
        if event.tag:
            self._refuse(event, f"a tag ({brief(event.tag)}); write plain values")

    def _refuse(self, event: Any, what: str) -> None:
        self.problems.append(Problem(self.file, _mark(event), show(self._place()), f"{what}"))

    def _place(self) -> Place:
        """The place of the value that comes next."""
        if not self.levels:
            return ()
        level = self.levels[-1]
        step = len(level.data) if isinstance(level.data, list) else level.key
        return level.place if step is None else (*level.place, step)

    def _scalar(self, event: Any) -> None:
        level = self.levels[-1] if self.levels else None
        if level is not None and isinstance(level.data, dict) and level.key is None:
            self._key(level, event.value, _mark(event))
        else:
            self._value(_mark(event), resolve(event.value) if event.implicit[0] else event.value)

    def _key(self, level: _Level, key: str, mark: Mark) -> None:
        level.key, place = key, (*level.place, key)
        if not key:
            self.problems.append(Problem(self.file, mark, show(level.place), "a key is missing before ':'"))
        level.skip = key in level.data
        if level.skip and place in self.keys:
            first = self.keys[place]
            message = f"this key is here twice, first at line {first.line}, column {first.column}; keep one"
            self.problems.append(Problem(self.file, mark, show(place), message))
        self.keys.setdefault(place, mark)

    def _value(self, mark: Mark, value: Any) -> None:
        place = self._place()
        if len(self.values) >= MAX_VALUES:
            self.problems.append(
                Problem(self.file, mark, "", f"more than {MAX_VALUES:,} values; a file of ours has fewer")
            )
            raise _Enough
        if not self.levels:
            self.root = value
        elif isinstance(level_data := self.levels[-1].data, list):
            level_data.append(value)
        else:
            self._entry(self.levels[-1], level_data, value, mark)
        self.values.setdefault(place, mark)

    def _entry(self, level: _Level, data: dict[str, Any], value: Any, mark: Mark) -> None:
        if level.key is None:
            message = "a key must be plain text, not a list or mapping"
            self.problems.append(Problem(self.file, mark, show(level.place), message))
            level.key = ""
            return
        if not level.skip:
            data[level.key] = value
        level.key = None

    def _open(self, mark: Mark, data: dict[str, Any] | list[Any]) -> None:
        place = self._place()
        if len(self.levels) >= MAX_DEPTH:
            self.problems.append(Problem(self.file, mark, "", f"nested more than {MAX_DEPTH} levels deep"))
            raise _Enough
        self._value(mark, data)
        self.levels.append(_Level(place, data))


def resolve(text: str) -> Any:
    """A plain scalar as null, bool, int, float or text: YAML 1.2's core schema without octal, hex and infinity."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) and len(text) <= 40 else text


def _mark(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _syntax(file: str, text: str, error: yaml.MarkedYAMLError) -> Problem:
    """The parser's complaint: what it was reading, and what it met."""
    found = error.problem_mark or error.context_mark
    mark = Mark(found.line + 1, found.column + 1) if found else Mark(1, 1)
    lines = text.splitlines()
    if 0 < mark.line <= len(lines) and lines[mark.line - 1][mark.column - 1 : mark.column] == "\t":
        return Problem(file, mark, "", "a tab; YAML wants spaces")
    words = " ".join(part for part in (error.context, error.problem) if part)
    return Problem(file, mark, "", f"not valid YAML: {words}")
