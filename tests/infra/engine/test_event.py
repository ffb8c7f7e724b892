"""What the engine says becomes steps, failures and counts."""

import pytest

from infra.engine.event import Account, Failure, failure, step, tally

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
    assert (one.op, one.urn, one.type, one.name, one.protected) == ("replace", URN, TYPE, "net", True)
    assert (one.changes, one.replaces) == (("location", "tags.a"), ("location",))


def test_a_step_has_the_values_that_change():
    diff = {"sku.name": {"diffKind": "update"}, "tags.b": {"diffKind": "add"}}
    states = {
        "old": {"inputs": {"sku": {"name": "Standard_ZRS"}}, "retainOnDelete": True},
        "new": {"inputs": {"sku": {"name": "Standard_GRS"}, "tags": {"b": 1}}},
    }
    one = step(metadata("update", detailedDiff=diff, **states))
    assert one.values == {"sku.name": ("Standard_ZRS", "Standard_GRS"), "tags.b": (None, 1)}
    assert one.retained


GUARDED = [
    (f'unable to replace resource "{URN}"\nas it is currently marked for protection. To unprotect', ""),
    (
        f'unable to replace resource "{URN}" as part of replacing "urn:x" as it is currently marked for protection',
        "urn:x",
    ),
    (f'Preview failed: resource "{URN}" cannot be deleted\nbecause it is protected. To unprotect', ""),
]


@pytest.mark.parametrize(("message", "cause"), GUARDED, ids=["replace", "together", "delete"])
def test_what_is_guarded_is_read_from_what_the_engine_says(message, cause):
    one = failure("urn:x", message)
    assert (one.guarded, one.cause) == (URN, cause)


def test_another_failure_guards_nothing():
    assert failure(URN, 'Status=409 Code="Conflict" resource "x" is busy').guarded == ""


def test_what_failed_to_be_made_is_kept_as_it_would_be_in_the_state():
    state = {"urn": URN, "inputs": {"a": 1}}
    account, _ = heard({"resOpFailedEvent": {"metadata": metadata("create", new=state)}})
    assert account.unmade == {URN: state}
    assert heard({"resOpFailedEvent": {"metadata": metadata("update", new=state)}})[0].unmade == {}


def test_outputs_that_change_are_named():
    def stack(old, new):
        told = metadata("same", old={"outputs": old}, new={"outputs": new})
        return {"resOutputsEvent": {"metadata": told | {"type": "pulumi:pulumi:Stack", "urn": ROOT}}}

    assert heard(stack({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}))[0].exports == ("b", "c")
    assert heard(stack({"a": 1}, {"a": 1}))[0].exports == ()


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
