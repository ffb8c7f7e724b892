"""Answers, stories and questions: forms, width, colour and the terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cli.console import Output, coloured, confirm, confirm_name, console, document, emit, grid, story
from infra.errors import Refused
from tests.conftest import ROOT

DATA = document("Fleet", {"name": "démo", "regions": [{"name": "weu"}], "budget": None})
SHOW = """
from cli.console import Output, emit, grid
emit({}, Output.TABLE, lambda: grid(["service", "rate"], [["chat [v2]", 1.5]], right=["rate"]))
"""
ASK = "from cli.console import confirm; confirm('roll back chat?', False); print('went', 'on')"


def on_terminal(code: str, typed: str = "", **environment: str) -> tuple[int, str]:
    """Run Python code on a real terminal: its exit code and all that the terminal showed."""
    control, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm", **environment},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        os.write(control, typed.encode())
        shown = _drain(control)
    os.close(control)
    return process.returncode, shown


def _drain(control: int) -> str:
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(control, 4096)
        except OSError:  # the other side has ended
            part = b""
        if not part:
            return b"".join(parts).decode()
        parts.append(part)


def test_json_and_yaml_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """With apiVersion and kind first, and text as it is."""
    emit(DATA, Output.JSON)
    as_json = capsys.readouterr().out
    emit(DATA, Output.YAML)
    as_yaml = capsys.readouterr().out
    assert json.loads(as_json) == yaml.safe_load(as_yaml) == DATA
    assert as_yaml.startswith("apiVersion: bellwether/v1\nkind: Fleet\nname: démo\n")


def test_without_a_table_people_get_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    """A document that has no better form is still readable."""
    emit(DATA, Output.TABLE)
    assert capsys.readouterr().out.startswith("apiVersion:")


def test_a_table_fits_in_80_columns_and_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Long cells are folded, brackets are text and not markup, missing cells are empty."""
    emit({}, Output.TABLE, lambda: grid(["name", "what"], [["[bold]x", "y" * 200], [None, 3]]))
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "[bold]x" in out
    assert out.count("y") == 200
    assert "None" not in out


def test_the_story_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """And nowhere else."""
    story("canary at 25 %")
    assert capsys.readouterr() == ("", "canary at 25 %\n")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colour_gets_none(environment: dict[str, str]) -> None:
    """NO_COLOR and TERM=dumb, both on a real terminal: not one escape sequence."""
    code, shown = on_terminal(SHOW, **environment)
    assert (code, "\x1b" in shown, "chat [v2]" in shown) == (0, False, True)


def test_a_terminal_gets_colour() -> None:
    """Headings are bold there."""
    assert "\x1b[1m" in on_terminal(SHOW)[1]


def test_a_pipe_gets_no_colour_and_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where FORCE_COLOR is set for other programs."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not coloured(io.StringIO())
    assert (console(io.StringIO()).width, console(io.StringIO()).color_system) == (80, None)


def test_without_a_terminal_a_question_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how to answer beforehand; with --yes it is not asked."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(Refused, match="roll back chat"):
        confirm("roll back chat?", False)
    confirm("roll back chat?", True)


@pytest.mark.parametrize(("typed", "goes_on"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False)])
def test_only_yes_is_yes(typed: str, goes_on: bool) -> None:
    """On a real terminal; Enter alone is no."""
    code, shown = on_terminal(ASK, typed)
    assert ("went on" in shown, "answered no" in shown, code == 0) == (goes_on, not goes_on, goes_on)
    assert "roll back chat? [y/N]" in shown


def test_a_story_without_a_reader_does_not_stop_the_work() -> None:
    """stderr may be a pipe whose other side has gone."""
    code = "from cli.console import story\nfor _ in range(9): story('x' * 9999)\nprint('went on')"
    command = f"exec 3>&1; '{sys.executable}' -c \"{code}\" 2>&1 >&3 | true"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "went on\n"


@pytest.mark.parametrize(("typed", "goes_on"), [("atlas\n", True), ("y\n", False), ("Atlas\n", False), ("\n", False)])
def test_only_the_name_itself_is_a_name_that_was_typed(typed: str, goes_on: bool) -> None:
    """For what cannot be taken back, y is not enough."""
    code = "from cli.console import confirm_name; confirm_name('destroy?', 'atlas'); print('went', 'on')"
    done, shown = on_terminal(code, typed)
    assert ("went on" in shown, done == 0) == (goes_on, goes_on)
    assert "destroy? type atlas to do it: " in shown


def test_a_script_says_the_name_as_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal and without it: refused, with the option to give."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    confirm_name("destroy?", "atlas", "atlas")
    with pytest.raises(Refused, match="'demo' is not 'atlas'"):
        confirm_name("destroy?", "atlas", "demo")
    with pytest.raises(Refused) as refused:
        confirm_name("destroy?", "atlas")
    assert refused.value.next == "the same command with --confirm atlas"
