"""`ops load kubernetes` and `azure` from the outside: what they write, what they refuse, and that nothing is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.commands.load.leaving import leaving, regions
from cli.commands.load.ordering import Elsewhere, Given
from cli.main import run
from infra.errors import InvalidInput
from infra.fleet import load_fleet
from loadtests.run.ordered import read_order

IMAGE = f"registry.example.com/load@sha256:{'0' * 64}"
KEY = "https://v.vault.azure.net/secrets/key"
Said = pytest.CaptureFixture[str]


def ops(*words: str) -> int:
    return run(["load", *words])


def kubernetes(out: Path, *words: str) -> int:
    return ops("kubernetes", "--out", str(out), "--image", IMAGE, *words)


def azure(out: Path, *words: str) -> int:
    return ops("azure", "--out", str(out), *words)


def test_a_job_set_is_for_the_cluster_of_the_region(tmp_path: Path, capsys: Said) -> None:
    """At the region's own host behind its gateway, as synthetic traffic; and how to go on."""
    words = ("--service", "chat", "--workers", "4", "--rate", "80/s", "--duration", "10m")
    assert kubernetes(tmp_path, *words) == 0
    said = capsys.readouterr()
    objects = list(yaml.safe_load_all((tmp_path / "load.yaml").read_text()))
    (order,) = [read_order(one["data"]["order.json"]) for one in objects if one["kind"] == "ConfigMap"]
    assert (order.url, order.traffic, order.region) == ("https://eastus2.demo.example.com", "synthetic", "eastus2")
    assert (order.load.mean, order.duration, order.slo and order.slo.ttft) == (80.0, 600.0, 0.25)
    assert f"kubectl apply -f {tmp_path / 'load.yaml'}" in said.out and "nothing was sent" in said.err


def test_the_answer_says_what_was_written(tmp_path: Path, capsys: Said) -> None:
    assert kubernetes(tmp_path, "--service", "chat", "-o", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["workers"], found["namespace"]) == ("LoadKubernetes", 2, "load")
    assert found["files"] == [str(tmp_path / "load.yaml")]
    assert azure(tmp_path, "--service", "chat", "-o", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["testId"], found["engines"]) == ("LoadAzure", "demo-chat-conversation", 1)
    assert (
        all(Path(file).is_file() for file in found["files"])
        and {"goodput": "percentage(error) > 5"} in found["criteria"]
    )


def test_a_test_of_azure_is_at_the_host_that_users_call(tmp_path: Path, capsys: Said) -> None:
    """That of the residency group; regions share the engines."""
    atlas = ("--fleet", "atlas", "--service", "chat", "--rate", "100/s", "--engines", "3")
    words = (*atlas, "--region", "eastus2", "--region", "southcentralus")
    assert azure(tmp_path, *words) == 0, capsys.readouterr().err
    test = yaml.safe_load((tmp_path / "loadtest.yaml").read_text())
    order = read_order(str(tmp_path / "order.json"))
    assert sum(one["engineInstances"] for one in test["regionalLoadTestConfig"]) == test["engineInstances"] == 3
    assert order.url.startswith("https://us.") and order.traffic == "synthetic"


def test_a_key_is_nowhere_in_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where it is kept: the name of a variable, or the place in the vault."""
    monkeypatch.setenv("A_KEY", "k-secret")
    keys = ("--service", "chat", "--credential", "env:A_KEY")
    assert kubernetes(tmp_path, *keys) == azure(tmp_path, *keys, "--credential", f"keyvault:{KEY}") == 0
    assert not [path for path in tmp_path.iterdir() if b"k-secret" in path.read_bytes()]
    secrets = yaml.safe_load((tmp_path / "loadtest.yaml").read_text())["secrets"]
    assert secrets == [{"name": "LOAD_KEY_1", "value": KEY}]
    assert read_order(str(tmp_path / "order.json")).credentials == ("env:A_KEY", "env:LOAD_KEY_1")


def test_a_profile_of_ones_own_brings_its_trace(tmp_path: Path) -> None:
    """Found from where the profile is, and again where it is sent from."""
    (tmp_path / "own.csv").write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:00:00.0,5,5\n2023-11-16 18:00:01.0,5,5\n"
    )
    (tmp_path / "own.yaml").write_text("{name: own, trace: ./own.csv, rate: 5/s}")
    words = ("--service", "chat", "--profile", str(tmp_path / "own.yaml"))
    assert kubernetes(tmp_path / "out", *words) == azure(tmp_path / "out", *words) == 0
    data = [one["data"] for one in yaml.safe_load_all((tmp_path / "out" / "load.yaml").read_text()) if "data" in one]
    assert data[0]["own.csv"] == (tmp_path / "own.csv").read_text()
    assert read_order(data[0]["order.json"]).profile.trace == "/etc/load/own.csv"


REFUSED: list[tuple[tuple[str, ...], int, str]] = [
    (("--service", "chat", "--target", "https://example.org"), 4, "does not name the host example.org"),
    (("--service", "chat", "--rate", "500/s"), 4, "the ceiling is 200/s"),
    ((), 2, "say what to send to: --service (chat, chat-mini)"),
    (("--service", "chat", "--duration", "forever"), 2, "nobody stops it there"),
    (("--service", "chat", "--rate", "20"), 2, "--rate"),
    (("--service", "chit"), 2, "chit"),
    (("--service", "chat", "--credential", "k-secret"), 2, "a credential is a reference and not the key"),
]


@pytest.mark.parametrize(("words", "code", "said"), REFUSED)
@pytest.mark.parametrize("write", [kubernetes, azure])
def test_what_must_not_be_sent_is_not_written(
    write: Any, words: tuple[str, ...], code: int, said: str, tmp_path: Path, capsys: Said
) -> None:
    """By the same guards as a load from here."""
    assert write(tmp_path / "out", *words) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("kubernetes", "--image", "load:latest"), "@sha256"),
        (("kubernetes", "--image", IMAGE, "--workers", "0"), "give 1 to 100"),
        (("kubernetes", "--image", IMAGE, "--credential", f"keyvault:{KEY}"), "cannot read a key vault"),
        (("azure", "--engines", "401"), "1 to 400 engines"),
        (("azure", "--duration", "25h"), "24 hours at most"),
        (("azure", "--region", "mars"), "mars"),
        (("kubernetes", "--image", IMAGE, "--region", "mars"), "mars"),
    ],
)
def test_what_would_not_run_there_is_not_written(
    words: tuple[str, ...], said: str, tmp_path: Path, capsys: Said
) -> None:
    assert ops(*words, "--service", "chat", "--out", str(tmp_path / "out")) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [("azure",), ("kubernetes", "--image", IMAGE)], ids=["azure", "kubernetes"])
@pytest.mark.parametrize(
    ("out", "said"), [("", "'' is not a directory"), ("file", "is not a directory"), ("file/x", "cannot be written")]
)
def test_a_load_is_written_only_into_a_directory(
    words: tuple[str, ...], out: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    """Not where one happens to be because a variable was empty; and it is no state of ours that cannot be written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert ops(*words, "--service", "chat", "--region", "eastus2", "--out", out) == 2
    error = capsys.readouterr().err
    assert said in error and "next: --out DIR" in error
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_load_has_one_host(tmp_path: Path, capsys: Said) -> None:
    """Users of three groups call three: one must be said."""
    assert azure(tmp_path / "out", "--fleet", "atlas", "--service", "chat", "--rate", "100/s") == 2
    assert "users call 3 hosts for it: apac, eu, us" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_region_without_the_service_is_told() -> None:
    """And which have it."""
    atlas = load_fleet("atlas")
    bare = atlas.region("eastus2").model_copy(update={"pools": ()})
    fleet = atlas.model_copy(update={"regions": (bare, *atlas.regions[1:])})
    assert [one.name for one in regions(fleet, "chat", ["westeurope", "westeurope"])] == ["westeurope"]
    with pytest.raises(InvalidInput, match="chat does not run in eastus2; it runs in southcentralus"):
        regions(fleet, "chat", ["westeurope", "eastus2"])


def test_a_fleet_that_is_nowhere_needs_a_target() -> None:
    """It has no domain under which it could answer."""
    fleet = load_fleet("demo").model_copy(update={"azure": None})
    with pytest.raises(InvalidInput, match="names no domain"):
        leaving(fleet, Given("chat", 60.0, 0), Elsewhere("", None, (), (), None), ["us"])


def test_more_than_three_hours_are_asked_for_first(tmp_path: Path, capsys: Said) -> None:
    """Subscriptions begin with three."""
    assert azure(tmp_path, "--service", "chat", "--duration", "4h") == 0
    assert "more than 3 hours" in capsys.readouterr().err
