"""`ops fleet bootstrap`: what Pulumi needs is made once, in order, and a second run changes nothing."""

from __future__ import annotations

import pytest

from cli import founding
from cli.adapters.arm import Arm, ArmRefused
from cli.founding import BadBlock, Comparison, NotAllowed, Wanted
from infra.blueprint.foundation import PROVIDERS
from tests.fakes_arm import FakeArm

PUBLIC = "20.42.1.7/32"


def arm(fake: FakeArm) -> Arm:
    return Arm(fake.client(), lambda: "token", fake.waited.append, lambda: sum(fake.waited))


def bootstrap(fake: FakeArm, allowed: tuple[str, ...] = ()) -> tuple[Wanted, Comparison]:
    """The command with --yes."""
    wanted = founding.wanted("demo", allowed)
    plan = founding.compare(wanted, arm(fake))
    if plan.changing:
        founding.make(wanted, plan, arm(fake), lambda line: None)
    return wanted, plan


def test_everything_is_made_in_order_and_a_second_run_changes_nothing() -> None:
    """Group before account before container; providers first of all."""
    fake = FakeArm(slow=1)
    wanted, plan = bootstrap(fake, (PUBLIC,))
    assert plan.unregistered == PROVIDERS
    assert fake.writes()[len(PROVIDERS) :] == [f"PUT {item.id}" for item in wanted.foundation.items]
    fake.calls.clear()
    assert not bootstrap(fake, (PUBLIC,))[1].changing
    assert fake.writes() == []


def test_what_was_loosened_is_put_right_and_nothing_else() -> None:
    """Somebody allowed shared keys: that property, in that account."""
    fake = FakeArm()
    wanted, _ = bootstrap(fake)
    account = wanted.foundation.items[1]
    fake.resources[account.id]["properties"]["allowSharedKeyAccess"] = True
    fake.resources[account.id]["properties"]["somethingElse"] = 1
    fake.calls.clear()
    _, plan = bootstrap(fake)
    shown = list(founding.lines(wanted, plan))
    assert f"  update   {account.title}: properties.allowSharedKeyAccess" in shown
    assert fake.writes() == [f"PUT {account.id}"]


def test_a_key_is_never_made_a_second_time() -> None:
    """A PUT of a key would be a new version; what is there stays, whatever its size."""
    fake = FakeArm()
    wanted, _ = bootstrap(fake)
    key = next(item for item in wanted.foundation.items if "/keys/" in item.id)
    fake.resources[key.id]["properties"]["keySize"] = 2048
    assert not bootstrap(fake)[1].changing


def test_the_first_line_of_the_plan_names_fleet_and_subscription() -> None:
    """As every plan does."""
    fake = FakeArm()
    wanted = founding.wanted("demo", ())
    shown = list(founding.lines(wanted, founding.compare(wanted, arm(fake))))
    assert shown[0] == f"bootstrap fleet demo (demo), in subscription {wanted.subscription}"
    assert shown[1].startswith("  register Microsoft.Storage")
    assert all(line.startswith("  create") for line in shown[2:])
    assert fake.writes() == []


def test_whoever_lacks_a_right_is_told_which_before_anything_is_made() -> None:
    """A Contributor may make all but the roles and the lock."""
    contributor = [{"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}]
    fake = FakeArm(permissions=contributor)
    with pytest.raises(NotAllowed) as refused:
        bootstrap(fake)
    assert "Microsoft.Authorization/roleAssignments/write, Microsoft.Authorization/locks/write" in refused.value.what
    assert fake.writes() == []


def test_a_failure_in_the_middle_is_gone_on_from() -> None:
    """What was made stays and is not made twice."""
    fake = FakeArm(refuse={"vaults": (409, "VaultAlreadyExists", "the name is in use")})
    with pytest.raises(ArmRefused) as refused:
        bootstrap(fake)
    assert "the name is in use" in refused.value.what and "goes on from here" in refused.value.next
    fake.refuse.clear()
    fake.calls.clear()
    _, plan = bootstrap(fake)
    assert [differs for _, differs in plan.items][:4] == [(), (), (), ()]
    assert "storageAccounts" not in fake.writes()[0] and not bootstrap(fake)[1].changing


@pytest.mark.parametrize(
    ("block", "says"),
    [("10.0.0.0/24", "not public"), ("20.42.1.7/33", "20.42.1.7/33"), ("20.0.0.0/8", "more than a /16"), ("me", "me")],
)
def test_a_block_that_would_not_do_is_refused(block: str, says: str) -> None:
    """Private, wrong, or as good as everybody."""
    with pytest.raises(BadBlock) as refused:
        founding.wanted("demo", [block])
    assert says in refused.value.what
