"""A release is a manifest with a digest; anything that changes in it is another release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.fleet import FLEETS, load_fleet, read_fleet
from infra.release import (
    RELEASES,
    Release,
    ReleaseError,
    UnknownRelease,
    diff,
    load_release,
    locate,
    read_release,
    services,
    unreleased,
    verify,
    versions,
)
from infra.yamlfile.source import parse, read

V2 = (RELEASES / "chat" / "v2.yaml").read_text(encoding="utf-8")
ALL = [(service, version) for service in services() for version in versions(service)]

SLIPS = {
    "a digest is short": (
        ("digest: sha256:", "digest: sha256:0"),
        "image.digest: 'sha256:0",
        "write a digest, sha256: and 64 hexadecimal digits",
    ),
    "a revision is a branch": (
        ("  revision: ", "  revision: main #"),
        "model.revision: 'main'",
        "write the full commit, 40 hexadecimal digits: a branch or tag can move",
    ),
    "a driver range is a number": (
        ('drivers: ">=550.54.15,<581"', "drivers: 550"),
        "drivers: 550 is a number",
        'write text, in quotes if it must be "550"',
    ),
    "a precision does not exist": (
        ("precision: fp8", "precision: fp9"),
        "precision: 'fp9' is not one of bf16, fp16, fp8, int8, int4",
        "did you mean fp8?",
    ),
    "an argument is a list": (
        ("max-num-seqs: 256", "max-num-seqs: [256]"),
        "engine.args.max-num-seqs: this is a list",
        "write text",
    ),
    "a fault is misspelt": (
        ("http_5xx: 0.5%", "http_500: 0.5%"),
        "simulate.faults.http_500: unknown key",
        "did you mean http_5xx?",
    ),
    "a simulated time has no unit": (
        ("decode: 3.1ms", "decode: 3.1"),
        "simulate.performance.decode: 3.1 has no unit",
        "write a duration such as 500ms, 5m, 30d",
    ),
    "it is a release of something else": (
        ("service: chat", "service: chat-mini"),
        "service: this is a release of 'chat-mini', not of chat",
        "not of chat",
    ),
}


def problems(text: str, service: str = "chat") -> list[str]:
    """What is wrong with a manifest, as people read it."""
    with pytest.raises(ReleaseError) as caught:
        read_release(parse("v2.yaml", text), service)
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


@pytest.mark.parametrize("slip", SLIPS)
def test_every_slip_is_named(slip: str) -> None:
    """One problem, that says what and what would be right."""
    (old, new), begins, ends = SLIPS[slip]
    assert old in V2
    (problem,) = problems(V2.replace(old, new, 1))
    assert problem.startswith(begins)
    assert problem.endswith(ends)


@pytest.mark.parametrize(("service", "version"), ALL)
def test_the_releases_that_ship_are_verified(service: str, version: str) -> None:
    """Valid, named for their version, with evidence."""
    release = load_release(service, version)
    assert verify(read(locate(service, version)), release) == []
    assert (release.service, release.version) == (service, version)


def test_the_demo_has_a_good_release_and_two_bad_ones() -> None:
    """v2 is faster than v1, v3 breaks streams off, v4 is slow for some; all fail as often otherwise."""
    v1, v2, v3, v4 = (load_release("chat", version).simulate for version in ("v1", "v2", "v3", "v4"))
    assert v1 and v2 and v3 and v4
    assert v2.performance.decode == pytest.approx(v1.performance.decode * 0.775)
    assert v2.performance == v3.performance == v4.performance
    assert {each.faults.http_5xx for each in (v1, v2, v3, v4)} == {0.005}
    assert v3.faults.stream_error == 0.03
    assert v4.faults.slow is not None
    assert (v4.faults.slow.share, v4.faults.slow.factor) == (0.1, 4)


def test_the_digest_is_that_of_the_content_and_not_of_the_layout() -> None:
    """Comments, order and quotes do not matter; every digest is another one."""
    again = yaml.safe_dump(yaml.safe_load(V2), sort_keys=True)
    assert read_release(parse("v2.yaml", again)).digest() == load_release("chat", "v2").digest()
    assert len({load_release(*each).digest() for each in ALL}) == len(ALL)


def test_a_default_that_is_written_out_does_not_change_the_digest() -> None:
    """So that a field that is added later changes no old digest."""
    written = V2.replace("precision: fp8", "precision: fp8\nlora: []")
    assert read_release(parse("v2.yaml", written)).digest() == load_release("chat", "v2").digest()


@given(st.sampled_from(["summary", "precision", "drivers"]), st.sampled_from(["bf16", "fp16", ">=1", ">=2,<3"]))
def test_whatever_changes_is_another_release(field: str, value: str) -> None:
    """Any field gives another digest and shows up in the difference."""
    data: dict[str, Any] = {**yaml.safe_load(V2), field: value}
    try:
        changed = Release.model_validate(data)
    except ValueError:
        return
    old = load_release("chat", "v2")
    assert changed.digest() != old.digest()
    assert [name for name, _, _ in diff(old, changed)] == [field]


def test_the_difference_is_field_by_field() -> None:
    """With None where one of them has nothing."""
    changes = {field: (old, new) for field, old, new in diff(load_release("chat", "v2"), load_release("chat", "v4"))}
    assert changes["version"] == ("v2", "v4")
    assert changes["engine.args.num-speculative-tokens"] == (None, 4)
    assert diff(load_release("chat", "v2"), load_release("chat", "v2")) == []


def test_a_release_without_evidence_or_below_it_does_not_verify() -> None:
    """verify says where the evidence is missing, too weak, or the file misnamed."""
    begin, end = V2.index("evaluation:"), V2.index("# Only the local")
    for text, file, says in (
        (V2[:begin] + V2[end:], "v2.yaml", ["there is no evidence; add at least one evaluation"]),
        (V2.replace("score: 92.2%", "score: 82.2%"), "v2.yaml", ["helpfulness-500 reached 82.2%, 90.0% was asked for"]),
        (V2, "v9.yaml", ["the file is named 'v9.yaml'; a release is named for its version"]),
    ):
        source = parse(file, text)
        assert [problem.message for problem in verify(source, read_release(source))] == says


def test_versions_are_in_the_order_people_count(tmp_path: Path) -> None:
    """v10 comes after v9; a service without releases has none."""
    (tmp_path / "chat").mkdir()
    for version in ("v10", "v9", "v1", "2026-11-02", "v1.10", "v1.9"):
        (tmp_path / "chat" / f"{version}.yaml").touch()
    assert versions("chat", where=tmp_path) == ["2026-11-02", "v1", "v1.9", "v1.10", "v9", "v10"]
    assert versions("mail", where=tmp_path) == []


def test_a_release_that_is_not_there_is_answered_with_those_that_are() -> None:
    """By version and by path."""
    with pytest.raises(UnknownRelease, match="there is no release 'v22' of chat; did you mean v2"):
        load_release("chat", "v22")
    with pytest.raises(UnknownRelease, match="there are no releases of 'mail'; known: chat"):
        load_release("mail", "v1")
    with pytest.raises(ReleaseError, match=r"there is no such file; beside it are v1\.yaml, v2\.yaml"):
        load_release("chat", str(RELEASES / "chat" / "v22.yaml"))


def test_a_release_can_be_given_as_a_file(tmp_path: Path) -> None:
    """A path is a path, for the service it is of."""
    path = tmp_path / "v2.yaml"
    path.write_text(V2, encoding="utf-8")
    assert load_release("chat", str(path)) == load_release("chat", "v2")
    with pytest.raises(ReleaseError, match="this is a release of 'chat', not of embed"):
        load_release("embed", str(path))


def test_the_first_releases_of_both_fleets_are_there() -> None:
    """What a fleet file names exists and is valid."""
    for name in ("demo", "atlas"):
        assert unreleased(load_fleet(name), read(FLEETS / f"{name}.yaml")) == []


def test_a_first_release_that_is_missing_or_broken_is_placed_in_its_file(tmp_path: Path) -> None:
    """The fleet file where the version is wrong, the manifest where its content is."""
    for service, text in (("chat", V2.replace("fp8\n", "fp9\n")), ("chat-mini", "")):
        (tmp_path / service).mkdir()
        (tmp_path / service / "v1.yaml").write_text(text, encoding="utf-8")
    text = (FLEETS / "demo.yaml").read_text(encoding="utf-8").replace("release: v1\n    load", "release: v7\n    load")
    source = parse("demo.yaml", text)
    found = [str(problem) for problem in unreleased(read_fleet(source), source, where=tmp_path)]
    assert found[0].startswith(f"{tmp_path}/chat/v1.yaml:")
    assert found[1].endswith("services[1].release: there is no release 'v7' of chat-mini; known: v1")


@given(st.text())
def test_no_text_raises_anything_but_a_source_error(text: str) -> None:
    """Random manifests."""
    assert problems_or_none(text)


def problems_or_none(text: str) -> bool:
    """Whether a text is refused in words."""
    from infra.yamlfile.problem import SourceError

    try:
        read_release(parse("x.yaml", text), "chat")
    except SourceError as error:
        return bool(error.problems)
    return False
