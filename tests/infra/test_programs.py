"""The programs: each is found or refused by what it is, and the real ones are there and run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infra.package import Debian, numbers
from infra.programs import PROGRAMS, Program, ProgramError, UnknownProgram, find, obtain, version_of
from tests.conftest import ROOT

REAL = ["envoy", "prometheus", "promtool", "alertmanager", "amtool"]


@pytest.mark.parametrize("name", REAL)
def test_every_program_is_had_and_new_enough(name: str) -> None:
    """`make test` has got them; each runs and says its version."""
    binary = obtain(name)
    assert numbers(version_of(PROGRAMS[name], binary)) >= PROGRAMS[name].minimum


def test_envoy_is_the_binary_and_not_the_wrapper() -> None:
    """The script `envoy` beside Python is first on PATH and is passed over: signals must reach Envoy itself."""
    assert find("envoy").open("rb").read(4) == b"\x7fELF"


@pytest.fixture(scope="module")
def promtool() -> Path:
    """The real one."""
    return obtain("promtool")


@pytest.fixture
def only_path(promtool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache and nothing on PATH but one folder of ours."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def test_a_program_on_path_is_used_when_it_is_new_enough(only_path: Path, promtool: Path) -> None:
    """The real promtool, lying in a folder of PATH."""
    (only_path / "promtool").symlink_to(promtool)
    assert find("promtool") == only_path / "promtool"


def test_a_program_on_path_that_is_too_old_is_passed_over(
    only_path: Path, promtool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the message says what is needed."""
    (only_path / "promtool").symlink_to(promtool)
    monkeypatch.setitem(PROGRAMS, "promtool", Program("promtool", (99, 1)))
    with pytest.raises(ProgramError, match=r"promtool 99\.1 or newer is not on this machine") as raised:
        find("promtool")
    assert raised.value.next == "make programs"


def test_find_never_installs(only_path: Path, tmp_path: Path) -> None:
    """Not even the cache is made."""
    with pytest.raises(ProgramError):
        find("prometheus")
    assert not (tmp_path / "cache").exists()


def test_every_way_that_failed_is_named(only_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear message, with what to install by hand."""
    monkeypatch.setitem(PROGRAMS, "promtool", Program("promtool", (2, 42), (Debian("prometheus", "usr/bin/promtool"),)))
    with pytest.raises(ProgramError) as raised:
        obtain("promtool")
    assert "Debian package prometheus: this machine has no apt-get and dpkg-deb" in raised.value.what
    assert raised.value.next == "apt-get install prometheus, or put promtool on PATH"


def test_a_name_that_is_none_is_wrong_input() -> None:
    """With the names there are."""
    with pytest.raises(UnknownProgram, match="envoy, prometheus, promtool, alertmanager, amtool"):
        find("enovy")


def test_the_list_says_where_each_one_is() -> None:
    """One line each: name, version, path; quiet says nothing where nothing was to do."""
    module = [sys.executable, "-m", "infra.programs"]
    told = subprocess.run([*module, "amtool", "envoy"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in told.stdout.splitlines()] == ["amtool", "envoy"]
    assert told.stdout.splitlines()[1].split()[1:] == ["1.40.0", str(find("envoy"))]
    quiet = subprocess.run([*module, "--quiet"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_a_wrong_name_on_the_command_line_is_one_line() -> None:
    """No traceback."""
    module = [sys.executable, "-m", "infra.programs", "enovy"]
    done = subprocess.run(module, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.startswith("programs: no program is called 'enovy'")) == (1, True)
