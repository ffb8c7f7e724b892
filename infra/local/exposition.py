"""The metrics of a simulated model server, under vLLM 0.33's names, labels and buckets (`vllm_metrics.json`).

What is counted is what vLLM counts, with these differences, which come from the simulation:
- inter-token latency is observed once per token, as vLLM does whatever its stream interval, but all tokens of one event
  get the event's time divided by their number;
- tokens per engine step follow from the batch size, since no step is simulated;
- a request whose client left counts as `abort` and, as in vLLM, in no latency. vLLM 0.33 forgets such a request
  before it is counted at all.
A request that ends in `error` enters every histogram, as in vLLM.

Counting touches plain numbers; prometheus_client only writes them down when asked. It knows no HTTP and no clock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import accumulate
from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from infra.local.generation import Finish, Finished
from infra.local.vllm_metrics import Spec, bounds, specs
from infra.simulate import Performance

CONTENT_TYPE = CONTENT_TYPE_LATEST
ENGINE = "0"
REJECTION = "max_num_queued_reqs"  # the reason under which the simulated refusals are counted


class Gauges(Protocol):
    """What is read from the engine at the moment of a scrape."""

    @property
    def running(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def kv_usage(self) -> float: ...


class Histogram:
    """Counts by bucket and a sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Count `value` as often as `times` says."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times


class Exposition(Collector):
    """Counts what one server does. It is the engine's Meter."""

    def __init__(self, model: str, performance: Performance) -> None:
        self._model, self._performance = model, performance
        self._gauges: Gauges | None = None
        self._counters: defaultdict[str, defaultdict[tuple[str, ...], float]] = defaultdict(lambda: defaultdict(float))
        self._histograms: dict[str, dict[tuple[str, ...], Histogram]] = {}
        self._summaries: defaultdict[str, dict[tuple[str, ...], tuple[int, float]]] = defaultdict(dict)
        self._step_share = 0.0
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._start_at_zero()
        self._ttft = self._histogram("vllm:time_to_first_token_seconds")
        self._itl = self._histogram("vllm:inter_token_latency_seconds")
        self._steps = self._histogram("vllm:iteration_tokens_total")
        self._generated = self._counters["vllm:generation_tokens_total"]

    def watch(self, gauges: Gauges) -> None:
        """Read the gauges from `gauges` from now on."""
        self._gauges = gauges

    def render(self) -> bytes:
        """The text of /metrics."""
        return generate_latest(self._registry)

    # -- what the engine reports --

    def looked_up(self, tokens: int, hits: int) -> None:
        """The prefix cache was asked."""
        self._add("vllm:prefix_cache_queries_total", tokens)
        self._add("vllm:prefix_cache_hits_total", hits)

    def prefilled(self, prompt: int, cached: int, generated: int, latency: float, running: int) -> None:
        """A prompt is computed and its first token is there: one step with that prompt and the rest of the batch."""
        self._add("vllm:prompt_tokens_total", prompt)
        self._add("vllm:prompt_tokens_cached_total", cached)
        self._add("vllm:generation_tokens_total", generated)
        self._ttft.observe(latency)
        self._steps.observe(prompt - cached + generated)

    def decoded(self, tokens: int, gap: float, running: int) -> None:
        """A sequence has grown. The batch shares its steps, so each sequence counts 1/running of them."""
        self._generated[self._engine] += tokens
        self._itl.observe(gap / tokens, tokens)
        self._step_share += tokens / running
        whole = int(self._step_share + 1e-9)
        if whole:
            self._steps.observe(running, whole)
            self._step_share -= whole

    def preempted(self) -> None:
        """A sequence lost its blocks."""
        self._add("vllm:num_preemptions_total", 1)

    def finished(self, finished: Finished) -> None:
        """A request is over."""
        self._counters["vllm:request_success_total"][*self._engine, finished.reason.value] += 1
        if finished.reason is not Finish.ABORT:
            for name, value in _observations(finished):
                self._histogram(name).observe(value)

    # -- what the HTTP server reports --

    def rejected(self) -> None:
        """A request was refused at admission."""
        self._counters["vllm:admission_rejections_total"][self._model, REJECTION] += 1

    def answered(self, method: str, status: int, handler: str, sizes: tuple[int, int], seconds: float) -> None:
        """A response ended; `sizes` are the announced lengths of request and response (a stream announces 0)."""
        self._counters["http_requests_total"][method, f"{status // 100}xx", handler] += 1
        for name, size in zip(("http_request_size_bytes", "http_response_size_bytes"), sizes, strict=True):
            count, total = self._summaries[name].get((handler,), (0, 0.0))
            self._summaries[name][(handler,)] = (count + 1, total + size)
        self._histogram("http_request_duration_highr_seconds", ()).observe(seconds)
        self._histogram("http_request_duration_seconds", (method, handler)).observe(seconds)

    # -- writing it down --

    def collect(self) -> Iterator[Metric]:
        """All families, for prometheus_client."""
        for spec in specs().values():
            match spec.type:
                case "counter":
                    yield self._counter_family(spec)
                case "histogram":
                    yield self._histogram_family(spec)
                case "summary":
                    yield self._summary_family(spec)
                case _:
                    yield self._gauge_family(spec)

    @property
    def _engine(self) -> tuple[str, str]:
        return self._model, ENGINE

    def _add(self, name: str, value: float) -> None:
        self._counters[name][self._engine] += value

    def _histogram(self, name: str, labels: tuple[str, ...] | None = None) -> Histogram:
        cells = self._histograms.setdefault(name, {})
        key = self._engine if labels is None else labels
        if key not in cells:
            cells[key] = Histogram(bounds(specs()[name], self._performance.max_model_len))
        return cells[key]

    def _start_at_zero(self) -> None:
        """Series that vLLM has from its start, so that the first event is a step and not a birth."""
        for spec in specs().values():
            engine = spec.labels[:2] == ("model_name", "engine")
            if spec.type == "histogram" and engine:
                self._histogram(spec.name)
            if spec.type == "counter" and spec.labels[:1] == ("model_name",):
                base = self._engine if engine else (self._model,)
                for extra in _label_values(spec):
                    self._counters[spec.name][*base, *extra] += 0

    def _counter_family(self, spec: Spec) -> Metric:
        family = CounterMetricFamily(spec.name, spec.help, labels=spec.labels)
        for labels, value in self._counters[spec.name].items():
            family.add_metric(labels, value)
        return family

    def _histogram_family(self, spec: Spec) -> Metric:
        family = HistogramMetricFamily(spec.name, spec.help, labels=spec.labels)
        for labels, cell in self._histograms.get(spec.name, {}).items():
            uppers = _uppers(cell.bounds)
            family.add_metric(labels, list(zip(uppers, accumulate(cell.counts), strict=True)), cell.total)
        return family

    def _summary_family(self, spec: Spec) -> Metric:
        family = SummaryMetricFamily(spec.name, spec.help, labels=spec.labels)
        for labels, (count, total) in self._summaries[spec.name].items():
            family.add_metric(labels, count, total)
        return family

    def _gauge_family(self, spec: Spec) -> Metric:
        if spec.name == "vllm:cache_config_info":
            return self._cache_config(spec)
        family = GaugeMetricFamily(spec.name, spec.help, labels=spec.labels)
        for extra, value in self._gauge_values(spec.name):
            family.add_metric((*self._engine, *extra), value)
        return family

    def _gauge_values(self, name: str) -> list[tuple[tuple[str, ...], float]]:
        if self._gauges is None:
            return []
        match name:
            case "vllm:num_requests_running":
                return [((), self._gauges.running)]
            case "vllm:num_requests_waiting":
                return [((), self._gauges.waiting)]
            case "vllm:num_requests_waiting_by_reason":
                return [(("capacity",), self._gauges.waiting), (("deferred",), 0)]
            case _:
                return [((), self._gauges.kv_usage)]

    def _cache_config(self, spec: Spec) -> Metric:
        """vLLM has every field of its CacheConfig as a label; these are the ones that the simulation has."""
        facts = {
            "block_size": str(self._performance.block_size),
            "enable_prefix_caching": "True",
            "engine": ENGINE,
            "num_gpu_blocks": str(self._performance.kv_blocks),
        }
        family = GaugeMetricFamily(spec.name, spec.help, labels=tuple(facts))
        family.add_metric(tuple(facts.values()), 1)
        return family


def _observations(finished: Finished) -> Iterable[tuple[str, float]]:
    """What a finished request adds to the histograms of requests."""
    later = finished.generated - 1  # the first token belongs to the prefill
    return (
        ("vllm:e2e_request_latency_seconds", finished.e2e),
        ("vllm:request_queue_time_seconds", finished.queue),
        ("vllm:request_prefill_time_seconds", finished.prefill),
        ("vllm:request_inference_time_seconds", finished.prefill + finished.decode),
        ("vllm:request_decode_time_seconds", finished.decode),
        ("vllm:request_time_per_output_token_seconds", finished.decode / later if later > 0 else 0.0),
        ("vllm:request_num_preemptions", finished.preemptions),
        ("vllm:request_prompt_tokens", finished.prompt_tokens),
        ("vllm:request_prefill_kv_computed_tokens", finished.prompt_tokens - finished.cached_tokens),
        ("vllm:request_generation_tokens", finished.generated),
        ("vllm:request_max_num_generation_tokens", finished.generated),
        ("vllm:request_params_n", 1),
        *((("vllm:request_params_max_tokens", finished.max_tokens),) if finished.max_tokens else ()),
    )


@cache
def _uppers(limits: tuple[float, ...]) -> tuple[str, ...]:
    return *(str(float(limit)) for limit in limits), "+Inf"


def _label_values(spec: Spec) -> list[tuple[str, ...]]:
    values = [spec.values[label] for label in spec.labels if label in spec.values]
    return [(value,) for value in values[0]] if values else [()]
