"""How every program begins: what it refuses, in which words, and that nothing is registered before it may go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra import state
from infra.blueprint.stack import CONTRACT, Kind, Stack, find
from infra.components.program import Context
from infra.components.program import begin as begun
from infra.errors import OpsError
from infra.fleet import FLEETS, load_fleet
from tests.infra.components.running import Run, begin

ATLAS = load_fleet("atlas")
DEMO = load_fleet("demo")
assert ATLAS.azure is not None and DEMO.azure is not None
OURS = {"atlas": ATLAS.azure.subscription, "demo": DEMO.azure.subscription}

Write = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """A fleet file like atlas.yaml or demo.yaml with its limits beside it: `written("atlas", old, new, ...)`."""

    def write(name: str, *edits: str, limits: bool = True) -> Path:
        text = (FLEETS / f"{name}.yaml").read_text(encoding="utf-8")
        for old, new in zip(edits[::2], edits[1::2], strict=True):
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        if limits:
            beside = (FLEETS / f"{name}.limits.json").read_text(encoding="utf-8")
            path.with_suffix(".limits.json").write_text(beside, encoding="utf-8")
        return path

    return write


def register(context: Context) -> None:
    """A program that makes one resource."""
    pulumi.CustomResource("test:index:Thing", "thing", {"tags": dict(context.tags)})


def told(path: Path, name: str, kind: Kind, region: str | None = None) -> Run:
    """What comes of a program of that kind, for a fleet file."""
    fleet = ATLAS if name == "atlas" else DEMO
    return begin(find(fleet, kind, region, str(path)), OURS[name], register)


def test_a_fleet_that_fits_is_registered_with_its_names_on_everything(written: Write) -> None:
    seen: list[Context] = []

    def build(context: Context) -> None:
        seen.append(context)
        register(context)

    run = begin(find(ATLAS, "region", "eastus2"), OURS["atlas"], build)
    assert not run.refusal and run.made == [("test:index:Thing", "thing")]
    [context] = seen
    assert context.tags == {
        "fleet": "atlas",
        "environment": "production",
        "stack": "region",
        "managed-by": "bellwether",
    }
    assert context.place().name == "eastus2" and [one.name for one in context.fleet.regions] == ["eastus2"]
    assert context.names.subscription == OURS["atlas"] and context.kept


def refused(run: Run, *words: str) -> None:
    """The run ended with these words, in one message without a traceback, and nothing was registered."""
    assert run.made == []
    for word in words:
        assert word in run.refusal
    assert "Traceback" not in run.refusal and "Traceback" not in "\n".join(run.said)


def test_a_slip_in_the_fleet_file_is_told_with_file_line_and_column(written: Write) -> None:
    run = told(written("demo", "replicas: 2", "replicas: two"), "demo", "base")
    refused(run, "demo.yaml:", "services[0].replicas: 'two' is text; write a whole number", "not done: nothing was")


def test_a_fleet_file_that_is_gone_is_told(tmp_path: Path) -> None:
    refused(told(tmp_path / "demo.yaml", "demo", "base"), "demo.yaml:1:1", "there is no such file")


def test_a_fleet_that_is_not_in_azure_has_no_stacks(written: Write) -> None:
    text = (FLEETS / "demo.yaml").read_text(encoding="utf-8")
    azure = text[text.index("azure:\n") : text.index("# Data stay inside")]
    run = told(written("demo", azure, ""), "demo", "base")
    refused(run, "demo.yaml:10:1", "only runs locally: azure")


def test_data_that_would_leave_their_residency_group_stop_every_stack(written: Write) -> None:
    kept = "data: [prompts, completions, uploads, weights, telemetry, backups]"
    path = written("atlas", kept, "data: [prompts, completions, uploads, weights, telemetry]")
    for kind, region in (("base", None), ("region", "eastus2"), ("platform", "eastus2"), ("edge", None)):
        refused(told(path, "atlas", kind, region), "atlas.yaml:", "backups of swedencentral", "not done: nothing")


def overdrawn(written: Write) -> Path:
    """atlas with more machines in eastus2 than its quota."""
    return written("atlas", "nodes: {min: 4, max: 24}", "nodes: {min: 4, max: 900}")


def test_a_known_lack_of_quota_stops_base_and_the_region_and_names_the_limit(written: Write) -> None:
    path = overdrawn(written)
    for kind, region in (("base", None), ("region", "eastus2"), ("platform", "eastus2")):
        refused(told(path, "atlas", kind, region), "atlas.yaml:", "regions[0].pools[0]", "binding:")


def test_one_regions_lack_of_quota_stops_no_other_region(written: Write) -> None:
    budget = ("monthly_usd: 9000000", "monthly_usd: 900000000")
    path = written("atlas", "nodes: {min: 4, max: 24}", "nodes: {min: 4, max: 900}", *budget)
    run = told(path, "atlas", "region", "westeurope")
    assert not run.refusal and run.made


def test_the_edge_can_still_close_a_region_that_does_not_fit(written: Write) -> None:
    run = told(overdrawn(written), "atlas", "edge")
    assert not run.refusal and run.made
    assert any("binding:" in line for line in run.said), "it is told all the same"


def test_what_nobody_knows_is_a_warning_and_no_refusal(written: Write) -> None:
    run = told(written("demo", limits=False), "demo", "region", "eastus2")
    assert not run.refusal and run.made
    assert any(line.startswith("unknown: ") for line in run.said)


def test_limits_that_are_not_valid_are_refused_and_not_taken_for_unknown(written: Write) -> None:
    path = written("demo")
    path.with_suffix(".limits.json").write_text('{"kind": "Limits"}', encoding="utf-8")
    refused(told(path, "demo", "base"), "demo.limits.json:1:1")


def test_a_login_for_another_subscription_is_refused_before_anything_is_registered() -> None:
    run = begin(find(DEMO, "base"), OURS["atlas"], register)
    refused(run, OURS["atlas"], OURS["demo"], "next: az account set")


STALE: dict[str, tuple[Stack, dict[str, str]]] = {
    "nothing is configured": (find(DEMO, "base"), {}),
    "the fleet has another name": (find(DEMO, "base"), {"fleet": "atlas"}),
    "the region is gone": (replace(find(DEMO, "region"), region="mars", source="demo"), {}),
    "the file was copied from another region": (
        find(ATLAS, "region", "eastus2"),
        {"fleet": "atlas", "region": "westeurope"},
    ),
    "no region is said": (find(ATLAS, "region", "eastus2"), {"fleet": "atlas"}),
}


@pytest.mark.parametrize("what", STALE)
def test_a_configuration_that_does_not_fit_its_stack_is_refused(what: str) -> None:
    stack, config = STALE[what]
    given = config if config or what == "nothing is configured" else None
    run = begin(stack, OURS["demo"], register, config=given)
    refused(run, stack.name, "next: ops fleet stacks write")


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of demo's release of record, in a state directory of its own."""
    monkeypatch.setenv("OPS_STATE", str(tmp_path / "state"))
    path = state.record_path("demo")
    path.parent.mkdir(parents=True)
    return path


def kept(release: str) -> str:
    entry = {"release": release, "run": "r1", "at": "2026-11-02T09:00:00Z"}
    return json.dumps({"apiVersion": "bellwether/v1", "releases": {"chat": {"eastus2": entry}}})


def test_a_release_of_record_that_cannot_be_read_is_never_taken_for_an_empty_one(record: Path) -> None:
    record.write_text("{", encoding="utf-8")
    refused(begin(find(DEMO, "platform"), OURS["demo"], register), "the release of record cannot be read", "next:")


def test_a_release_of_record_without_a_manifest_is_refused(record: Path) -> None:
    record.write_text(kept("v99"), encoding="utf-8")
    refused(begin(find(DEMO, "platform"), OURS["demo"], register), "there is no release 'v99' of chat")


def test_only_the_platform_of_the_region_knows_what_was_rolled_out_there(record: Path) -> None:
    record.write_text(kept("v2"), encoding="utf-8")
    found: dict[Kind, Any] = {}

    def build(context: Context) -> None:
        found[context.stack.kind] = context.record.entries

    kinds: tuple[Kind, ...] = ("base", "region", "platform", "edge")
    for kind in kinds:
        begin(find(DEMO, kind), OURS["demo"], build)
    assert [kind for kind, entries in found.items() if entries] == ["platform"]
    assert found["platform"]["chat"]["eastus2"].release == "v2"


def test_a_bug_in_a_program_is_told_in_a_line_and_not_as_a_traceback() -> None:
    def build(context: Context) -> None:
        raise KeyError("pools")

    run = begin(find(DEMO, "base"), OURS["demo"], build)
    assert run.refusal.startswith("this program has a bug: KeyError: 'pools' (") and "test_program.py:" in run.refusal


def test_an_error_of_ours_in_a_program_says_what_to_do_next() -> None:
    def build(context: Context) -> None:
        error = OpsError("there is no room", not_done="nothing was made", next="make room")
        error.add_note("the room is full")
        raise error

    run = begin(find(DEMO, "base"), OURS["demo"], build)
    wanted = "there is no room\n  the room is full\n  not done: nothing was made\n  next: make room"
    assert run.refusal == wanted


def test_a_refusal_by_the_engine_itself_is_passed_on_as_it_is() -> None:
    def build(context: Context) -> None:
        raise pulumi.RunError("as it is")

    assert begin(find(DEMO, "base"), OURS["demo"], build).refusal == "as it is"


def aliased(drop: bool, *own: Any) -> list[Any]:
    """The request of a node pool, with all that the engine is told of its aliases."""

    def build(context: Context) -> None:
        from pulumi_azure_native import containerservice

        containerservice.AgentPool(
            "pool", resource_group_name="g", resource_name_="c", opts=pulumi.ResourceOptions(aliases=list(own))
        )

    stack = find(DEMO, "base")
    more = {} if drop else {"datedAliases": "true"}
    run = begin(stack, OURS["demo"], build, config={"fleet": "demo", **more})
    assert not run.refusal
    return [one for one in run.asked if one.type.startswith("azure-native:")]


def all_aliases(request: Any) -> list[str]:
    return [str(alias.spec.type or alias.spec.name or alias.urn) for alias in request.aliases] + list(request.aliasURNs)


def test_dated_aliases_are_dropped_and_ours_are_kept() -> None:
    [request] = aliased(True, pulumi.Alias(name="before"), pulumi.Alias(type_="azure-native:other:AgentPool"))
    told = " ".join(all_aliases(request))
    assert "/v20" not in told
    assert "before" in told and "azure-native:other:AgentPool" in told


def test_dated_aliases_stay_where_a_stack_says_that_it_needs_them() -> None:
    [request] = aliased(False)
    assert sum("/v20" in alias for alias in all_aliases(request)) > 100


def test_an_alias_of_ours_with_a_dated_type_and_an_old_name_is_a_rename_and_stays() -> None:
    dated = "azure-native:containerservice/v20230201:AgentPool"
    [request] = aliased(True, pulumi.Alias(type_=dated, name="before"))
    assert any(alias.spec.name == "before" for alias in request.aliases) or "before" in " ".join(request.aliasURNs)


def below(**outputs: Any) -> dict[str, dict[str, Any]]:
    return {find(DEMO, "base").reference: {"contract": CONTRACT, **outputs}}


def asking(preview: bool = False, **outputs: Any) -> Run:
    """A program of a region that makes a thing from an output of base."""

    def build(context: Context) -> None:
        pulumi.CustomResource("test:index:Thing", "thing", {"registry": context.lower("base")["registry_id"]})

    return begin(find(DEMO, "region"), OURS["demo"], build, preview=preview, below=below(**outputs))


def test_an_output_of_a_stack_below_is_what_that_stack_exported() -> None:
    assert asking(registry_id="/registry").made == [("test:index:Thing", "thing")]


def test_an_output_that_is_not_there_yet_stops_an_update_and_is_unknown_in_a_preview() -> None:
    run = asking()
    assert "organization/fleet-base/demo-demo has no output 'registry_id' yet" in run.refusal
    assert "next: pulumi up -s demo-demo in infra/stacks/base" in run.refusal
    later = asking(preview=True)
    assert not later.refusal and later.made == [("test:index:Thing", "thing")]


def test_outputs_under_another_contract_are_refused() -> None:
    assert "contract 2" in asking(contract=2, registry_id="/registry").refusal


def test_begin_alone_checks_the_same() -> None:
    with pytest.raises(pulumi.RunError, match="has no configuration"):
        begun("base")
