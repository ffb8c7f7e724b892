"""Alertmanager as Debian builds it, made to run where it is only unpacked and not installed.

Debian's build reads its default templates from a folder below /usr/share, where only root could put them, and has no
option for it. The folder's name inside a copy of the program is replaced by a relative one of the same length, so that
it reads the folder it is started in. Programs that were installed, or built otherwise, run as they are.
"""

from __future__ import annotations

import shutil
from pathlib import Path

INSTALLED = Path("/usr/share/prometheus/alertmanager")


def runnable(program: Path, folder: Path) -> Path:
    """The program to start with `folder` as its working directory: `program` itself, or a copy in `folder`."""
    templates = program.parent.parent.parent / INSTALLED.relative_to("/")
    if INSTALLED.exists() or not templates.exists():
        return program
    fixed = str(INSTALLED).encode()
    return _copy(program.read_bytes().replace(fixed, here(len(fixed))), templates, folder)


def here(length: int) -> bytes:
    """A path of exactly `length` bytes that means the working directory."""
    return (b"./" * length)[:length]


def _copy(code: bytes, templates: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for template in templates.glob("*.tmpl"):
        shutil.copy(template, folder)
    copy = folder / "alertmanager"
    copy.write_bytes(code)
    copy.chmod(0o755)
    return copy
