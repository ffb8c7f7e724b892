"""Wishes: what can be meant, what a file holds, and who may write."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.wish import StaleToken, Wish, WishError, parse, read_wishes, render, write_wish, write_zero
from infra.store import CorruptFile

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
percents = st.integers(0, 5_000).map(lambda points: points / 100)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))
wishes = st.builds(Wish, st.just("chat"), st.just("v2"), percents, percents, st.integers(0, 2**40), st.none() | moments)


@given(wishes)
def test_a_wish_is_read_back_as_it_was_written(wish: Wish) -> None:
    """Through JSON text, expiry and hundredths of a percent included."""
    assert parse(json.loads(json.dumps(render({"chat": wish})))) == {"chat": wish}


@pytest.mark.parametrize(
    ("canary", "baseline"), [(0, 0), (0.01, 0.01), (0.05, 0.05), (50, 50), (25, 25.01), (100, 0), (0, 50)]
)
def test_weights_that_can_be_meant(canary: float, baseline: float) -> None:
    """Up to 50 % with a baseline, or 100 % without one."""
    assert Wish("chat", "v2", canary, baseline, 1).canary == canary


@pytest.mark.parametrize(
    ("canary", "baseline"),
    [(-1, 0), (50.01, 0), (100, 1), (100, 100), (99, 0), (0.005, 0), (float("nan"), 0), (float("inf"), 0), (True, 0)],
)
def test_weights_that_cannot_be_meant(canary: float, baseline: float) -> None:
    """Each is refused with the service's name."""
    with pytest.raises(WishError, match="chat"):
        Wish("chat", "v2", canary, baseline, 1)


@pytest.mark.parametrize(
    "wish",
    [
        lambda: Wish("chat", None, 10, 10, 1),
        lambda: Wish("chat", "v2", 10, 10, -1),
        lambda: Wish("chat", "v2", 10, 10, 1.5),  # type: ignore[arg-type]
        lambda: Wish("chat", "v2", 10, 10, 1, datetime(2026, 1, 1)),
        lambda: parse([]),
        lambda: parse({"chat": 3}),
        lambda: parse({"chat": {"release": "v2"}}),
        lambda: parse({"chat": {"release": 2, "canary": 0, "baseline": 0, "token": 1}}),
        lambda: parse({"chat": {"release": "v2", "canary": 0, "baseline": 0, "token": 1, "expires": "soon"}}),
        lambda: parse({"chat": {"release": "v2", "canary": "9", "baseline": 0, "token": 1}}),
    ],
)
def test_other_wishes_that_cannot_be_meant(wish: object) -> None:
    """A weight without a release, a wrong token, a time without a zone, a file of another shape."""
    with pytest.raises(WishError):
        wish()  # type: ignore[operator]


def test_an_older_token_is_refused_and_both_are_named(tmp_path: Path) -> None:
    """The file stays as it is; an equal token is its writer's next step."""
    path = tmp_path / "weights.json"
    write_wish(path, Wish("chat", "v2", 10, 10, 7))
    write_wish(path, Wish("chat-mini", "v9", 1, 1, 1))
    with pytest.raises(StaleToken, match=r"token 6 .* token 7"):
        write_wish(path, Wish("chat", "v2", 50, 50, 6))
    write_wish(path, Wish("chat", "v2", 20, 20, 7))
    assert read_wishes(path)["chat"].canary == 20 and read_wishes(path)["chat-mini"].token == 1


def test_writers_at_once_end_with_the_newest_token(tmp_path: Path) -> None:
    """Whatever the order in which they come."""
    path = tmp_path / "weights.json"

    def write(token: int) -> None:
        try:
            write_wish(path, Wish("chat", "v2", token, token, token))
        except StaleToken:
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, [3, 9, 1, 40, 7, 22, 39, 5] * 4))
    assert read_wishes(path)["chat"].token == 40


def test_a_torn_file_is_an_error_and_no_file_is_no_wish(tmp_path: Path) -> None:
    """Unknown is not zero."""
    assert read_wishes(tmp_path / "weights.json") == {}
    (tmp_path / "weights.json").write_text('{"chat": {')
    with pytest.raises(CorruptFile):
        read_wishes(tmp_path / "weights.json")


def test_a_wish_expires_at_its_moment() -> None:
    """Not before; and one without an expiry never."""
    wish = Wish("chat", "v2", 10, 10, 1, NOW)
    assert wish.expired(NOW) and not wish.expired(NOW - timedelta(milliseconds=1))
    assert not Wish("chat", "v2", 10, 10, 1).expired(NOW)


@pytest.mark.parametrize(
    ("there", "left"),
    [
        (None, None),
        (Wish("chat", None, 0, 0, 12), Wish("chat", None, 0, 0, 12)),
        (Wish("chat", "v2", 25, 25, 12, NOW), Wish("chat", "v2", 0, 0, 14, NOW + timedelta(seconds=60))),
    ],
    ids=["nothing", "slices that are to go", "a canary"],
)
def test_zero_is_for_the_canary_that_is_wished_now(tmp_path: Path, there: Wish | None, left: Wish | None) -> None:
    """Slices that were retired meanwhile are not called back."""
    path = tmp_path / "weights.json"
    if there is not None:
        write_wish(path, there)
    assert write_zero(path, "chat", 14, NOW + timedelta(seconds=60)) is (there != left)
    assert read_wishes(path).get("chat") == left


def test_zero_with_an_older_token_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    write_wish(path, Wish("chat", "v2", 25, 25, 12, NOW))
    with pytest.raises(StaleToken):
        write_zero(path, "chat", 11, NOW)
    assert read_wishes(path)["chat"].canary == 25
