"""Inputs that ARM takes, drawn from its types by hypothesis: for every token, every property that people can set."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from hypothesis import strategies as st

from infra.azure import armpath
from infra.azure.arm_names import rules
from infra.azure.node import Anything, Choice, Kinds, Many, NameSet, Node, Number, Text, Thing
from infra.azure.shape import shape
from infra.azure.strict import check

DEEPEST = 3  # objects in objects: below, only what is required
Values = st.SearchStrategy[Any]
_WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
_ID = st.builds("/subscriptions/0000/resourceGroups/{}".format, _WORDS)


@cache
def inputs(token: str) -> Values:
    """Inputs of a resource without a flaw."""
    root = shape(token, "inputs").root
    path = st.fixed_dictionaries({key: parameter(token, key) for key in armpath.parameters(token)})
    location = {"location": st.sampled_from(["eastus2", "germanywestcentral", "global"])}
    fixed = {key: value for key, value in location.items() if root.writable(key)}
    return st.builds(lambda *parts: {k: v for part in parts for k, v in part.items()},
                     thing(root, 0), st.fixed_dictionaries(fixed), path)  # fmt: skip


def parameter(token: str, key: str) -> Values:
    if key in armpath.SCOPES:
        return _ID
    return named(armpath.named_types(token).get(key, ""))


@cache
def named(type: str) -> Values:
    """Names that the type may have."""
    *stated, documented = rules(type)
    source = stated[0] if stated and (not isinstance(stated[0], Text) or _narrow(stated[0])) else documented
    return value(source, 0).filter(lambda name: not any(flaw for rule in rules(type) for flaw in check(rule, name)))


def _narrow(text: Text) -> bool:
    return text.pattern is not None and text.pattern.pattern != "^.*$"


def thing(node: Thing, depth: int) -> Values:
    if node.rest and not node.fields:
        return st.dictionaries(_WORDS, value(node.rest(), depth + 1), max_size=2)
    return st.deferred(lambda: _thing(node, depth))


def _thing(node: Thing, depth: int) -> Values:
    fields = {key: field for key, field in node.fields.items() if not field.read_only}
    held = node.containers if depth == 0 else node.containers | {field.container for field in fields.values()}
    wanted = {key for key in node.required if fields[key].container in held}
    few = sorted(set(fields) - wanted)
    chosen = st.lists(st.sampled_from(few), max_size=4, unique=True) if few and depth < DEEPEST else st.just([])
    return chosen.flatmap(lambda keys: st.fixed_dictionaries(
        {key: value(fields[key].node(), depth + 1) for key in sorted(wanted | set(keys))}
    ))  # fmt: skip


@cache
def _value(node_id: int, depth: int) -> Values:
    return _fresh(_KEPT[node_id], depth)


_KEPT: dict[int, Node] = {}


def value(node: Node, depth: int) -> Values:
    _KEPT[id(node)] = node
    return _value(id(node), min(depth, DEEPEST))


def _fresh(node: Node, depth: int) -> Values:
    match node:
        case Thing():
            return thing(node, depth)
        case Kinds():
            return st.sampled_from(sorted(node.kinds)).flatmap(lambda kind: _kind(node, kind, depth))
        case Many():
            most = min(node.most if node.most is not None else 2, 2 if depth < DEEPEST else 1)
            return st.lists(value(node.item, depth), min_size=node.fewest or 0, max_size=max(most, node.fewest or 0))
        case NameSet():
            return st.lists(_ID, max_size=2, unique=True).map(sorted)
        case Choice():
            return st.sampled_from(node.values)
        case Number():
            return _numbers(node)
        case Text():
            return _texts(node)
        case Anything():
            return st.sampled_from(["text", 7, True, {"a": {"properties": [1.5]}}])
    return st.booleans()


def _kind(node: Kinds, kind: str, depth: int) -> Values:
    return value(node.kinds[kind](), depth).map(lambda given: {**given, node.key: kind})


def _numbers(node: Number) -> Values:
    low = node.least if node.least is not None else (node.most or 8) - 8
    high = node.most if node.most is not None else low + 8
    whole = st.integers(low, high)
    return st.one_of(whole, whole.map(float)) if node.whole else st.one_of(whole, st.floats(low, high))


def _texts(node: Text) -> Values:
    least, most = node.shortest or 0, node.longest if node.longest is not None else (node.shortest or 0) + 8
    if node.pattern is None:
        return st.text("abcxyz019", min_size=least, max_size=max(most, least))
    ascii_only = re.compile(node.pattern.pattern, re.ASCII)
    return st.from_regex(ascii_only).filter(lambda text: least <= len(text) <= (node.longest or 10_000))
