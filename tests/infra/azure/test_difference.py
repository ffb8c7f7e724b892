"""Paths and values: what differs, what is ignored, how paths are written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.azure.difference import Change, changes, parse, write

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(min_size=1, max_size=3), VALUES, max_size=4)

CASES = [
    ({}, {}, []),
    ({"a": 1}, {"a": 1}, []),
    ({"a": 1}, {"a": 2}, [("a", "update")]),
    ({"a": 1}, {}, [("a", "delete")]),
    ({}, {"a": 1}, [("a", "add")]),
    ({"a": None}, {}, []),
    ({"a": 1}, {"a": True}, [("a", "update")]),
    ({"a": 1}, {"a": 1.0}, []),
    ({"pools": [{"count": 1}, {"count": 2}]}, {"pools": [{"count": 1}, {"count": 3}]}, [("pools[1].count", "update")]),
    ({"pools": [1]}, {"pools": [1, 2]}, [("pools[1]", "add")]),
    ({"pools": [1, 2]}, {"pools": [1]}, [("pools[1]", "delete")]),
    ({"tags": {"a.b": "x"}}, {"tags": {"a.b": "y"}}, [('tags["a.b"]', "update")]),
    ({"a": {"b": 1}}, {"a": [1]}, [("a", "update")]),
]


@pytest.mark.parametrize(("old", "new", "found"), CASES)
def test_every_difference_has_its_path_and_kind(old, new, found):
    assert [(change.text, change.kind) for change in changes(old, new)] == found


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        (["pools"], []),
        (["pools[0].count"], ["pools[1].count"]),
        (["pools[*].count"], []),
        (["pools[]"], []),
        (["pools[0].size"], ["pools[0].count", "pools[1].count"]),
    ],
)
def test_what_is_ignored_is_no_change(ignored, left):
    old, new = {"pools": [{"count": 1}, {"count": 1}]}, {"pools": [{"count": 2}, {"count": 2}]}
    assert [change.text for change in changes(old, new, ignored)] == left


@pytest.mark.parametrize(
    ("path", "paths", "inside"),
    [
        ("vmSize", ["vmSize"], True),
        ("gpuProfile", ["gpuProfile.driver"], True),
        ("gpuProfile.driver", ["gpuProfile"], True),
        ("gpuProfile.other", ["gpuProfile.driver"], False),
        ("connections[2].groupIds[0]", ["connections[*].groupIds"], True),
        ("vmSizes", ["vmSize"], False),
    ],
)
def test_a_change_touches_what_is_above_and_below_it(path, paths, inside):
    assert Change(parse(path), "update").within(paths) is inside


@settings(max_examples=40)
@given(OBJECTS)
def test_nothing_differs_from_itself(value):
    assert changes(value, value) == ()


@settings(max_examples=40)
@given(OBJECTS, OBJECTS)
def test_differences_are_the_same_from_both_sides(one, other):
    there, back = changes(one, other), changes(other, one)
    turned = {"add": "delete", "delete": "add", "update": "update"}
    assert [(change.path, turned[change.kind]) for change in there] == [(change.path, change.kind) for change in back]


@settings(max_examples=40)
@given(st.lists(st.from_regex(r"[a-z]{1,3}(\.[a-z]{1,2})?", fullmatch=True) | st.integers(0, 99), min_size=1))
def test_a_written_path_is_read_as_it_was(parts):
    path = ("top", *parts)
    assert parse(write(path)) == path
