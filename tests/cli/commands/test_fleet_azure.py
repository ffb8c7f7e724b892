"""`ops fleet` where it is provisioned: wrong input is refused before anything is asked of an engine or of Azure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.main import run
from infra.fleet import FLEETS
from tests.fakes_arm import FakeArm

DEMO = (FLEETS / "demo.yaml").read_text(encoding="utf-8")
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state directory of its own, and no backend."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path))
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)


def ended(capsys: Captured, *arguments: str) -> tuple[int, str, str]:
    """Exit code, answer and story of a command."""
    code = run(["fleet", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


REFUSED = [
    (("preview", "--region", "eastus"), 2, "the fleet demo has no region 'eastus'; did you mean eastus2?"),
    (("up", "--stack", "edges"), 2, "there is no stack 'edges'; did you mean edge?"),
    (("drift", "--stack", "base", "--region", "eastus2"), 2, "there once for the whole fleet"),
    (("up",), 2, "PULUMI_BACKEND_URL is not set"),
    (("destroy",), 2, "ops fleet bootstrap makes a place for it"),
    (("recover", "cancel", "--stack", "bas"), 2, "did you mean base?"),
    (
        ("recover", "look", "--stack", "region", "--fleet", "atlas", "--emulated"),
        2,
        "there is a stack region for each region",
    ),
    (("recover", "restore"), 2, "--stack"),
    (("bootstrap", "--emulated"), 4, "needs no storage account"),
    (("bootstrap", "--allow", "10.0.0.0/24"), 2, "not public"),
    (("emulate", "change", "vnet", "tags.a", "b"), 2, "there is no resource 'vnet'"),
    (("emulate", "fault", "rain", "--at", "1"), 2, "there is no fault 'rain'"),
    (("emulate", "fault", "quota"), 2, "either --at or --match"),
    (("emulate", "fault", "quota", "--match", "("), 2, "--match (:"),
    (("render", "--out", "no/such/\0"), 2, "--out"),
    (("render", "--out", ""), 2, "'' is not a directory"),
    (("render", "--out", "/dev/null"), 2, "is not a directory"),
    (("render", "--out", "/dev/null/x"), 2, "/dev/null/x cannot be written"),
    (
        ("recover", "restore", "--stack", "base", "--emulated", "--before", "../x", "--confirm", "demo-demo"),
        2,
        "no state of before '../x' was kept; known: none was kept",
    ),
]


@pytest.mark.parametrize(("arguments", "code", "says"), REFUSED, ids=[" ".join(one[0]) for one in REFUSED])
def test_what_cannot_be_done_is_said_with_what_can(
    capsys: Captured, arguments: tuple[str, ...], code: int, says: str
) -> None:
    """Before an engine is looked for."""
    got, answer, told = ended(capsys, *arguments)
    assert (got, answer) == (code, "")
    assert says in told and "Traceback" not in told


PLACED = ["preview", "up", "drift", "destroy", "bootstrap", "stacks list", "stacks write", "render --out x"]


@pytest.mark.parametrize("command", PLACED)
def test_a_fleet_without_azure_only_runs_locally(capsys: Captured, tmp_path: Path, command: str) -> None:
    """And its file is told what it lacks."""
    before, _, rest = DEMO.partition("# Where `ops fleet up` provisions it.")
    path = tmp_path / "local.yaml"
    path.write_text(before.replace("name: demo", "name: local", 1) + rest.partition("# Data stay")[2].join(["#", ""]))
    code, _, told = ended(capsys, *command.split(), "--fleet", str(path))
    assert code == 2 and "has no section `azure`" in told and "add azure:" in told


def test_the_stacks_of_a_fleet_are_listed_in_the_order_they_are_made(capsys: Captured) -> None:
    """With what each needs."""
    code, answer, _ = ended(capsys, "stacks", "list", "--fleet", "atlas", "-o", "json")
    rows = json.loads(answer)["stacks"]
    assert code == 0 and len(rows) == 14
    assert [row["kind"] for row in (rows[0], rows[1], rows[-1])] == ["base", "region", "edge"]
    assert len(rows[-1]["needs"]) == 13 and rows[0]["needs"] == []


def test_without_the_packages_of_pulumi_it_is_said_how_to_have_them(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newcomer who set up the demo only."""
    monkeypatch.setattr("cli.estate.PACKAGES", ("pulumi", "no_such_package"))
    code, _, told = ended(capsys, "up", "--emulated", "--yes")
    assert code == 6 and "not installed: no_such_package" in told and "next: make setup" in told


Azure = Callable[[FakeArm], None]


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Azure:
    """Puts an ARM in the place of Azure's."""

    def put(fake: FakeArm) -> None:
        from cli.adapters.arm import Arm

        monkeypatch.setattr("cli.adapters.arm.connect", lambda: Arm(fake.client(), lambda: "token", fake.waited.append))

    return put


def test_bootstrap_shows_a_plan_asks_and_prints_the_two_lines(capsys: Captured, azure: Azure) -> None:
    """Without a yes nothing is made; a second time there is nothing to ask."""
    fake = FakeArm()
    azure(fake)
    code, answer, told = ended(capsys, "bootstrap")
    assert (code, answer, fake.writes()) == (4, "", [])
    assert told.startswith("bootstrap fleet demo (demo), in subscription 00000000-")
    code, answer, told = ended(capsys, "bootstrap", "--yes")
    assert code == 0 and "made key pulumi" in told
    first, second = answer.splitlines()
    assert first.startswith("export PULUMI_BACKEND_URL='azblob://pulumi-demo?storage_account=st")
    assert "azurekeyvault://kv-" in second
    assert ended(capsys, "bootstrap")[0] == 0


def test_bootstrap_says_which_rights_are_lacking(capsys: Captured, azure: Azure) -> None:
    """Exit 4: a guard of Azure's."""
    azure(FakeArm(permissions=[]))
    code, _, told = ended(capsys, "bootstrap", "--yes")
    assert code == 4 and "Microsoft.Authorization/roleAssignments/write" in told and "ask for Owner" in told


def test_the_residency_of_a_fleet_is_proved_from_its_file(capsys: Captured, tmp_path: Path) -> None:
    """A violation ends 3 with its path and line."""
    assert ended(capsys, "residency", "--file-only", "--fleet", "atlas")[0] == 0
    path = tmp_path / "leaky.yaml"
    path.write_text(DEMO.replace("name: demo", "name: leaky", 1).replace("weights, telemetry,", "weights,"))
    code, _, told = ended(capsys, "residency", "--file-only", "--fleet", str(path))
    assert code == 3 and "leaky.yaml:" in told and "logs and metrics of eastus2" in told


def test_preflight_tells_violations_unknowns_and_a_fit_apart(capsys: Captured, tmp_path: Path) -> None:
    """3, 5 and 0, each with the figures on stdout."""
    assert ended(capsys, "preflight")[0] == 0
    code, answer, _ = ended(capsys, "preflight", "--fleet", "atlas", "-o", "json")
    assert code == 5 and json.loads(answer)["verdict"] == "unknown"
    path = tmp_path / "big.yaml"
    path.write_text(DEMO.replace("name: demo", "name: big", 1).replace("max: 8}", "max: 80}"), encoding="utf-8")
    (tmp_path / "big.limits.json").write_text((FLEETS / "demo.limits.json").read_text(encoding="utf-8"))
    code, answer, told = ended(capsys, "preflight", "--fleet", str(path))
    assert code == 3 and "violation" in answer and "next: one of the fallbacks" in told
    assert answer.startswith("violation  ") and answer.index("violation") < answer.index("machines\n")
    (tmp_path / "big.limits.json").unlink()
    assert ended(capsys, "preflight", "--fleet", str(path))[0] == 5


@pytest.mark.parametrize("name", ["demo", "atlas"])
def test_a_preflight_reads_well_in_80_columns(capsys: Captured, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Nothing is wider or folded, the files are named from here, and what nobody knows is a dash."""
    monkeypatch.chdir(FLEETS.parent.parent)
    _, answer, _ = ended(capsys, "preflight", "--fleet", name)
    lines = answer.splitlines()
    assert max(map(len, lines)) <= 80
    assert str(Path.cwd()) not in answer and f"infra/fleets/{name}.yaml:" in answer
    assert lines.index("machines") > 0
    assert name == "demo" or "  h100       ND96isr_H100_v5  reserved   4-24      2,304" in answer
    assert lines.count("eastus2") == 2  # once over its machines, once over its quota
    assert ("  -" in answer) == (name == "atlas") and "- is what nobody knows" in answer


def test_services_whose_figures_are_the_same_in_all_regions_have_one_line(capsys: Captured) -> None:
    """Else one for each price that there is."""
    _, answer, _ = ended(capsys, "preflight", "--fleet", "atlas")
    tail = answer.partition("cost of services\n")[2].splitlines()
    assert tail[1].split()[-1] == "eastus2" and tail[2].endswith("5 others") and tail[3].endswith("all 6")


@pytest.mark.parametrize("command", ["up --yes", "preview", "drift", "destroy --yes", "recover restore --stack base"])
def test_a_state_directory_that_is_none_is_told(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A file where OPS_STATE should be a directory."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("OPS_STATE", str(tmp_path / "file"))
    code, _, told = ended(capsys, *command.split(), "--emulated")
    assert code == 6 and "cannot hold our state" in told and "next: set OPS_STATE" in told
    assert "Traceback" not in told


def test_an_emulation_grants_what_the_limits_file_says(tmp_path: Path) -> None:
    """Only that of the fleet's own subscription; one that is not valid is refused before any plugin reads it."""
    from cli import estate
    from infra.preflight.limits import LimitsError

    path, kept = tmp_path / "demo.yaml", tmp_path / "demo.limits.json"
    path.write_text(DEMO, encoding="utf-8")
    place = estate.named(str(path), None, None, True)
    assert estate.emulation(place).settings.limits == ""
    text = (FLEETS / "demo.limits.json").read_text(encoding="utf-8")
    kept.write_text(text, encoding="utf-8")
    assert estate.emulation(place).settings.limits == str(kept)
    ours = json.loads(text)["subscription"]
    kept.write_text(text.replace(ours, "11111111-1111-4111-8111-111111111111"), encoding="utf-8")
    assert estate.emulation(place).settings.limits == ""
    kept.write_text("{", encoding="utf-8")
    with pytest.raises(LimitsError):
        estate.emulation(place)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("sku", "1", "is an object, and 1 is a number"),
        ("sku.name", "2", "is a text"),
        ("", "1", "nothing is at ''"),
        ("a..b", "1", "nothing is at 'a'"),
        ("skus.name", "1", "did you mean sku?"),
        ("zones[7]", "1", "nothing is at 'zones[7]'"),
    ],
)
def test_a_change_that_nobody_could_make_is_refused(path: str, value: str, says: str) -> None:
    """It would tell nothing of drift, and the engine would stumble over it."""
    from cli.emulating import BadChange, _check_change, _value

    body = {"sku": {"name": "Premium"}, "zones": ["1"], "location": "eastus2"}
    with pytest.raises(BadChange, match=re.escape(says)):
        _check_change(body, path, _value(value))
    for right in ("sku.name", "zones[0]", "location", "tags.owner"):
        _check_change(body, right, "x")
    _check_change(body, "location", None)  # takes it out
