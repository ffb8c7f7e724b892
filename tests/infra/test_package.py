"""Packages in the cache: real archives, a real apt source, a real Go module, and processes killed half-way."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.package import Debian, GoModule, PackageError, Tell, cache, entries, numbers, put, run
from tests.conftest import ROOT

HOLDER = """
import sys
from pathlib import Path
from tests.infra.test_package import Slow, version_of
from infra.package import put
put(Slow(Path(sys.argv[1])), version_of, lambda line: None)
print("put")
"""


@dataclass(frozen=True)
class Slow:
    """A package whose unpacking stops half-way: it writes half of the program, says so, and waits for a line."""

    log: Path

    def key(self) -> str:
        return "slow"

    def inside(self, entry: Path) -> Path:
        return entry / "slow"

    def put(self, entry: Path, tell: Tell) -> None:
        with self.log.open("a") as log:
            log.write("unpacked\n")
        self.inside(entry).write_text("#!/bin/sh\nech")
        self.inside(entry).chmod(0o755)
        print("half", flush=True)
        sys.stdin.readline()
        self.inside(entry).write_text("#!/bin/sh\necho 1.2.3\n")


def version_of(binary: Path) -> str:
    """What the program says, which must be a version."""
    said = run([str(binary), "--version"]).strip()
    if not numbers(said):
        raise PackageError(f"{said!r} is no version")
    return said


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache()


def holder(log: Path) -> subprocess.Popen[str]:
    """A process that puts the slow package."""
    command = [sys.executable, "-c", HOLDER, str(log)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(line)
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_a_process_killed_half_way_leaves_nothing_to_be_found(tmp_path: Path, own_cache: Path) -> None:
    """kill -9 while half of the binary is written: no entry; the next one does it again and sweeps up."""
    log = tmp_path / "log"
    with holder(log) as process:
        assert hear(process) == "half"
        process.send_signal(signal.SIGKILL)
    assert (entries(Slow(log)), len(list(own_cache.glob(".slow.partial-*")))) == ([], 1)  # type: ignore[arg-type]
    with holder(log) as process:
        assert hear(process) == "half"
        say(process, "go on\n")
        assert hear(process) == "put"
    assert sorted(path.name for path in own_cache.iterdir()) == [".slow.lock", "slow-1.2.3"]


def test_two_at_once_do_it_once_and_both_have_it(tmp_path: Path, own_cache: Path) -> None:
    """The second waits for the first and finds what that one has put."""
    log = tmp_path / "log"
    with holder(log) as first:
        assert hear(first) == "half"
        with holder(log) as second:
            say(first, "go on\n")
            say(second, "go on\n")
            assert (hear(first), hear(second)) == ("put", "put")
    assert log.read_text() == "unpacked\n"
    assert run([str(own_cache / "slow-1.2.3" / "slow")]) == "1.2.3\n"


def test_a_broken_entry_is_replaced(tmp_path: Path, own_cache: Path) -> None:
    """A cache that somebody has cleaned by half does not stay broken."""
    (own_cache / "slow-1.2.3").mkdir(parents=True)
    with holder(tmp_path / "log") as process:
        say(process, "go on\n")
        assert (hear(process), hear(process)) == ("half", "put")
    assert run([str(own_cache / "slow-1.2.3" / "slow")]) == "1.2.3\n"


@pytest.fixture
def apt_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An apt source on disk with one package, `probe`, and a machine whose package lists are empty."""
    content = tmp_path / "content"
    (content / "DEBIAN").mkdir(parents=True)
    control = (
        "Package: probe\nVersion: 1.2.3-1\nArchitecture: all\nMaintainer: tests <tests@localhost>\nDescription: probe\n"
    )
    (content / "DEBIAN" / "control").write_text(control)
    (content / "usr" / "bin").mkdir(parents=True)
    (content / "usr" / "bin" / "probe").write_text("#!/bin/sh\necho 1.2.3\n")
    (content / "usr" / "bin" / "probe").chmod(0o755)
    source = tmp_path / "source"
    source.mkdir()
    run(["dpkg-deb", "--build", str(content), str(source / "probe.deb")])
    archive = (source / "probe.deb").read_bytes()
    facts = f"Filename: ./probe.deb\nSize: {len(archive)}\nSHA256: {hashlib.sha256(archive).hexdigest()}\n"
    (source / "Packages").write_text(control + facts)
    _point_apt_at(source, tmp_path / "apt", monkeypatch)
    return source


def _point_apt_at(source: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory / "lists").mkdir(parents=True)
    (directory / "sources.list").write_text(f"deb [trusted=yes] file:{source} ./\n")
    settings = {
        "Dir::Etc::sourcelist": directory / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": directory / "lists",
        "Dir::Cache": directory / "cache",
    }
    (directory / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
    monkeypatch.setenv("APT_CONFIG", str(directory / "apt.conf"))


def test_a_debian_package_is_unpacked_without_its_lists(apt_source: Path, own_cache: Path) -> None:
    """On a machine whose package lists are empty, lists of our own are fetched; nothing is installed."""
    package = Debian("probe", "usr/bin/probe")
    said: list[str] = []
    entry = put(package, version_of, said.append)
    assert (entry, entries(package)) == (own_cache / "probe-1.2.3", [entry])
    assert run([str(package.inside(entry))]) == "1.2.3\n"
    assert said == ["unpacking the Debian package probe"]
    assert not list(entry.glob("*.deb"))


def test_a_debian_package_that_does_not_exist_says_so(apt_source: Path, own_cache: Path) -> None:
    """With apt's own words; nothing is left in the cache but the lock and the lists."""
    with pytest.raises(PackageError, match="Unable to locate package nonesuch"):
        put(Debian("nonesuch", "usr/bin/nonesuch"), version_of, lambda line: None)
    assert sorted(path.name for path in own_cache.iterdir()) == [".nonesuch.lock", "apt"]


def test_a_machine_without_apt_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the next way is tried."""
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(PackageError, match="no apt-get"):
        put(Debian("probe", "usr/bin/probe"), version_of, lambda line: None)


def test_a_program_that_does_not_run_never_enters_the_cache(apt_source: Path, own_cache: Path) -> None:
    """The package is there, the program in it is not."""
    with pytest.raises(PackageError, match="does not run"):
        put(Debian("probe", "usr/bin/other"), version_of, lambda line: None)
    assert entries(Debian("probe", "usr/bin/other")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2.42.0+ds-5", (2, 42, 0)),
        ("go1.26.8 linux/amd64", (1, 26, 8)),
        ("-3.15.0", (3, 15, 0)),
        ("none", ()),
        ("7", ()),
    ],
)
def test_a_version_is_its_numbers(text: str, found: tuple[int, ...]) -> None:
    """Whatever stands around them."""
    assert numbers(text) == found


def test_newer_entries_come_first(own_cache: Path) -> None:
    """By number, not by letter; other packages whose name begins the same are not mixed up."""
    for name in ("probe-2.9.0", "probe-2.42.0", "probe-manager-3.0.0", ".probe.partial-x"):
        (own_cache / name).mkdir(parents=True)
    assert [entry.name for entry in entries(Debian("probe", "x"))] == ["probe-2.42.0", "probe-2.9.0"]


def test_a_go_module_is_built_with_the_pinned_flags(tmp_path: Path, own_cache: Path) -> None:
    """From go.mod alone, static, with its version set; the source is not kept."""
    recipe = tmp_path / "recipe"
    recipe.mkdir()
    (recipe / "go.mod").write_text("module probe\n\ngo 1.26.0\n")
    (recipe / "main.go").write_text("package main\n\nvar version string\n\nfunc main() { println(version) }\n")
    module = GoModule(str(recipe), ".", "v1.2.3", "probe", ldflags="-X main.version=1.2.3")
    entry = put(module, version_of, lambda line: None)
    assert entry == own_cache / "probe-go-1.2.3"
    assert [path.name for path in entry.iterdir()] == ["probe"]
