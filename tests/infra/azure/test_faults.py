"""The plan of faults: which call meets which, and each only once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.azure import faults
from infra.azure.faults import Fault, Kind

POOL = "PUT /subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c/agentPools/p"
FAULTS = st.builds(Fault, st.sampled_from(Kind), at=st.integers(1, 20)) | st.builds(
    Fault, st.sampled_from(Kind), match=st.sampled_from(["PUT .*agentPools", "DELETE", "vaults/kv"])
)


@pytest.mark.parametrize(
    ("fault", "number", "call", "meets"),
    [
        (Fault(Kind.CONFLICT, at=3), 3, POOL, True),
        (Fault(Kind.CONFLICT, at=3), 4, POOL, False),
        (Fault(Kind.CRASH, match="PUT .*agentPools"), 9, POOL, True),
        (Fault(Kind.CRASH, match="DELETE"), 9, POOL, False),
        (Fault(Kind.CRASH, at=2, match="DELETE"), 2, POOL, True),
    ],
)
def test_a_fault_meets_the_call_of_its_number_or_its_match(fault, number, call, meets):
    assert fault.meets(number, call) is meets


def test_a_fault_that_was_met_is_never_met_again():
    fault = Fault(Kind.QUOTA, match="agentPools")
    assert faults.due([fault], set(), 1, POOL) == fault
    assert faults.due([fault], {fault.key}, 2, POOL) is None


@settings(max_examples=40)
@given(st.lists(FAULTS, max_size=6), st.lists(st.just(POOL), max_size=30))
def test_a_run_of_calls_meets_each_fault_at_most_once(plan, calls):
    met = []
    for number, call in enumerate(calls, start=1):
        if fault := faults.due(plan, met, number, call):
            met.append(fault.key)
    assert len(met) == len(set(met))
    assert set(met) <= {fault.key for fault in plan}


@settings(max_examples=40)
@given(st.lists(FAULTS))
def test_a_plan_comes_back_from_its_file_as_it_was(plan):
    assert faults.from_json(faults.to_json(plan)) == tuple(plan)


def test_a_kind_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="earthquake"):
        faults.from_json([{"kind": "earthquake", "at": 1}])


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.CRASH])
def test_every_kind_but_the_crash_has_the_words_of_azure(kind):
    answer = faults.ANSWERS[kind]
    assert answer.code
    assert answer.message.endswith(".")
    assert 400 <= answer.status < 600
    assert (answer.retry_after is not None) is (answer.status == 429)
