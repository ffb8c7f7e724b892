"""Which modules of ours a program needs, and which packages of others it imports at its start. Pure: reads no file."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator

ROOMS = ("infra", "loadtests")

Source = Callable[[str], str | None]
"""The text of the file at a path such as loadtests/order.py; None where there is no such file."""


def closure(start: str, source: Source) -> tuple[dict[str, str], frozenset[str]]:
    """Path -> text of all that the program at a path imports, sooner or later; and the packages at its start."""
    files, packages = dict[str, str](), set[str]()
    for eager in (False, True):
        todo, seen = [start], set[str]()
        while todo:
            path = todo.pop()
            text = source(path) if path not in seen else None
            seen.add(path)
            if text is None:
                continue
            files[path] = text
            for name in _imported(ast.parse(text).body, eager=eager):
                room = name.partition(".")[0]
                todo += _paths(name) if room in ROOMS else ()
                if eager and room not in ROOMS and room not in sys.stdlib_module_names:
                    packages.add(room)
    return files, frozenset(packages)


def _imported(nodes: list[ast.stmt], *, eager: bool) -> Iterator[str]:
    """The names that statements import; of `eager`, only those that are imported when the module is."""
    for node in nodes:
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{one.name}" for one in names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=other):
                yield from _imported(other, eager=eager)
            case ast.FunctionDef() | ast.AsyncFunctionDef() if eager:
                pass
            case _:
                inner = [one for one in ast.walk(node) if isinstance(one, ast.stmt) and one is not node]
                yield from _imported(inner, eager=eager) if not eager else _imported(_body(node), eager=True)


def _body(node: ast.stmt) -> list[ast.stmt]:
    """The statements directly inside of another."""
    found = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    handlers = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.ExceptHandler | ast.match_case)]
    return [*found, *(one for handler in handlers for one in handler.body)]


def _paths(name: str) -> list[str]:
    """Where `a.b.c` may lie: the packages above it, and itself as a module (or as a name in a.b, which is no file)."""
    parts = name.split(".")
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return [path for folder in above for path in (f"{folder}/__init__.py", f"{folder}.py")]
