"""Every example that --help and README.md show is run for real, and every command is tried with wrong input.

An example without a remark runs in a state directory of its own; what it leaves up is taken down. `# needs region` and
`# needs rollout` run in one region of the demo fleet that is brought up once, with traffic on its service `chat`; for
the latter a rollout of chat is started before each one (detached: the supervisor drives it) and aborted after it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import run
from tests import example
from tests.conftest import ROOT, Done, Ops
from tests.example import Example

SERVICE, RELEASE, RATE = "chat", "v2", "40/s"
SECONDS = 180.0  # no example takes longer

COMMANDS = dict(example.commands())
LEAVES = {name: command for name, command in COMMANDS.items() if not hasattr(command, "commands")}
SHOWN = [
    pytest.param(one, id=f"{name}: {one}")
    for name, command in COMMANDS.items()
    for one in example.examples(command.help or "")
    if one.command != "ops demo"  # the end-to-end test is its run
]
README = example.blocks((ROOT / "README.md").read_text(encoding="utf-8"))


def shell(one: Example, state: Path, place: Path) -> Done:
    """Run the command line as a person would type it, without a terminal."""
    return subprocess.run(
        ["bash", "-c", one.command],
        cwd=place,
        env={**os.environ, "OPS_STATE": str(state)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def expect(one: Example, state: Path, place: Path) -> None:
    """Run it and compare how it ended; a failure shows what it said."""
    done = shell(one, state, place)
    assert done.returncode == one.exit, f"$ {one.command}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the work tree; what an example writes stays out of the real one."""
    folder = tmp_path_factory.mktemp("place")
    for entry in ROOT.iterdir():
        (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture
def own_state(tmp_path: Path, ops: Ops) -> Iterator[Path]:
    """A state directory for one test; a region that is up in it at the end is taken down."""
    yield tmp_path
    if any(tmp_path.glob("*/local/*")):
        assert ops("local", "down", state=tmp_path).returncode == 0


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory, ops: Ops) -> Iterator[Path]:
    """The state of a region of the demo fleet that is up, with a load client that runs until the end."""
    state = tmp_path_factory.mktemp("region")
    up = ops("local", "up", state=state)
    assert up.returncode == 0, up.stderr
    traffic = ["ops", "load", "run", "--service", SERVICE, "--rate", RATE, "--duration", "30m"]
    inside, null = {**os.environ, "OPS_STATE": str(state)}, subprocess.DEVNULL
    with subprocess.Popen(traffic, cwd=ROOT, env=inside, stdout=null, stderr=null) as client:
        yield state
        client.terminate()
    assert ops("local", "down", state=state).returncode == 0


@pytest.fixture
def rollout(region: Path, ops: Ops) -> Iterator[Path]:
    """The state of the region, with a rollout of its service under way."""
    started = ops("rollout", "start", SERVICE, "--release", RELEASE, "--yes", "--detach", state=region)
    assert started.returncode == 0 and "already runs" not in started.stdout + started.stderr, started.stderr
    yield region
    ops("rollout", "abort", SERVICE, state=region)  # whatever the example did: nothing runs after it
    ops("rollout", "undo", SERVICE, "--yes", state=region)  # and a promotion that was quicker than that is undone


@pytest.mark.parametrize("one", SHOWN)
def test_an_example_of_help_does_what_it_says(one: Example, place: Path, request: pytest.FixtureRequest) -> None:
    """Its exit code is 0, or the one beside it."""
    expect(one, request.getfixturevalue(one.needs or "own_state"), place)


@pytest.mark.parametrize("block", README, ids=lambda block: str(block[0]))
def test_the_readme_can_be_typed_in(block: list[Example], own_state: Path, place: Path) -> None:
    """The commands of each console block, one after the other, in one state."""
    for one in block:
        expect(one, own_state, place)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In 80 columns (a command to be copied stays on its line), with one sentence at least."""
    assert run([*name.split()[1:], "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"Usage: {name} ")
    assert (COMMANDS[name].help or "").strip()
    assert [line for line in lines if len(line) > 80 and "  $ " not in line] == []


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_has_an_example_of_itself(name: str) -> None:
    """One that begins with the command's own name."""
    shown = example.examples(LEAVES[name].help or "")
    assert any(f"{one} ".replace("--fleet atlas ", "").startswith(f"{name} ") for one in shown)


@pytest.mark.parametrize("wrong", [("--no-such-option",), ("--output",), ("one", "two", "three", "four", "five")])
@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_usage_is_exit_2_and_one_sentence(
    name: str, wrong: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """An option that does not exist, one without its value, arguments too many: no traceback, nothing on stdout."""
    assert run([*name.split()[1:], *wrong]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("ops: ")
    assert "\n  next: ops" in said.err
    assert "Traceback" not in said.err


TAKES_FLEET = [name for name, command in LEAVES.items() if any("--fleet" in one.opts for one in command.params)]


@pytest.mark.parametrize("name", TAKES_FLEET)
def test_a_fleet_that_does_not_exist_is_exit_2(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command that takes a fleet refuses one that is not there, and tells which there are."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    assert run([*name.split()[1:], *_needed(name), "--fleet", "no-such-fleet"]) == 2
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert "no-such-fleet" in said.err


def _needed(name: str) -> list[str]:
    """Something for every argument and option that a command must have."""
    words = []
    for parameter in LEAVES[name].params:
        if parameter.required:
            words += [parameter.opts[0], "chat"] if parameter.param_type_name == "option" else ["chat"]
    return words
