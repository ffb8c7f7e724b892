"""`ops fleet`: answers on stdout, every problem on stderr with exit 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from cli.main import run
from infra.fleet import FLEETS

DEMO = (FLEETS / "demo.yaml").read_text(encoding="utf-8")
Captured = pytest.CaptureFixture[str]


def answer(capsys: Captured, *arguments: str) -> str:
    """What a command that succeeds says on stdout."""
    assert run(["fleet", *arguments]) == 0
    return capsys.readouterr().out


def refusal(capsys: Captured, *arguments: str) -> str:
    """What a command that is refused says on stderr; it gives no answer and exits with 2."""
    assert run(["fleet", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ops: ")
    return captured.err


def test_a_valid_fleet_is_summed_up(capsys: Captured) -> None:
    """Two lines for people, counts for machines."""
    assert "6 regions, 4 services" in answer(capsys, "check", "--fleet", "atlas")
    assert answer(capsys, "check", str(FLEETS / "demo.yaml")).splitlines()[1:] == [
        "fleet demo (demo): 1 region, 2 services, 7 objectives, up to 8 GPUs"
    ]
    found = json.loads(answer(capsys, "check", "-o", "json"))
    assert (found["kind"], found["regions"], found["gpus"]) == ("FleetCheck", 1, 8)


def test_every_problem_of_a_file_is_told_at_once(capsys: Captured, tmp_path: Path) -> None:
    """Also a first release that is not there, but only once the file itself is valid."""
    path = tmp_path / "mine.yaml"
    path.write_text(DEMO.replace("pool: h100", "pool: h1").replace("99%", "99"), encoding="utf-8")
    said = refusal(capsys, "check", str(path)).replace("ops: ", "").splitlines()
    assert len([line for line in said if line.startswith(f"{path}:")]) == 7
    path.write_text(DEMO.replace("release: v1 #", "release: v7 #"), encoding="utf-8")
    assert "services[0].release: there is no release 'v7' of chat" in refusal(capsys, "check", str(path))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("check", "no-such.yaml"), "no-such.yaml:1:1: there is no such file"),
        (("check", "/"), "/:1:1: not a file but a directory"),
        (("check", "--fleet", "dem"), "there is no fleet 'dem'; did you mean demo?"),
        (("show", "--region", "eastus"), "the fleet demo has no region 'eastus'; did you mean eastus2?"),
        (("show", "-o", "xml"), "'xml'"),
        (("check", "a", "b"), "unexpected extra argument"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_can(capsys: Captured, arguments: tuple[str, ...], says: str) -> None:
    """Wrong input as people give it."""
    assert says.lower() in refusal(capsys, *arguments).lower()


def test_show_has_a_table_for_each_part(capsys: Captured) -> None:
    """What a reader looks for."""
    shown = answer(capsys, "show", "--fleet", "atlas")
    for word in ("REGION", "POOL", "SERVICE", "PROMISES", "STEPS", "ON CALL", "8 x H200 InfiniBand", "ttft < 500ms"):
        assert word in shown


def test_show_of_a_region_has_only_what_is_there(capsys: Captured) -> None:
    """One region, and the services with a pool in it."""
    found = json.loads(answer(capsys, "show", "--fleet", "atlas", "--region", "westeurope", "-o", "json"))
    assert [region["name"] for region in found["regions"]] == ["westeurope"]
    assert len(found["services"]) == 4


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_what_show_prints_is_a_fleet_again(capsys: Captured, tmp_path: Path, output: str) -> None:
    """The answer for machines, saved without its kind, is a valid fleet file."""
    data = yaml.safe_load(answer(capsys, "show", "-o", output))
    assert data.pop("kind") == "Fleet"
    path = tmp_path / "again.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert "fleet demo" in answer(capsys, "check", str(path))


def test_the_schema_is_json_on_stdout_and_advice_on_stderr(capsys: Captured) -> None:
    """So that it can be redirected into a file."""
    assert run(["fleet", "schema"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["properties"]["regions"]
    assert "yaml-language-server" in captured.err
