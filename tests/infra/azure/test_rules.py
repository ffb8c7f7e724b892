"""Every rule refuses what Azure refuses and takes what Azure takes: one table, tests/cases/azure/rules.yaml."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.azure.refusal import ArmError
from infra.azure.rules import RULES, check
from infra.azure.schema import UNKNOWN, Request
from infra.azure.subscription import Subscription
from infra.azure.values import read
from tests.infra.azure import casebook

TABLE = casebook.cases()
PUTS = [case for case in TABLE if "put" in case]


def name(case: dict[str, Any]) -> str:
    return f"{case['rule']}-{TABLE.index(case)}"


def side(case: dict[str, Any], which: str) -> Subscription:
    """The world of a case on one side: refused or accepted."""
    limits = casebook.Limits(case.get("limits", {}))
    options = {"limits": limits, "features": frozenset(case.get("features", ()))}
    taken = frozenset(case.get(f"{which}_taken", ()))
    extra = {**case.get("given", {}), **case.get(f"{which}_given", {})}
    world = casebook.subscription(extra, **options, taken=taken)
    gone = [casebook.bases()[base]["id"] for base in case.get("gone", ())]
    absent = case.get("absent", ()) if which == "refused" else ()
    for id in [*gone, *absent]:
        world.apply({"do": "remove", "id": id})
    for base in case.get("busy" if which == "refused" else "accepted_busy", {}):
        id, body = casebook.based(base, {})
        world._begin("PUT", id, body)
    return world


def wanted(case: dict[str, Any], which: str) -> Request:
    changes = {**case.get("both", {}), **case.get(which, {})}
    return casebook.request(case["put"], changes, case.get("at", case.get("id", "") if which == "refused" else ""))


def outcome(case: dict[str, Any], which: str) -> ArmError | None:
    world = side(case, which)
    if "put" in case:
        return world.refusal(wanted(case, which))
    named = case.get(f"{which}_remove", case.get("remove"))
    try:
        world.remove(named if named.startswith("/") else casebook.bases()[named]["id"])
    except ArmError as error:
        return error
    return None


@pytest.mark.parametrize("case", TABLE, ids=name)
def test_a_rule_refuses_with_azures_code(case: dict[str, Any]) -> None:
    error = outcome(case, "refused")
    assert error is not None
    assert (error.rule, error.code) == (case["rule"], case["error"])
    assert error.link == RULES[case["rule"]].link
    assert error.status >= 400


@pytest.mark.parametrize("case", TABLE, ids=name)
def test_what_azure_takes_is_taken_by_all_rules(case: dict[str, Any]) -> None:
    assert outcome(case, "accepted") is None


@pytest.mark.parametrize("base", [name for name in casebook.bases() if "like" not in casebook.bases()[name]])
def test_every_base_is_taken(base: str) -> None:
    assert casebook.subscription({}).refusal(casebook.request(base, {})) is None


def test_every_rule_has_a_case_a_sentence_and_a_link() -> None:
    assert set(RULES) == {case["rule"] for case in TABLE}
    for rule in RULES.values():
        assert rule.sentence.endswith(".")
        assert rule.link.startswith(("https://learn.microsoft.com/", "https://github.com/"))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything in a body, branches too."""
    here = [path] if path else []
    if isinstance(value, dict):
        return here + [found for key, item in value.items() for found in leaves(item, (*path, key))]
    if isinstance(value, list):
        return here + [found for place, item in enumerate(value) for found in leaves(item, (*path, place))]
    return here


def hidden(body: Any, path: tuple[Any, ...]) -> Any:
    """The body with one value not known yet."""
    if not path:
        return UNKNOWN
    if isinstance(body, dict):
        return {**body, path[0]: hidden(body[path[0]], path[1:])}
    return [*body[: path[0]], hidden(body[path[0]], path[1:]), *body[path[0] + 1 :]]


SHOWN = [(case, wanted(case, "accepted"), side(case, "accepted")) for case in PUTS]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_value_that_is_not_known_yet_never_refuses(data: st.DataObject) -> None:
    _, request, world = data.draw(st.sampled_from(SHOWN))
    if places := leaves(request.body):
        body = hidden(request.body, data.draw(st.sampled_from(places)))
        assert world.refusal(casebook.asked(request.id, body)) is None


def test_an_id_that_is_not_known_yet_refuses_nothing() -> None:
    request = Request("azure-native:test:Test", UNKNOWN, "Microsoft.KeyVault/vaults", "", "kv", None, {})  # type: ignore[arg-type]
    assert check(request, casebook.subscription({})) is None


def test_reading_a_value_knows_no_case() -> None:
    assert read({"properties": {"vmSize": "a"}}, "properties.VMSIZE") == "a"
