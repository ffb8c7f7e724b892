"""The Azure Resource Manager: what is not there is None, what is long is waited for, what is refused is told."""

from __future__ import annotations

import httpx
import pytest

from cli.adapters.arm import PATIENCE, TRIES, Arm, ArmRefused
from tests.fakes_arm import FakeArm

ID = "/subscriptions/s/resourceGroups/rg"
BODY = {"location": "eastus2", "properties": {"size": 1}}


def arm(fake: FakeArm) -> Arm:
    """An adapter whose waits are free and counted."""
    return Arm(fake.client(), lambda: "token", fake.waited.append, lambda: sum(fake.waited))


def test_what_is_not_there_is_none() -> None:
    """A 404 is an answer."""
    assert arm(FakeArm()).get(ID, "2024-03-01") is None


def test_a_put_waits_until_the_resource_is_ready() -> None:
    """Looked at again and again, with pauses."""
    fake = FakeArm(slow=3)
    made = arm(fake).put(ID, "2024-03-01", BODY)
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert len(fake.waited) == 3
    assert fake.writes() == [f"PUT {ID}"]


def test_a_put_that_never_ends_is_given_up() -> None:
    """With what to do."""
    fake = FakeArm(slow=10**6)
    with pytest.raises(ArmRefused) as refused:
        arm(fake).put(ID, "2024-03-01", BODY)
    assert "not ready after 600 s" in refused.value.what and sum(fake.waited) >= PATIENCE


def test_throttling_is_waited_out_as_azure_says() -> None:
    """Retry-After, in seconds."""
    fake = FakeArm(throttle=2)
    assert arm(fake).get(ID, "2024-03-01") is None
    assert fake.waited == [7.0, 7.0]


def test_throttling_without_end_is_told() -> None:
    """After six tries."""
    fake = FakeArm(throttle=10**6)
    with pytest.raises(ArmRefused) as refused:
        arm(fake).get(ID, "2024-03-01")
    assert "later" in refused.value.what and len(fake.waited) == TRIES - 1


def test_a_refusal_says_code_and_message() -> None:
    """And what was not done."""
    fake = FakeArm(refuse={"rg": (403, "AuthorizationFailed", "you may not")})
    with pytest.raises(ArmRefused) as refused:
        arm(fake).put(ID, "2024-03-01", BODY)
    assert "AuthorizationFailed: you may not" in refused.value.what
    assert refused.value.not_done


def test_a_resource_that_failed_is_told() -> None:
    """Azure answers 201 to what fails later."""
    failed = {"location": "eastus2", "properties": {"provisioningState": "Failed"}}
    with pytest.raises(ArmRefused) as refused:
        arm(FakeArm()).put(ID, "2024-03-01", failed)
    assert "ended as Failed" in refused.value.what


def test_a_list_is_read_to_its_last_page() -> None:
    """nextLink is followed."""
    fake = FakeArm(registered={"a", "b", "c"})
    rows = arm(fake).values("/subscriptions/s/providers", "2024-03-01")
    assert [row["namespace"] for row in rows] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(200, text="<html>"), httpx.Response(500, text="oops"), httpx.ConnectError("no route")],
)
def test_an_answer_that_is_none_is_told(answer: httpx.Response | Exception) -> None:
    """A proxy's page, an error without a body, no answer at all."""

    def reply(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = httpx.Client(base_url="https://arm.test", transport=httpx.MockTransport(reply))
    with pytest.raises(ArmRefused):
        Arm(client, lambda: "token", lambda seconds: None).get(ID, "2024-03-01")
