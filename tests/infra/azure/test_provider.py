"""A stack under the real engine: made, broken, drifted, repaired, replaced, deleted. One story, told once."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.azure.faults import Fault, Kind
from infra.engine.deploy import Plan, Protected, ResourceFailed, StackLocked
from infra.engine.event import tally
from tests.infra.emulated import CLUSTER, GROUP, Lab, pool, until, world

CANARY = "canary-7f3a9b"
ROOT = Path(__file__).parents[3]


@dataclass
class Life:
    """What happened, in order."""

    lab: Lab
    told: dict[str, Any] = field(default_factory=dict)


def live(lab: Lab) -> Iterator[tuple[str, Any]]:
    """The story: what was done, and what came of it."""
    engine, stack = lab.engine, lab.stack
    secretive = world()
    secretive[2]["inputs"]["tags"] = {"note": {"secret": CANARY}}
    secretive[2]["protect"] = True
    lab.want(secretive)
    yield "planned", engine.preview(stack)
    yield (
        "killed",
        subprocess.run([sys.executable, "-m", "tests.infra.killed", lab.directory], cwd=ROOT, start_new_session=True),
    )
    lab.__init__(lab.directory)  # the settings of a quick Azure again
    yield "locked", caught(StackLocked, lambda: engine.up(stack))
    engine.cancel(stack)
    pending = engine.pending(stack)
    yield "pending", pending
    yield "finished", until(lambda: CLUSTER in lab.there())
    yield "imported", engine.refresh(stack, made=pending)
    lab.emulation.break_with([Fault(Kind.CRASH, match="PUT .*twog1")])
    crashed = caught(ResourceFailed, lambda: engine.up(stack))
    yield "crashed", crashed
    yield "unheard", caught(ResourceFailed, lambda: engine.up(stack))
    engine.refresh(stack, made=crashed.unmade)
    yield "resumed", engine.up(stack)
    yield "made", lab.there()
    yield "state", engine.export(stack)
    lab.change("stlab12345", "properties.minimumTlsVersion", "TLS1_0")
    lab.change(GROUP, "tags.who", "somebody")
    lab.delete("vnet-lab")
    yield "drift", engine.drift(stack)
    larger = [*secretive[:4], pool("oneg1", vmSize="Standard_D8s_v5"), *secretive[5:], pool("threeg1", after=["twog1"])]
    lab.want(larger)
    lab.emulation.break_with([Fault(Kind.QUOTA, match="PUT .*threeg1")])
    yield "refused", caught(ResourceFailed, lambda: engine.up(stack, refresh=True))
    yield "repaired", lab.there()
    yield "converged", engine.up(stack)
    yield "again", engine.up(stack)
    yield "all", lab.there()
    lab.want([*larger, pool("Bad-Name", mode="Sytem", coutn=2)])
    yield "wrong", caught(ResourceFailed, lambda: engine.preview(stack))
    yield "protected", caught(Protected, lambda: engine.destroy(stack))
    engine.unprotect(stack)
    yield "destroyed", engine.destroy(stack)
    yield "left", lab.there()


def caught(kind: type[Exception], action: Any) -> Any:
    """The error of that kind that an action raises."""
    with pytest.raises(kind) as raised:
        action()
    return raised.value


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """The whole story; the tests read what came of it."""
    lab = Lab(tmp_path_factory.mktemp("life"))
    return Life(lab, dict(live(lab)))


def steps(plan: Plan) -> set[tuple[str, str]]:
    return {(one.op, one.name) for one in plan if one.op != "same" and one.type != "pulumi:pulumi:Stack"}


def test_a_preview_counts_what_an_up_then_makes(life):
    assert tally(life.told["planned"]) == {"create": 7}
    made = life.told["state"]["deployment"]["resources"]
    assert len([one for one in made if not one["type"].startswith("pulumi:providers:")]) == 7


def test_an_engine_that_died_leaves_its_lock_which_says_whose_it_is(life):
    assert life.told["killed"].returncode == -9
    assert "pid" in life.told["locked"].what
    assert life.told["locked"].not_done == "nothing was changed"


def test_what_it_was_at_is_pending_with_the_id_that_it_has_in_azure(life):
    assert [(one.op, one.urn.rpartition("::")[2]) for one in life.told["pending"]] == [("creating", "cluster")]
    assert life.told["pending"][0].id.endswith(f"/managedClusters/{CLUSTER}")


def test_azure_finishes_what_it_accepted_without_its_client(life):
    assert life.told["finished"]


def test_what_was_made_unseen_is_imported_and_not_made_again(life):
    assert [one.name for one in life.told["crashed"].outcome.steps if one.op == "create"] == ["oneg1"]


def test_a_resource_made_by_a_provider_that_died_is_refused_until_it_is_taken_in(life):
    assert [failure.urn.rpartition("::")[2] for failure in life.told["crashed"].failures] == ["twog1"]
    assert "cannot create already existing resource" in life.told["unheard"].failures[0].message
    assert steps(life.told["resumed"].steps) == set()
    assert sorted(life.told["made"]) == sorted([GROUP, CLUSTER, "oneg1", "twog1", "vnet-lab", "stlab12345"])


def test_drift_is_each_path_that_somebody_changed_and_each_resource_that_is_gone(life):
    found = {(one.op, one.name): one.changes for one in life.told["drift"]}
    assert found == {("update", "store"): ("minimumTlsVersion",), ("update", "group"): ("tags",), ("delete", "net"): ()}


def test_drift_is_repaired_where_the_same_run_is_refused_elsewhere(life):
    assert life.told["repaired"]["stlab12345"]["properties"]["minimumTlsVersion"] == "TLS1_2"
    assert "tags" not in life.told["repaired"][GROUP]
    assert "vnet-lab" in life.told["repaired"]


def test_what_cannot_be_changed_is_replaced(life):
    done = steps(life.told["refused"].outcome.steps)
    assert {("create-replacement", "oneg1"), ("delete-replaced", "oneg1")} <= done
    assert life.told["repaired"]["oneg1"]["properties"]["vmSize"] == "Standard_D8s_v5"


def test_a_refusal_of_azure_is_told_with_status_and_code(life):
    (failure,) = life.told["refused"].failures
    assert (failure.status, failure.code, failure.urn.rpartition("::")[2]) == (
        400,
        "ErrCode_InsufficientVCPUQuota",
        "threeg1",
    )
    assert "threeg1" not in life.told["repaired"]


def test_after_a_refusal_the_next_run_does_only_what_is_missing(life):
    assert steps(life.told["converged"].steps) == {("create", "threeg1")}
    assert len(life.told["all"]) == 7


def test_a_second_run_changes_nothing(life):
    assert life.told["again"].counts == {"same": 8}
    assert not life.told["again"].changed


def test_mistakes_are_refused_in_the_preview_each_at_its_path(life):
    messages = [failure.message for failure in life.told["wrong"].failures]
    assert len(messages) == 3
    for path in ("agentPoolName", "coutn", "mode"):
        assert any(f"property {path} " in message for message in messages)


def test_nothing_is_deleted_while_something_is_protected(life):
    assert "store" in life.told["protected"].what
    assert steps(life.told["destroyed"].steps) >= {("delete", "store"), ("delete", "cluster"), ("delete", "threeg1")}


def test_destroy_leaves_nothing(life):
    assert life.told["left"] == {}


def test_no_secret_is_readable_in_any_file_of_the_emulation(life):
    files = [path for path in life.lab.directory.rglob("*") if path.is_file() and path.name != "region.json"]
    assert files
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


def test_only_the_owner_can_read_the_passphrase(life):
    assert (life.lab.emulation.directory / "passphrase").stat().st_mode & 0o077 == 0
