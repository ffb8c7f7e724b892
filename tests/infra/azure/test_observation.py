"""Drift as inputs: what moved outside is seen, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.azure.observation import observed, without

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
OBJECTS = st.dictionaries(st.text(min_size=1, max_size=3), LEAVES | st.lists(LEAVES, max_size=3), max_size=4)

CASES = [
    # inputs, what the state remembers, what is there now, the inputs as they would read
    ({"tls": "1.2"}, {"tls": "1.2"}, {"tls": "1.0"}, {"tls": "1.0"}),
    ({"place": "East US 2"}, {"place": "eastus2"}, {"place": "eastus2"}, {"place": "East US 2"}),
    ({"secret": "s"}, {}, {}, {"secret": "s"}),
    ({"a": 1}, {"a": 1, "id": "x"}, {"a": 1, "id": "y"}, {"a": 1, "id": "y"}),
    ({"a": 1}, {"a": 1}, {"a": 1, "tags": {"who": "me"}}, {"a": 1, "tags": {"who": "me"}}),
    ({"tags": {"a": "1", "b": "2"}}, {"tags": {"a": "1", "b": "2"}}, {"tags": {"a": "1"}}, {"tags": {"a": "1"}}),
    ({"zones": ["1", "2"]}, {"zones": ["1", "2"]}, {"zones": ["1", "2", "3"]}, {"zones": ["1", "2", "3"]}),
    ({"zones": ["1", "2"]}, {"zones": ["1", "2"]}, {"zones": ["1"]}, {"zones": ["1"]}),
    ({"rules": [{"p": 1}]}, {"rules": [{"p": 1, "id": "r"}]}, {"rules": [{"p": 2, "id": "r"}]}, {"rules": [{"p": 2}]}),
    ({"a": {"b": 1}}, {"a": {"b": 1}}, {}, {}),
]


@pytest.mark.parametrize(("inputs", "before", "now", "seen"), CASES)
def test_only_what_moved_is_seen(inputs, before, now, seen):
    assert observed(inputs, before, now) == seen


@settings(max_examples=40)
@given(OBJECTS, OBJECTS)
def test_where_nothing_moved_the_inputs_are_what_they_were(inputs, there):
    assert observed(inputs, there, there) == inputs


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        ([], {"a": {"b": 1, "c": 2}, "d": [{"e": 1}, {"e": 2}]}),
        (["a.b"], {"a": {"c": 2}, "d": [{"e": 1}, {"e": 2}]}),
        (["d[0].e", "a"], {"d": [{}, {"e": 2}]}),
        (["d[1]", "nowhere.at.all"], {"a": {"b": 1, "c": 2}, "d": [{"e": 1}]}),
    ],
)
def test_what_lies_at_a_path_can_be_left_out(paths, left):
    assert without({"a": {"b": 1, "c": 2}, "d": [{"e": 1}, {"e": 2}]}, paths) == left
