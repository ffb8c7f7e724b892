"""The exported metrics: vLLM's names and buckets, and numbers that count what happened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import infra.local.exposition as module
from infra.local.exposition import Exposition
from infra.local.generation import Finish, Finished
from infra.local.vllm_metrics import bounds, specs
from infra.simulate import Performance

DATA = json.loads(Path(module.__file__).with_name("vllm_metrics.json").read_text())
ENGINE = {"model_name": "m", "engine": "0"}


class Batch:
    """Gauges at rest."""

    running, waiting, kv_usage = 3, 2, 0.25


def exposition() -> Exposition:
    made = Exposition("m", Performance())
    made.watch(Batch())
    return made


def samples(made: Exposition) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(made.render().decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def value(made: Exposition, name: str, **labels: str) -> float:
    return samples(made)[name, frozenset(labels.items())]


def finished(reason: Finish, **more: float) -> Finished:
    times = {"e2e": 2.0, "queue": 0.5, "prefill": 0.1, "decode": 1.4} | more
    return Finished(reason, prompt_tokens=100, cached_tokens=32, generated=15, max_tokens=20, preemptions=1, **times)


def test_every_exported_family_is_in_the_table_with_its_type_and_labels() -> None:
    made = exposition()
    made.answered("POST", 200, "/v1/completions", (10, 20), 0.1)
    table = {entry["name"]: entry for entry in DATA["metrics"]}
    seen = set()
    for family in text_string_to_metric_families(made.render().decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        seen.add(name)
        assert family.type == table[name]["type"]
        for sample in family.samples:
            labels = set(sample.labels) - {"le"}
            assert labels == set(table[name]["labels"]) or name == "vllm:cache_config_info"
    assert seen == set(table)


def test_histograms_have_the_buckets_of_the_table() -> None:
    made = exposition()
    text = made.render().decode()
    for entry in DATA["metrics"]:
        if entry["type"] == "histogram" and isinstance(entry["buckets"], list) and entry["name"].startswith("vllm:"):
            uppers = [line.split('le="')[1].split('"')[0] for line in text.splitlines() if _bucket(line, entry["name"])]
            assert uppers == [*(str(float(bound)) for bound in entry["buckets"]), "+Inf"]


def _bucket(line: str, name: str) -> bool:
    return line.startswith(f"{name}_bucket{{")


@pytest.mark.parametrize(
    ("longest", "last"), [(1, 1), (9, 5), (100, 100), (4096, 2000), (32_768, 20_000), (128_000, 100_000)]
)
def test_token_buckets_are_a_1_2_5_series_up_to_the_context_length(longest: int, last: int) -> None:
    series = bounds(specs()["vllm:request_prompt_tokens"], longest)
    assert series[0] == 1
    assert series[-1] == last


def test_the_table_says_where_it_comes_from_and_its_licence() -> None:
    assert DATA["version"] == "vllm 0.33.0"
    assert "Apache-2.0" in DATA["licence"]
    assert all(entry["source"].endswith(".py") for entry in DATA["metrics"])


def test_every_finish_reason_is_there_from_the_start() -> None:
    made = exposition()
    reasons = {"stop", "length", "abort", "error", "repetition"}
    for reason in reasons:
        assert value(made, "vllm:request_success_total", **ENGINE, finished_reason=reason) == 0
    assert value(made, "vllm:admission_rejections_total", model_name="m", reason="max_num_queued_reqs") == 0


def test_there_are_no_created_series() -> None:
    assert b"_created" not in exposition().render()


def test_gauges_are_read_at_the_scrape() -> None:
    made = exposition()
    assert value(made, "vllm:num_requests_running", **ENGINE) == 3
    assert value(made, "vllm:num_requests_waiting", **ENGINE) == 2
    assert value(made, "vllm:num_requests_waiting_by_reason", **ENGINE, reason="capacity") == 2
    assert value(made, "vllm:kv_cache_usage_perc", **ENGINE) == 0.25


def test_a_prefill_counts_tokens_and_the_time_to_first_token() -> None:
    made = exposition()
    made.looked_up(100, 32)
    made.prefilled(100, 32, 1, 0.05, 1)
    assert value(made, "vllm:prompt_tokens_total", **ENGINE) == 100
    assert value(made, "vllm:prompt_tokens_cached_total", **ENGINE) == 32
    assert value(made, "vllm:prefix_cache_queries_total", **ENGINE) == 100
    assert value(made, "vllm:prefix_cache_hits_total", **ENGINE) == 32
    assert value(made, "vllm:generation_tokens_total", **ENGINE) == 1
    assert value(made, "vllm:time_to_first_token_seconds_sum", **ENGINE) == pytest.approx(0.05)
    assert value(made, "vllm:time_to_first_token_seconds_bucket", **ENGINE, le="0.06") == 1
    assert value(made, "vllm:time_to_first_token_seconds_bucket", **ENGINE, le="0.04") == 0


def test_inter_token_latency_is_counted_once_per_token_of_an_event() -> None:
    made = exposition()
    made.decoded(16, 0.32, 4)
    assert value(made, "vllm:inter_token_latency_seconds_count", **ENGINE) == 16
    assert value(made, "vllm:inter_token_latency_seconds_sum", **ENGINE) == pytest.approx(0.32)
    assert value(made, "vllm:inter_token_latency_seconds_bucket", **ENGINE, le="0.025") == 16


def test_steps_add_up_to_the_generated_tokens_of_the_batch() -> None:
    made = exposition()
    for _ in range(3):
        made.decoded(16, 0.32, 3)
    assert value(made, "vllm:iteration_tokens_total_count", **ENGINE) == 16
    assert value(made, "vllm:iteration_tokens_total_sum", **ENGINE) == 48


@pytest.mark.parametrize("reason", [Finish.STOP, Finish.LENGTH, Finish.ERROR])
def test_a_finished_request_enters_all_histograms_whatever_its_reason(reason: Finish) -> None:
    made = exposition()
    made.finished(finished(reason))
    assert value(made, "vllm:request_success_total", **ENGINE, finished_reason=reason.value) == 1
    assert value(made, "vllm:e2e_request_latency_seconds_sum", **ENGINE) == 2
    assert value(made, "vllm:request_queue_time_seconds_sum", **ENGINE) == 0.5
    assert value(made, "vllm:request_inference_time_seconds_sum", **ENGINE) == 1.5
    assert value(made, "vllm:request_time_per_output_token_seconds_sum", **ENGINE) == pytest.approx(0.1)
    assert value(made, "vllm:request_prefill_kv_computed_tokens_sum", **ENGINE) == 68
    assert value(made, "vllm:request_num_preemptions_bucket", **ENGINE, le="1.0") == 1
    assert value(made, "vllm:request_params_max_tokens_sum", **ENGINE) == 20


def test_an_aborted_request_is_counted_and_enters_no_latency() -> None:
    made = exposition()
    made.finished(finished(Finish.ABORT))
    assert value(made, "vllm:request_success_total", **ENGINE, finished_reason="abort") == 1
    assert value(made, "vllm:e2e_request_latency_seconds_count", **ENGINE) == 0


def test_preemptions_and_refusals_are_counted() -> None:
    made = exposition()
    made.preempted()
    made.rejected()
    assert value(made, "vllm:num_preemptions_total", **ENGINE) == 1
    assert value(made, "vllm:admission_rejections_total", model_name="m", reason="max_num_queued_reqs") == 1


def test_http_responses_are_counted_by_status_class() -> None:
    made = exposition()
    made.answered("POST", 503, "/v1/completions", (10, 20), 0.7)
    assert value(made, "http_requests_total", method="POST", status="5xx", handler="/v1/completions") == 1
    assert value(made, "http_request_size_bytes_sum", handler="/v1/completions") == 10
    assert value(made, "http_response_size_bytes_sum", handler="/v1/completions") == 20
    assert value(made, "http_request_duration_seconds_bucket", method="POST", handler="/v1/completions", le="1.0") == 1
    assert value(made, "http_request_duration_highr_seconds_bucket", le="0.5") == 0
