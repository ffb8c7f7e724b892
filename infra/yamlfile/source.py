"""A YAML file that people edit, as plain data with the line and column of everything in it. Knows no schema.

`parse` is pure; `read` is the one function here that touches the disk, and it looks at the size before the content.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from infra.yamlfile.dialect import compose
from infra.yamlfile.problem import Mark, Place, Problem, SourceError, show

MAX_BYTES = 500_000  # about 200 regions; a file of this size takes half a second

MAX_COUNTED = 1000  # problems looked for; a file with more is not what it is taken for

# YAML 1.2, production c-printable
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAB_INDENT = re.compile(r" *\t")


@dataclass(frozen=True, slots=True)
class Source:
    """The content of a file, and where each value (and each key of a mapping) is in it."""

    file: str
    data: Any
    values: Mapping[Place, Mark]
    keys: Mapping[Place, Mark]

    def mark(self, place: Place) -> Mark:
        """The position of a key or list item, or of the nearest thing around it."""
        while place and place not in self.values:
            place = place[:-1]
        return self.values.get(place, Mark(1, 1))

    def key_mark(self, place: Place) -> Mark:
        """The position of the key that holds a value."""
        return self.keys.get(place) or self.mark(place)

    def problem(self, place: Place, message: str, *, at_key: bool = False) -> Problem:
        """A problem with the value at `place`."""
        mark = self.key_mark(place) if at_key else self.mark(place)
        return Problem(self.file, mark, show(place), message)


def read(path: Path) -> Source:
    """The YAML file at `path`. Raises SourceError for anything that is not one."""
    name = _printable(str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _refused(name, f"not a file but {'a directory' if path.is_dir() else 'a device or pipe'}")
        if status.st_size > MAX_BYTES:
            raise _refused(name, f"{status.st_size:,} bytes; a file here may have {MAX_BYTES:,}")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise _refused(name, f"there is no such file{_nearby(path)}") from error
    except (OSError, ValueError) as error:
        raise _refused(name, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return parse(name, _decode(name, content))


def parse(file: str, text: str) -> Source:
    """The YAML in `text`; `file` is only its name. Raises SourceError with every problem found."""
    problems = list(islice(_characters(file, text), MAX_COUNTED))
    if problems:
        raise SourceError(problems)
    found = compose(file, text)
    if not found.problems and not isinstance(found.root, dict):
        empty = "the file is empty" if found.root is None else "the file must hold a mapping of keys to values"
        found.problems.append(Problem(file, Mark(1, 1), "", empty))
    if found.problems:
        raise SourceError(found.problems)
    return Source(file, found.root, found.values, found.keys)


def _characters(file: str, text: str) -> Iterator[Problem]:
    """What is wrong with single characters: said in our words, because the parser's are about tokens."""
    if text.startswith("\ufeff"):
        yield Problem(file, Mark(1, 1), "", "starts with a byte order mark; save the file as UTF-8 without one")
    for number, line in enumerate(text.split("\n"), 1):
        if tab := _TAB_INDENT.match(line):
            yield Problem(file, Mark(number, tab.end()), "", "a tab in the indentation; YAML wants spaces")
        if wrong := _FORBIDDEN.search(line):
            message = f"the character U+{ord(wrong[0]):04X} does not belong in text"
            yield Problem(file, Mark(number, wrong.start() + 1), "", message)


def _decode(file: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        lines = content[: error.start].decode("utf-8").split("\n")
        message = f"the byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise SourceError([Problem(file, Mark(len(lines), len(lines[-1]) + 1), "", message)]) from error


def _refused(file: str, message: str) -> SourceError:
    return SourceError([Problem(file, Mark(1, 1), "", message)])


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0").replace("\n", "\\n")


def _nearby(path: Path) -> str:
    """What there is instead, for the person who mistyped."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if entry.suffix in (".yaml", ".yml"))
    except (OSError, ValueError):
        return f"; the directory {path.parent} does not exist"
    return f"; beside it are {', '.join(names[:10])}" if names else ""
