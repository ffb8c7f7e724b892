"""The frame of the command line: exit codes, messages, help, and what happens when a reader or a person stops it."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType

import pytest
import typer

import cli
from cli import groups, main
from cli.options import FleetOption, OutputOption, RegionOption, YesOption
from infra import errors
from tests.conftest import BIN, ROOT, Ops

CODES = [
    (errors.InvalidInput, 2),
    (errors.GateFailed, 3),
    (errors.Refused, 4),
    (errors.Inconclusive, 5),
    (errors.Unavailable, 6),
    (errors.Locked, 7),
    (errors.Pending, 8),
    (errors.DeadlinePassed, 124),
    (errors.Interrupted, 130),
]


Install = Callable[..., None]


class ProbeError(errors.GateFailed):
    """A domain error, as every module has its own."""


def _probe(raised: BaseException | None = None) -> typer.Typer:
    """A command group with one command that answers what it was given, or raises."""
    from cli.console import Output, confirm, document, emit, story

    app = typer.Typer(help="A group for tests.")

    @app.command()
    def go(
        fleet: FleetOption = "demo",
        region: RegionOption = None,
        output: OutputOption = Output.JSON,
        yes: YesOption = False,
    ) -> None:
        """Go.

        Examples:
          $ ops probe go                                    # a line that must not be wrapped or joined
          $ ops probe go -o yaml
        """
        if raised is not None:
            raise raised
        story("the story")
        confirm("really?", yes)
        emit(document("Probe", {"fleet": fleet, "region": region}), output)

    @app.command()
    def stop() -> None:
        """Stop."""

    return app


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a group `probe` into the table."""

    def put(raised: BaseException | None = None) -> None:
        module = ModuleType("cli.commands.probe")
        vars(module)["app"] = _probe(raised)
        monkeypatch.setitem(sys.modules, "cli.commands.probe", module)
        monkeypatch.setitem(groups.GROUPS, "probe", "A group for tests.")
        for name in ("OPS_FLEET", "OPS_REGION"):
            monkeypatch.setenv(name, "")  # so that what a command line sets is taken back

    return put


@pytest.mark.parametrize(("category", "code"), CODES)
def test_each_category_has_its_exit_code(category: type[errors.OpsError], code: int) -> None:
    """And so has every error that is of that category."""
    named = type("DomainError", (category,), {})
    assert (main.exit_code(category("x")), main.exit_code(named("x"))) == (code, code)


def test_every_category_is_mapped() -> None:
    """A new category without an exit code would look like a bug of ours."""
    assert set(errors.OpsError.__subclasses__()) >= set(main.EXIT_CODES)
    ours = {kind for kind in errors.OpsError.__subclasses__() if kind.__module__ == "infra.errors"}
    assert ours == set(main.EXIT_CODES)


def test_an_error_says_what_what_not_and_what_next(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, in that order, with the notes of whoever passed it on; nothing on stdout, no traceback."""
    error = ProbeError("chat v3 was rolled back", not_done="v3 is not of record", next="ops rollout explain chat")
    error.add_note("in region local")
    install(error)
    assert main.run(["probe", "go"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "ops: chat v3 was rolled back",
        "  in region local",
        "  not done: v3 is not of record",
        "  next: ops rollout explain chat",
    ]


def test_the_next_command_is_for_the_fleet_and_region_that_were_given(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can be typed as it stands, whoever wrote it."""
    install(ProbeError("down", next="ops local up"))
    main.run(["probe", "go", "--fleet", "atlas", "--region=westeurope"])
    assert "  next: ops local up --fleet atlas --region westeurope\n" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC])
def test_what_the_system_keeps_from_us_is_not_our_bug(
    install: Install, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """State of another user, a full disk: exit 6 with the file, no traceback."""
    install(OSError(number, "said so", "/state/demo"))
    assert main.run(["probe", "go"]) == 6
    err = capsys.readouterr().err
    assert err.startswith("ops: /state/demo cannot be used: ") and "OPS_STATE" in err and "Traceback" not in err


def test_anything_else_is_our_bug_with_its_traceback(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, the last line says so in one line."""
    install(KeyError("boom"))
    assert main.run(["probe", "go"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1] == f"ops: this is a bug in ops {cli.__version__}: KeyError: 'boom'"


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), EOFError(), typer.Abort()])
def test_an_interruption_is_130(install: Install, stop: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a traceback."""
    install(stop)
    assert main.run(["probe", "go"]) == 130
    assert capsys.readouterr().err == "ops: interrupted\n"


@pytest.mark.parametrize(
    "line",
    [
        ["--fleet", "atlas", "--region", "weu", "probe", "go", "--yes"],
        ["probe", "go", "--fleet", "atlas", "--region", "weu", "-y"],
    ],
)
def test_fleet_and_region_may_stand_before_or_after_the_command(
    install: Install, line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """And they arrive the same; the answer is on stdout, the story on stderr."""
    install()
    assert main.run(line) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"apiVersion": "bellwether/v1", "kind": "Probe", "fleet": "atlas", "region": "weu"}
    assert err == "the story\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["prob"], "ops: No such command 'prob'. Did you mean 'probe'?\n  next: ops --help\n"),
        (["probe", "stopp"], "ops: No such command 'stopp'. Did you mean 'stop'?\n  next: ops probe --help\n"),
        (["probe", "go", "-o", "xml"], "'xml' is not one of 'table', 'json', 'yaml'.\n  next: ops probe go --help\n"),
        (["probe", "go", "more"], "(more)\n  next: ops probe go --help\n"),
        (["--bogus"], "ops: No such option: --bogus\n  next: ops --help\n"),
        (["--fleet"], "ops: Option '--fleet' requires an argument.\n  next: ops --help\n"),
        (["probe", "go", "-o"], "ops: Option '-o' requires an argument.\n  next: ops probe go --help\n"),
    ],
)
def test_wrong_usage_is_2_with_the_help_to_read(
    install: Install, line: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and the next command."""
    install()
    assert main.run(line) == 2
    assert capsys.readouterr().err.endswith(said)


def test_a_group_without_a_command_shows_its_help(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, as wrong usage, and without options of a completion that we do not install."""
    install()
    assert main.run(["probe"]) == 2
    err = capsys.readouterr().err
    assert "Usage: ops probe" in err
    assert "completion" not in err


def test_examples_in_help_keep_their_lines(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever writes a docstring need not know how help is wrapped."""
    install()
    assert main.run(["probe", "go", "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = lines.index("  Examples:")
    assert lines[start + 1].startswith("    $ ops probe go   ")
    assert lines[start + 2] == "    $ ops probe go -o yaml"


def test_no_terminal_is_refused_and_not_waited_for(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    """A question in a script is answered by --yes, or it is exit 4."""
    install()
    assert main.run(["probe", "go"]) == 4
    assert "next: the same command with --yes" in capsys.readouterr().err


def test_the_version_is_told_alone(ops: Ops) -> None:
    """Also where other options stand before it."""
    first, second = ops("--version"), ops("--fleet", "atlas", "--version")
    assert (first.stdout, second.stdout) == (f"ops {cli.__version__}\n",) * 2


def test_help_names_every_group_and_loads_none() -> None:
    """`ops --help` must stay fast, so no command module may be imported for it."""
    code = (
        "import sys; from cli import main; main.run(['--help']); print([m for m in sys.modules if 'cli.commands' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(f"\n  {name}" in done.stdout for name in groups.GROUPS)
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_a_reader_that_has_gone_is_no_error() -> None:
    """`ops --help | head -0` ends quietly."""
    done = subprocess.run(
        ["bash", "-c", f"'{BIN}/ops' --help | true; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
