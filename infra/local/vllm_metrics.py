"""The vLLM 0.33 metrics that are exported, from `vllm_metrics.json`: names, types, labels, buckets. Counts nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Spec:
    """One metric as vLLM declares it; `bounds` are the finite bucket bounds, or the rule that makes them."""

    name: str
    type: str
    help: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...] | str
    values: dict[str, list[str]]


@cache
def specs() -> dict[str, Spec]:
    """The exported metrics by name."""
    data = json.loads(Path(__file__).with_name("vllm_metrics.json").read_text(encoding="utf-8"))
    return {entry["name"]: _spec(entry) for entry in data["metrics"]}


def _spec(entry: dict[str, object]) -> Spec:
    match entry:
        case {"name": str(name), "type": str(kind), "help": str(text), "labels": list(labels), **rest}:
            given, values = rest.get("buckets", ()), rest.get("label_values", {})
            assert isinstance(values, dict)
            limits = given if isinstance(given, str) else tuple(given) if isinstance(given, list) else ()
            return Spec(name, kind, text, tuple(labels), limits, values)
    raise ValueError(f"not a metric: {entry}")


def bounds(spec: Spec, max_model_len: int) -> tuple[float, ...]:
    """The finite bucket bounds of a histogram."""
    if not isinstance(spec.bounds, str):
        return spec.bounds
    decades = range(len(str(max_model_len)))  # "1-2-5 series up to max_model_len"
    return tuple(step * 10**decade for decade in decades for step in (1, 2, 5) if step * 10**decade <= max_model_len)
