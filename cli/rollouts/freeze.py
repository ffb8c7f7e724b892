"""Fleet policy + measured thresholds -> the frozen plan of a rollout. Pure: no clock, no network, no journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cli.rollouts.plan import Metric, Plan, Signal, Stage
from infra.load_profile import LoadProfile
from infra.policy import WATCHED_SLI, Tolerance
from infra.service import Service
from loadtests.search.criterion import criteria

QUANTILES = (0.5, 0.95, 0.99)  # of the stable arm's latency before the rollout: where exceedances are counted

UNASKED = Signal("errors", None, 1.0, None, gate=False)  # harm and the budget are counted in errors, asked for or not


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be rolled out, and under which name."""

    run: str
    fleet: str
    region: str
    stable: str
    canary: str


def watched(service: Service) -> tuple[Metric, ...]:
    """The latencies that a rollout of the service watches."""
    return tuple(metric for metric in service.rollout.tolerance if metric != "errors")


def freeze(
    change: Change,
    service: Service,
    thresholds: Mapping[Metric, Sequence[float]],
    profile: LoadProfile | None = None,
    traces: str = "",
) -> Plan:
    """The plan of `change`; `thresholds` are bucket bounds (seconds) at QUANTILES of the stable arm's latencies.

    `profile` is the one that the policy's load stage names, where it has a stage, and `traces` the fingerprint of its
    traces.
    """
    policy = service.rollout
    signals = [
        signal for metric in policy.tolerance for signal in _signals(service, metric, thresholds.get(metric, ()))
    ]
    if "errors" not in policy.tolerance:
        signals.insert(0, UNASKED)
    return Plan(
        run=change.run,
        fleet=change.fleet,
        region=change.region,
        service=service.name,
        stable=change.stable,
        canary=change.canary,
        assignment=policy.assignment,
        weights=policy.weights,
        budget=policy.budget,
        signals=tuple(signals),
        alpha=policy.alpha,
        confidence=policy.confidence,
        noise=policy.noise,
        look=policy.look,
        block=policy.block,
        warmup=policy.warmup,
        deadline=policy.deadline,
        bake=policy.bake,
        drain=policy.drain,
        expiry=policy.expiry,
        load=_stage(service, profile, traces),
    )


def undo(change: Change, service: Service) -> Plan:
    """The plan to go straight back to the release before: nothing is judged, the stable arm is rolled."""
    return replace(freeze(change, service, {}), kind="undo", weights=(), signals=(), budget=0, warmup=0.0, bake=0.0)


def _stage(service: Service, profile: LoadProfile | None, traces: str) -> Stage | None:
    wanted = service.rollout.load
    if wanted is None or profile is None:
        return None
    kept = profile.model_dump(mode="json", by_alias=True, exclude_none=True)
    slo = tuple(one.label for one in criteria((), service.objectives))
    return Stage(kept, wanted.rate, wanted.lasting, slo, traces)


def _signals(service: Service, metric: Metric, measured: Sequence[float]) -> list[Signal]:
    tolerance, objective = service.rollout.tolerance[metric], service.objective(WATCHED_SLI[metric])
    promised = objective.threshold if objective else None
    floor = _floor(tolerance, objective.target if objective else None)
    gate = Signal(metric, promised, tolerance.ratio, floor, gate=True)
    return [
        gate,
        *(Signal(metric, bound, tolerance.ratio, None, gate=False) for bound in measured if bound != promised),
    ]


def _floor(tolerance: Tolerance, target: float | None) -> float | None:
    if tolerance.floor is not None or target is None:
        return tolerance.floor
    return round(1.0 - target, 9)
