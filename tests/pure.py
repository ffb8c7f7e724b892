"""Which modules are pure: those of the import contract. Prints their files, for the coverage that `make test` asks."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("cli", "dashboards", "infra", "loadtests", "runbooks")


def contracted() -> set[str]:
    """The modules of the contract `pure` in pyproject.toml."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return set(next(contract for contract in contracts if contract["id"] == "pure")["source_modules"])


def declared() -> set[str]:
    """The modules whose docstring says "Pure"."""
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return {module(path) for path in paths if path.name != "__init__.py" and _says_pure(path)}


def module(path: Path) -> str:
    """infra/units.py -> infra.units"""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def file(name: str) -> str:
    """infra.units -> infra/units.py"""
    return f"{name.replace('.', '/')}.py"


def _says_pure(path: Path) -> bool:
    return "Pure" in (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")


if __name__ == "__main__":
    print(",".join(sorted(file(name) for name in contracted())))
