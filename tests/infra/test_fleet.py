"""A fleet file is read whole or refused whole, with every slip in it named and placed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from infra.fleet import FLEETS, Fleet, FleetError, NotInFleet, load_fleet, locate, names, read_fleet, schema
from infra.units import parse_duration
from infra.yamlfile.problem import Problem, SourceError
from infra.yamlfile.source import parse

DEMO = (FLEETS / "demo.yaml").read_text(encoding="utf-8")
ATLAS = (FLEETS / "atlas.yaml").read_text(encoding="utf-8")
ATLAS_AS_JSON = json.dumps(yaml.safe_load(ATLAS), default=str)
SLIPS = yaml.safe_load((Path(__file__).parent.parent / "cases" / "fleet" / "slips.yaml").read_text(encoding="utf-8"))


def edited(text: str, *edits: tuple[str, str]) -> str:
    """A fleet file with the first occurrence of each `old` replaced; an edit that changes nothing is a wrong test."""
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def problems(text: str) -> list[Problem]:
    """What is wrong with a fleet file."""
    try:
        read_fleet(parse("demo.yaml", text))
    except SourceError as error:
        return error.problems
    return []


def said(found: list[Problem]) -> list[str]:
    """The problems without their positions."""
    return [f"{problem.path}: {problem.message}" for problem in found]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["slip"]) for case in SLIPS])
def test_every_slip_is_named_and_nothing_else_is(case: dict[str, Any]) -> None:
    """A table of slips in demo.yaml and all that is said about each."""
    found = problems(edited(DEMO, *((edit["old"], edit["new"]) for edit in case["edits"])))
    assert said(found) == case["says"]


def test_a_problem_points_at_the_value_that_is_wrong() -> None:
    """Line and column are those of an editor."""
    (found,) = problems(edited(DEMO, ("threshold: 250ms", "threshold: 1.7s")))
    line = DEMO.split("\n")[found.mark.line - 1]
    assert line[found.mark.column - 1 :].startswith("250ms")
    assert str(found).startswith(
        f"demo.yaml:{found.mark.line}:{found.mark.column}: services[0].objectives[1].threshold: "
    )


def test_an_unknown_key_is_pointed_at_itself_and_not_its_value() -> None:
    """The position of an unknown key is the key's."""
    (found,) = problems(edited(DEMO, ("owner: platform team", "owner: platform team\nzone: 1")))
    assert (found.mark.column, found.path) == (1, "zone")


def test_a_missing_key_is_pointed_at_the_mapping_that_lacks_it() -> None:
    """A key that is not there has the position of what it should be in."""
    (found,) = problems(edited(DEMO, ("    replicas: 2\n", "")))
    assert DEMO.split("\n")[found.mark.line - 1][found.mark.column - 1 :].startswith("name: chat")


@pytest.mark.parametrize("name", names())
def test_the_fleets_that_ship_are_valid(name: str) -> None:
    """Both reference fleets load by name."""
    assert load_fleet(name).name == name


def test_atlas_is_the_fleet_it_is_said_to_be() -> None:
    """Six regions on three continents, H100 and A100 serving, H200 training with InfiniBand, a fallback."""
    atlas = load_fleet("atlas")
    serving = {pool.size.gpu for region in atlas.regions for pool in region.pools if pool.purpose == "serving"}
    training = [pool for region in atlas.regions for pool in region.pools if pool.purpose == "training"]
    assert [region.residency for region in atlas.regions] == ["us", "us", "eu", "eu", "apac", "apac"]
    assert serving == {"H100", "A100"}
    assert [(pool.size.gpu, pool.infiniband) for pool in training] == [("H200", True)]
    assert atlas.service("chat").fallback == "chat-mini"


def test_the_waves_are_those_of_the_policy_or_one_region_each() -> None:
    """A policy without waves rolls out one region after the other."""
    assert load_fleet("atlas").waves("chat")[0] == ("southeastasia",)
    bare = read_fleet(parse("f", edited(ATLAS, *[(_waves(), "")] * 4)))
    assert bare.waves("embed") == tuple((region.name,) for region in bare.regions)


def _waves() -> str:
    begin = ATLAS.index("      waves:")
    return ATLAS[begin : ATLAS.index("\n\n", begin) + 1]


ATLAS_SLIPS = {
    "failover leaves the group": (
        [("failover: [southcentralus]", "failover: [westeurope]")],
        ["regions[0].failover[0]: westeurope is in the residency group eu; traffic of us stays inside"],
    ),
    "address spaces overlap": (
        [("10.36.0.0/14", "10.32.0.0/12")],
        ["regions[2].address_space: 10.32.0.0/14 overlaps 10.32.0.0/12 of westeurope"],
    ),
    "a pool is there twice": (
        [("name: a100", "name: h100")],
        [
            "regions[0].pools[1].name: 'h100' is also the name of regions[0].pools[0]; names are unique",
            "services[0].fallback: chat-mini does not run in eastus2, where chat does",
            "services[1].rollout.waves: the service does not run in eastus2: there is no pool a100",
            "services[2].rollout.waves: the service does not run in eastus2: there is no pool a100",
            "services[3].rollout.waves: the service does not run in eastus2: there is no pool a100",
        ],
    ),
    "a wave forgets a region": (
        [("[southcentralus, westeurope]", "[westeurope]")],
        ["services[0].rollout.waves: no wave has southcentralus, where the service runs"],
    ),
    "an embedding is not pressed": (
        [
            (
                "        errors: {ratio: 2, floor: 0.2%}\n        queue: {ratio: 3}\n      alpha: 1%",
                "        queue: {ratio: 3}\n      load: {profile: code-context, rate: 20/s, for: 30s}\n      alpha: 1%",
            )
        ],
        ["services[2].rollout: a load stage is for services with task generate; leave load out"],
    ),
    "an embedding has no first token": (
        [("sli: api_latency, target: 99%, threshold: 100ms", "sli: ttft, target: 99%, threshold: 100ms")],
        ["services[2].objectives: ttft does not fit a service with task embed; use api_latency"],
    ),
}


@pytest.mark.parametrize("slip", ATLAS_SLIPS)
def test_rules_between_regions_hold(slip: str) -> None:
    """Slips that need more than one region."""
    edits, says = ATLAS_SLIPS[slip]
    assert said(problems(edited(ATLAS, *edits))) == says


def test_a_fleet_cannot_be_changed_after_it_was_read() -> None:
    """Frozen all the way down."""
    with pytest.raises(ValidationError, match="frozen"):
        load_fleet("demo").services[0].rollout.budget = 5  # type: ignore[misc]


def test_a_fleet_that_was_written_as_json_reads_as_the_same_fleet() -> None:
    """A dump keeps the units, so that it is itself a valid fleet file."""
    for name in names():
        fleet = load_fleet(name)
        assert Fleet.model_validate(fleet.model_dump(mode="json", by_alias=True)) == fleet


def test_names_that_are_not_there_are_answered_with_those_that_are() -> None:
    """service(), region() and load_profile() say what would be right."""
    atlas = load_fleet("atlas")
    for ask, message in (
        (lambda: atlas.service("chatt"), "the fleet atlas has no service 'chatt'; did you mean chat?"),
        (lambda: atlas.region("mars"), "the fleet atlas has no region 'mars'; known: "),
        (lambda: atlas.region(), "the fleet atlas has 6 regions; say which: eastus2, southcentralus, "),
        (lambda: atlas.load_profile("peak"), "the fleet atlas has no load profile 'peak'; known: "),
        (lambda: load_fleet("atlass"), "there is no fleet 'atlass'; did you mean atlas?"),
        (lambda: load_fleet(""), "there is no fleet ''; known: atlas, demo"),
    ):
        with pytest.raises(NotInFleet) as caught:
            ask()
        assert caught.value.what.startswith(message)


def test_the_only_region_needs_no_name() -> None:
    """demo has one region."""
    demo = load_fleet("demo")
    assert demo.region() == demo.region("eastus2")
    assert demo.load_profile("conversation").rate == 120


def test_a_slash_or_an_ending_makes_a_path() -> None:
    """Names are looked up among the shipped fleets, paths are not."""
    assert locate("demo") == FLEETS / "demo.yaml"
    assert locate("./demo") == Path("demo")
    assert locate("mine.yml") == Path("mine.yml")


def test_the_schema_writes_defaults_as_people_do_and_describes_every_key() -> None:
    """What an editor shows."""
    found = schema()
    assert found["$defs"]["Objective"]["properties"]["window"]["default"] == "30d"
    assert found["$defs"]["RolloutPolicy"]["properties"]["weights"]["default"] == ["1%", "5%", "10%", "25%", "50%"]
    assert found["$defs"]["OnCall"]["properties"]["people"]["description"]
    parts = [found, *found["$defs"].values()]
    assert not [
        (part.get("title"), key)
        for part in parts
        for key, value in part.get("properties", {}).items()
        if "description" not in value and "$ref" not in value
    ]


def _unreadable(where: Path) -> dict[str, Path]:
    """Files that are no fleet files, by what is wrong with them."""
    content = {
        "large": b"#" * 10_000_000,
        "latin": "name: d\u00e9mo".encode("latin-1"),
        "utf16": DEMO.encode("utf-16"),
        "nul": b"name: \0",
        "empty": b"",
        "bomb": b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "deep": b"[" * 100_000,
        "twice": (DEMO * 2).encode(),
        "bits": bytes(range(256)) * 100,
    }
    for name, text in content.items():
        (where / f"{name}.yaml").write_bytes(text)
    (where / "folder.yaml").mkdir()
    os.mkfifo(where / "pipe.yaml")
    (where / "loop.yaml").symlink_to(where / "loop.yaml")
    places = {name: where / f"{name}.yaml" for name in (*content, "folder", "pipe", "loop", "missing", "x" * 5000)}
    return {
        **places,
        "device": Path("/dev/zero"),
        "nowhere": where / "no" / "such" / "x.yaml",
        "zero": where / "a\0b.yaml",
    }


def test_whatever_the_file_is_it_is_refused_at_once_and_in_words(tmp_path: Path) -> None:
    """No file makes more than a second of work or anything but a FleetError."""
    for name, path in _unreadable(tmp_path).items():
        start = time.process_time()
        with pytest.raises(FleetError) as caught:
            load_fleet(path)
        assert caught.value.problems, name
        assert time.process_time() - start < 1, name


def test_a_missing_file_is_answered_with_those_beside_it(tmp_path: Path) -> None:
    """The person who mistyped sees what there is."""
    (tmp_path / "team.yaml").touch()
    with pytest.raises(FleetError, match=r"there is no such file; beside it are team\.yaml"):
        load_fleet(tmp_path / "tean.yaml")


words = st.sampled_from(
    ["name", "regions", "services", ":", "- ", "\n", "  ", "[", "]", "{", "}", "&a", "*a", "!t", "|", "NO"]
)
texts = st.one_of(st.text(), st.lists(words).map("".join))


@settings(max_examples=300, deadline=None)
@given(texts)
def test_no_text_whatever_raises_anything_but_a_fleet_error(text: str) -> None:
    """Random text, and random YAML."""
    assert problems(text)


plain: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def _places(data: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for key, value in items for found in ((*place, key), *_places(value, (*place, key)))]


@settings(max_examples=80, deadline=None)
@given(st.data(), plain)
def test_no_value_in_any_place_raises_anything_but_a_fleet_error(data: st.DataObject, value: Any) -> None:
    """atlas.yaml with one value replaced by anything."""
    fleet = json.loads(ATLAS_AS_JSON)
    *way, last = data.draw(st.sampled_from(_places(fleet)))
    inner = fleet
    for step in way:
        inner = inner[step]
    inner[last] = value
    problems(json.dumps(fleet, ensure_ascii=False))  # JSON is YAML


def test_demo_decides_within_its_deadline() -> None:
    """The numbers of the demo leave time to decide."""
    rollout = load_fleet("demo").service("chat").rollout
    assert rollout.deadline > rollout.warmup + len(rollout.weights) * rollout.block + rollout.bake
    assert rollout.deadline <= parse_duration("120s")


def test_a_service_finds_its_objective_and_what_it_may_spend() -> None:
    """By SLI; None where nothing is promised."""
    chat = load_fleet("demo").service("chat")
    availability = chat.objective("availability")
    assert availability is not None
    assert availability.budget == pytest.approx(0.01)
    assert chat.objective("quality") is None
