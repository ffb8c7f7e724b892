"""An order that cannot be carried out is refused, and one that can arrives whole at its worker."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from loadtests.order import Order

ORDER = Order(service="chat", model='odd "model"', url="http://127.0.0.1:80", rate=1.0)
CLOSED: dict[str, Any] = {"name": "closed", "closed": {"streams": 5}, "tokens": {"prompt": 5, "output": 5}}


WRONG: list[dict[str, Any]] = [
    {"rate": 0},
    {"rate": float("inf")},
    {"duration": 0},
    {"url": "ftp://x"},
    {"url": "http://x/v1"},
    {"url": "http://user:secret@x"},
    {"speed": 1},
    {"api": "images"},
    {"timeouts": {"gap": 0}},
    {"timeouts": {"read": 5}},
    {"retry": {"most": -1}},
    {"slo": {"ttft": 0}},
    {"share": {"index": 2, "of": 2}},
    {"credentials": ["sk-123"]},
    {"credentials": ["env:"]},
    {"credentials": ["keyvault:http://x.vault.azure.net/secrets/key"]},
    {"credentials": ["keyvault:https://x.vault.azure.net/keys/key"]},
    {"profile": {"name": "x"}},
    {"profile": CLOSED, "rate": 5},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_an_order_that_cannot_be_carried_out_is_refused(wrong: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(ValidationError):
        Order.model_validate({**ORDER.model_dump(mode="json"), **wrong})


def test_an_order_goes_to_a_worker_as_json() -> None:
    """And arrives as the same, with everything that a profile can say."""
    whole = {
        **ORDER.model_dump(mode="json"),
        "url": "https://models.example.com",
        "api": "completions",
        "profile": {
            "name": "x",
            "step": {"base": "10/s", "factor": "10x", "at": "30s", "for": "1m", "window": "10s"},
            "tokens": {"prompt": 512, "output": {"median": 100, "p95": 300}},
            "turns": {"count": 3, "pause": "1s"},
        },
        "credentials": ["env:KEY", "keyvault:https://x.vault.azure.net/secrets/load-key"],
        "loras": ["sql", "poems"],
        "timeouts": {"first_token": 2.5},
        "retry": {"most": 3, "respect_retry_after": False},
        "slo": {"ttft": 0.25, "e2e": 2.5},
        "share": {"index": 1, "of": 4},
    }
    order = Order.model_validate(whole)
    assert Order.model_validate_json(order.model_dump_json()) == order


def test_what_the_order_says_goes_before_the_profile() -> None:
    """Rate and longest answer; without them the profile stays as it is."""
    profile = {"name": "x", "trace": "code", "speed": "2x", "max_output": 64}
    plain = Order.model_validate({**ORDER.model_dump(mode="json"), "rate": None, "profile": profile})
    changed = plain.model_copy(update={"rate": 5.0, "max_output": 7})
    assert plain.load == plain.profile
    assert (changed.load.rate, changed.load.speed, changed.load.max_output) == (5.0, None, 7)


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_workers_share_the_streams_of_a_closed_loop(of: int) -> None:
    """As evenly as it goes, and all of them."""
    whole = {**ORDER.model_dump(mode="json"), "rate": None, "profile": CLOSED}
    shares = [Order.model_validate({**whole, "share": {"index": index, "of": of}}).streams for index in range(of)]
    assert sum(share or 0 for share in shares) == 5
    assert max(share or 0 for share in shares) - min(share or 0 for share in shares) <= 1
    assert ORDER.streams is None
