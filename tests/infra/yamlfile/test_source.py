"""A YAML file becomes plain data with positions, or a list of everything that is wrong with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.yamlfile import dialect
from infra.yamlfile.dialect import resolve
from infra.yamlfile.problem import Mark, Problem, SourceError, show
from infra.yamlfile.source import parse, read

REFUSED: dict[str, tuple[str, list[str]]] = {
    "duplicate keys, at every depth": (
        "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n",
        [
            "f:4:3: b.c: this key is here twice, first at line 3, column 3; keep one",
            "f:5:1: a: this key is here twice, first at line 1, column 1; keep one",
        ],
    ),
    "anchors and aliases": (
        "a: &x [1]\nb: *x\nc:\n  - &y 1\n",
        [
            "f:1:4: a: an anchor ('x'); write the value out where it is needed",
            "f:2:4: b: an alias ('x'); write the value out",
            "f:4:5: c[0]: an anchor ('y'); write the value out where it is needed",
        ],
    ),
    "an alias that is a key": (
        "? *x\n: 1\n",
        ["f:1:3: a key must be plain text, not a list or mapping", "f:1:3: an alias ('x'); write the value out"],
    ),
    "tags": (
        "a: !!python/object/apply:os.system [x]\nb: !t 1\n",
        [
            "f:1:4: a: a tag ('tag:yaml.org,2002:python/object/apply:os.system'); write plain values",
            "f:2:4: b: a tag ('!t'); write plain values",
        ],
    ),
    "tabs in the indentation": (
        "a:\n\tb: 1\n  \tc: 2\n",
        [
            "f:2:1: a tab in the indentation; YAML wants spaces",
            "f:3:3: a tab in the indentation; YAML wants spaces",
        ],
    ),
    "a tab where a token should be": ("- a\n-\t- b\n", ["f:2:2: a tab; YAML wants spaces"]),
    "a byte order mark": ("\ufeffa: 1\n", ["f:1:1: starts with a byte order mark; save the file as UTF-8 without one"]),
    "a control character": ("a: 1\nb: \0\n", ["f:2:4: the character U+0000 does not belong in text"]),
    "two documents": ("a: 1\n---\nb: 2\n", ["f:2:1: a second document (---); a file holds one"]),
    "nothing": ("# nothing\n", ["f:1:1: the file is empty"]),
    "a list": ("- 1\n", ["f:1:1: the file must hold a mapping of keys to values"]),
    "a scalar": ("a\n", ["f:1:1: the file must hold a mapping of keys to values"]),
    "a key that is a mapping": ("? {a: 1}\n: 2\n", ["f:1:3: a key must be plain text, not a list or mapping"]),
    "a key that is missing": ("'': 1\n", ["f:1:1: a key is missing before ':'"]),
    "an open bracket": (
        "a: [1\nb: 2\n",
        ["f:2:2: not valid YAML: while parsing a flow sequence did not find expected ',' or ']'"],
    ),
    "a colon too many": ("a: b: c\n", ["f:1:5: not valid YAML: mapping values are not allowed in this context"]),
    "depth": ("a: " + "[" * 500, ["f:1:35: nested more than 32 levels deep"]),
    "a duplicate and then wrong syntax": (
        "a: 1\na: 2\nb: [\n",
        [
            "f:2:1: a: this key is here twice, first at line 1, column 1; keep one",
            "f:4:1: not valid YAML: while parsing a flow node did not find expected node content",
        ],
    ),
}


def refusals(text: str) -> list[str]:
    """What is said about a text."""
    with pytest.raises(SourceError) as caught:
        parse("f", text)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_outside_the_dialect_is_refused_with_all_its_positions(case: str) -> None:
    """A table of texts and all that is said about them."""
    text, says = REFUSED[case]
    assert refusals(text) == says


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("NO", "NO"), ("no", "no"), ("yes", "yes"), ("on", "on"), ("Y", "Y")),
        *(("true", True), ("True", True), ("false", False), ("FALSE", False)),
        *(("null", None), ("~", None), ("", None)),
        *(("12", 12), ("-3", -3), ("010", 10), ("0o7", "0o7"), ("0x1F", "0x1F"), ("1_000", "1_000")),
        *(("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), (".inf", ".inf"), (".nan", ".nan"), ("1e999", "1e999")),
        *(("9" * 5000, "9" * 5000), ("22:30", "22:30"), ("2026-11-02", "2026-11-02"), ("<<", "<<")),
    ],
)
def test_plain_scalars_are_what_yaml_1_2_says(text: str, value: Any) -> None:
    """No Norway problem, no sexagesimals, no dates, nothing infinite."""
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_quotes_make_text() -> None:
    """What is quoted is text."""
    assert parse("f", "a: '12'\nb: \"true\"\nc: |\n  5\n").data == {"a": "12", "b": "true", "c": "5\n"}


def test_every_value_and_key_has_its_position() -> None:
    """As an editor counts; a place that is not there has the position of what is around it."""
    source = parse("f", "a: 1\nb:\n  - c: [x, y]\n    d: 2\n")
    assert source.data == {"a": 1, "b": [{"c": ["x", "y"], "d": 2}]}
    assert source.mark(("b", 0, "c", 1)) == Mark(3, 12)
    assert source.mark(("b", 0)) == Mark(3, 5)
    assert source.key_mark(("b", 0, "d")) == Mark(4, 5)
    assert source.mark(("b", 0, "missing", "deeper")) == Mark(3, 5)
    assert source.key_mark(("nothing",)) == Mark(1, 1)


def test_without_libyaml_the_same_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser in Python, where PyYAML was built without the one in C, gives the same."""
    texts = ["a: 1\nb:\n  - c: [x, y]\n", "a: &x 1\nb: *x\na: 2\n"]
    fast = [dialect.compose("f", text) for text in texts]
    monkeypatch.setattr(dialect, "_LOADER", yaml.SafeLoader)
    slow = [dialect.compose("f", text) for text in texts]
    assert fast == slow


def test_only_so_many_problems_are_shown_and_the_rest_is_counted() -> None:
    """A file that is something else entirely does not fill the screen."""
    with pytest.raises(SourceError) as caught:
        parse("f", "a: 1\n" * 90)
    assert caught.value.what.splitlines()[-1] == "... and 39 more problems"


@pytest.mark.parametrize("text", ["a: 1\n" * 90_000, "\t\n" * 200_000, "a: [" + "1, " * 100_000 + "]", "- " * 90_000])
def test_reading_stops_where_it_is_clear_that_this_is_no_file_of_ours(text: str) -> None:
    """Neither problems nor values are collected without end."""
    assert len(refusals(text)) <= 1001


def test_long_things_are_shortened_in_messages() -> None:
    """A message is a line that can be read."""
    (problem,) = refusals("a: !" + "x" * 10_000 + " 1\n")
    assert len(problem) < 120
    assert len(show(("k" * 1000, 0))) < 70


def test_a_place_is_shown_as_people_write_it() -> None:
    """Dots, brackets, and quotes around what is no plain word."""
    assert show(("services", 0, "objectives", 1, "threshold")) == "services[0].objectives[1].threshold"
    assert show(("a b", "max-len")) == "'a b'.max-len"


def test_a_problem_without_a_path_is_shown_without_one() -> None:
    """file:line:column: message."""
    assert str(Problem("f", Mark(1, 2), "", "wrong")) == "f:1:2: wrong"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: 1\nb: \xff\n", ":2:4: the byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"#" * 500_001, ":1:1: 500,001 bytes; a file here may have 500,000"),
    ],
)
def test_a_file_is_refused_for_its_bytes(tmp_path: Path, content: bytes, says: str) -> None:
    """Before anything of it is parsed."""
    path = tmp_path / "f.yaml"
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        read(path)
    assert caught.value.what == f"{path}{says}"


def test_what_is_no_file_is_said_to_be_none(tmp_path: Path) -> None:
    """Directories, devices, and names that no file can have."""
    for path, says in (
        (tmp_path, "not a file but a directory"),
        (Path("/dev/null"), "not a file but a device or pipe"),
        (tmp_path / "x.yaml", "there is no such file"),
        (tmp_path / "no" / "x.yaml", "there is no such file; the directory"),
        (tmp_path / "a\0b", "cannot be read"),
        (tmp_path / ("x" * 5000), "cannot be read"),
    ):
        with pytest.raises(SourceError) as caught:
            read(path)
        assert says in caught.value.what
        caught.value.what.encode(sys.getdefaultencoding())


values: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abcxyz", min_size=1, max_size=5), inner, max_size=3)
    ),
)


@given(st.dictionaries(st.text("abcxyz", min_size=1), values))
def test_json_reads_as_itself(data: dict[str, Any]) -> None:
    """Every JSON mapping is in the dialect, and means what it meant."""
    text = json.dumps(data, ensure_ascii=False)
    if text.isprintable():
        assert parse("f", text).data == data


@given(st.text())
def test_no_text_raises_anything_but_a_source_error(text: str) -> None:
    """Whatever is in it."""
    try:
        parse("f", text)
    except SourceError as error:
        assert error.problems
