"""What the gateway of a service refuses, as Envoy's configuration: too often, too many at once, too large. Pure.

Who is refused gets 429 (or 413) from the gateway itself, in the form of OpenAI's errors, and no replica hears of it
(but of the beginning of a body whose length was not announced). A rollout counts no 429 for or against any arm.
"""

from __future__ import annotations

from math import ceil
from typing import Any, Literal

from infra.local.routing import RATE_FILTER, TYPE
from infra.service import Limits

BODY_FILTER = "envoy.filters.http.body_size_limit"
MANY = 100_000  # connections and waiting requests: Envoy's default of 1,024 would hide the engine's own queue
BURST = 1.0  # s: that much of its rate a service takes at once, and so no more than its rate over any longer time
ALL = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
FULL = "UO"  # the response flag of an upstream overflow: the breaker is open
KIND = "rate_limit_exceeded"


def filters(service: str, limits: Limits) -> list[dict[str, Any]]:
    """The HTTP filters before the router: both stream, so a request that is let through waits for nothing."""
    return [
        {"name": RATE_FILTER, "typed_config": _rate(service, limits.rate)},
        {"name": BODY_FILTER, "typed_config": _body(limits.body)},
    ]


def breakers(limits: Limits) -> dict[str, Any]:
    """Of one cluster, and so of one arm: Envoy counts open requests nowhere else.

    Each arm may have all that the service accepts. What an arm that hangs collects is so bounded too.
    """
    most = {"max_connections": MANY, "max_pending_requests": MANY, "max_requests": limits.concurrency}
    return {"thresholds": [most]}


def replies(limits: Limits) -> dict[str, Any]:
    """What Envoy says where it answers itself, by the first that fits; a full arm would else be 503, as a broken one.

    What replicas answer is not touched. The rate has no flag yet when this is asked, but it is the only 429 besides.
    """
    wait = max(1, ceil(1 / limits.rate))  # until the next token is there; the header knows whole seconds only
    rate = f"The service takes {limits.rate:g} requests a second, and there were more."
    full = f"The service answers {limits.concurrency} requests at a time, and has as many."
    return {
        "mappers": [
            _reply(_flag(FULL), 429, full, KIND, _retry_after(1)),
            _reply(status("EQ", 429), 429, rate, KIND, _retry_after(wait)),
            _reply(status("EQ", 413), 413, f"A request has at most {limits.body} bytes.", "invalid_request_error"),
        ]
    }


def status(op: Literal["EQ", "LE"], code: int) -> dict[str, Any]:
    """Envoy's filter for answers by their status."""
    value = {"default_value": code, "runtime_key": f"ops.status.{code}"}
    return {"status_code_filter": {"comparison": {"op": op, "value": value}}}


def _rate(service: str, rate: float) -> dict[str, Any]:
    """A bucket that fills steadily: Envoy adds parts of tokens as time goes by, not all of them at each interval."""
    tokens = ceil(rate * BURST)
    return {
        "@type": f"{TYPE}/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": service,
        "token_bucket": {"max_tokens": tokens, "tokens_per_fill": tokens, "fill_interval": f"{tokens / rate:.9f}s"},
        "filter_enabled": ALL,
        "filter_enforced": ALL,
    }


def _body(most: int) -> dict[str, Any]:
    return {
        "@type": f"{TYPE}/envoy.extensions.filters.http.body_size_limit.v3.BodySizeLimit",
        "max_request_bytes": str(most),  # 64-bit numbers are text in protobuf's JSON
    }


def _reply(when: dict[str, Any], status: int, says: str, kind: str, *headers: dict[str, Any]) -> dict[str, Any]:
    error = {"message": says, "type": kind, "param": None, "code": status}
    return {
        "filter": when,
        "status_code": status,
        "headers_to_add": list(headers),
        "body_format_override": {"json_format": {"error": error}},
    }


def _retry_after(seconds: int) -> dict[str, Any]:
    return {"header": {"key": "retry-after", "value": str(seconds)}}


def _flag(flag: str) -> dict[str, Any]:
    return {"response_flag_filter": {"flags": [flag]}}
