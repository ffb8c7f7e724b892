"""What the engine says becomes steps, failures and counts."""

import pytest

from infra.engine.event import Account, Failure, Step, failure, step, tally

URN = "urn:pulumi:demo::fleet-region::azure-native:network:VirtualNetwork::net"
TYPE = "azure-native:network:VirtualNetwork"
ROOT = "urn:pulumi:demo::fleet-region::pulumi:pulumi:Stack::fleet-region-demo"


def metadata(op="create", **rest):
    return {"op": op, "urn": URN, "type": TYPE, "old": None, "new": {"protect": False}, **rest}


def heard(*events):
    account = Account()
    return account, [progress for event in events if (progress := account.hear(event))]


def test_a_step_names_its_resource_and_each_path_that_changes():
    diff = {"tags.a": {"diffKind": "update"}, "location": {"diffKind": "update-replace"}}
    one = step(metadata("replace", detailedDiff=diff, old={"protect": True}))
    assert one == Step("replace", URN, TYPE, "net", True, ("location", "tags.a"), ("location",))


def test_without_paths_the_changed_keys_do():
    assert step(metadata("update", diffs=["tags", "location"])).changes == ("location", "tags")


def test_a_resource_is_followed_from_start_to_end():
    account, progress = heard(
        {"resourcePreEvent": {"metadata": metadata()}}, {"resOutputsEvent": {"metadata": metadata()}}
    )
    assert [one.kind for one in progress] == ["started", "done"]
    assert [one.op for one in account.steps] == [one.op for one in account.done] == ["create"]


def test_a_resource_that_stays_as_it_is_is_a_step_and_no_progress():
    account, progress = heard({"resourcePreEvent": {"metadata": metadata("same")}})
    assert (progress, tally(tuple(account.steps))) == ([], {"same": 1})


def test_a_replace_is_one_step_of_a_plan():
    parts = [
        {"resourcePreEvent": {"metadata": metadata(op)}} for op in ("create-replacement", "replace", "delete-replaced")
    ]
    account, progress = heard(*parts)
    assert [one.op for one in account.steps] == ["replace"]
    assert len(progress) == 3


def test_providers_are_not_counted_as_the_engine_does_not():
    urn = "urn:pulumi:demo::fleet-region::pulumi:providers:azure-native::default_3_29_0"
    provider = metadata() | {"type": "pulumi:providers:azure-native", "urn": urn}
    account, progress = heard({"resourcePreEvent": {"metadata": provider}}, {"resOutputsEvent": {"metadata": provider}})
    assert (account.steps, account.done, progress) == ([], [], [])


def test_what_is_only_read_is_no_step():
    account, progress = heard({"resourcePreEvent": {"metadata": metadata("read")}})
    assert (account.steps, progress) == ([], [])


def test_what_is_told_twice_is_heard_once():
    event = {"resOutputsEvent": {"metadata": metadata()}}
    account, progress = heard(event, event)
    assert len(account.done) == len(progress) == 1


def test_a_failed_operation_is_progress():
    _, progress = heard({"resOpFailedEvent": {"metadata": metadata()}})
    assert [one.kind for one in progress] == ["failed"]


def test_the_engine_s_own_sum_is_kept():
    account, _ = heard({"summaryEvent": {"resourceChanges": {"create": 7}}})
    assert account.counts == {"create": 7}


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        ('PUT: Status=409 Code="QuotaExceeded" Message="no"', 409, "QuotaExceeded"),
        ("error reading from server: EOF", 0, ""),
    ],
)
def test_status_and_code_of_azure_are_read_from_its_message(message, status, code):
    assert failure(URN, message) == Failure(URN, message, status, code)


@pytest.mark.parametrize(("urn", "of_resource"), [(URN, True), (ROOT, False), ("", False)])
def test_a_failure_of_the_program_is_not_one_of_a_resource(urn, of_resource):
    assert Failure(urn, "x").of_resource is of_resource


def test_errors_are_failures_and_warnings_are_kept_without_their_colours():
    account, _ = heard(
        {"diagnosticEvent": {"severity": "error", "message": "<{%reset%}>no such zone<{%reset%}>\n", "urn": URN}},
        {"diagnosticEvent": {"severity": "error", "message": "update failed"}},
        {"diagnosticEvent": {"severity": "warning", "message": "using pulumi-resource-x from $PATH"}},
        {"diagnosticEvent": {"severity": "warning", "message": "old version"}},
        {"diagnosticEvent": {"severity": "info", "message": "hello"}},
    )
    assert account.failures == [Failure(URN, "no such zone")]
    assert account.warnings == ["old version"]
