"""A package for Azure Load Testing as an engine of the service has it: all files in one folder, the zip unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from loadtests.order import Order
from loadtests.package.azure import AzureTest
from loadtests.package.writing import write


def engines(order: Order, count: int, folder: Path) -> list[Path]:
    """A folder for each engine, into which the service has put its row of the shares."""
    made = folder / "package"
    files = write(AzureTest(order, count), {}, None, made)
    return [_engine(files, number, folder / f"engine-{number}") for number in range(count)]


def _engine(files: list[Path], number: int, folder: Path) -> Path:
    folder.mkdir()
    for file in files:
        if file.suffix == ".zip":
            zipfile.ZipFile(file).extractall(folder)
        elif file.suffix == ".csv":
            (folder / file.name).write_text(file.read_text().splitlines(keepends=True)[number])
        else:
            (folder / file.name).write_bytes(file.read_bytes())
    return folder
