"""What a rollout came to, and why, from its journal alone. Pure: events to values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cli.rollouts.evidence import NOTHING, Count, total
from cli.rollouts.state import State
from cli.rollouts.view import align, excluded, phase, readable, title
from runbooks.journal import Event


def cost(state: State) -> Count:
    """The canary's bad responses of all it answered, from the first judged weight to the last look."""
    return total(state.looks, "canary").get("errors", NOTHING)


def summary(state: State) -> dict[str, Any]:
    """One run as JSON values: who, what, result, reason, seconds, bad responses."""
    plan, spent = state.plan, cost(state)
    return {
        "run": plan.run,
        "service": plan.service,
        "region": plan.region,
        "from": plan.stable,
        "to": plan.canary,
        "kind": plan.kind,
        "phase": state.phase,
        "outcome": phase(state),
        "ended": state.ended,
        "weight": state.weight,
        "load": {"verdict": state.ruling.verdict, "reasons": list(state.ruling.reasons)} if state.ruling else None,
        "paused": state.paused_since is not None,
        "reason": state.reason,
        "started": datetime.fromtimestamp(state.started, UTC).isoformat().replace("+00:00", "Z"),
        "by": state.by,
        "seconds": round(state.last - state.started, 1),
        "badResponses": spent.bad,
        "responses": spent.total,
        "plan": plan.digest(),
    }


def decisions(events: Sequence[Event]) -> list[Event]:
    """The decisions and commands of a run, and what its load stage came to, in order."""
    return [event for event in events if event.kind in ("decision", "command", "end") or "ruling" in event.payload]


def grounds(event: Event) -> list[tuple[str, ...]]:
    """The evidence that a decision rested on, a row per signal: name, canary, baseline, e-value, bound."""
    evidence: dict[str, Any] = event.payload.get("evidence", {})
    return [_ground(name, evidence[name]) for name in evidence]


def _ground(name: str, one: dict[str, Any]) -> tuple[str, ...]:
    ratio = "any ratio" if one["ratio_bound"] is None else f"x{one['ratio_bound']:.3g}"
    return name, _share(*one["canary"]), _share(*one["baseline"]), readable(one["e_value"]), ratio


def _share(bad: int, count: int) -> str:
    return f"{bad}/{count} {bad / count:.1%}" if count else "0/0"


def in_words(event: Event) -> str:
    """A decision, command, end or ruling of the load stage as one sentence."""
    match event.kind:
        case "outcome":
            ruling = event.payload["ruling"]
            return f"the load on the canary: {ruling['verdict']}: {'; '.join(ruling['reasons'])}"
        case "command":
            return f"{event.actor} said {event.payload['command']}: {event.payload.get('reason') or 'no reason given'}"
        case "end":
            return f"{event.payload['result']}: {event.payload['reason']}"
        case _:
            return _decision(event.payload["decision"])


def _decision(decision: dict[str, Any]) -> str:
    match decision["kind"]:
        case "start":
            return "bring up the canary and its baseline slice"
        case "load":
            return f"press the canary, which has no users yet: attempt {decision['attempt']}"
        case "advance":
            return f"give the canary {decision['weight']:g} % of the traffic"
        case "bake":
            return "every gate is proven: give the canary all traffic and bake"
        case "promote":
            return f"promote: {decision['reason']}"
        case _:
            return f"roll back: {decision['reason']}"


def outcome(state: State, events: Sequence[Event], journal: str) -> list[str]:
    """What came of a run, in a few lines."""
    plan, spent = state.plan, cost(state)
    seconds = state.last - state.started
    lines = [
        f"{phase(state)}: {plan.service} in {plan.region} runs {state.release}",
        f"  why      {state.reason}",
    ]
    if state.phase == "promoted" and plan.kind == "canary":
        lines.append(f"  proof    {proof(state)}")
    if state.ruling and state.phase == "promoted":
        lines.append(f"  load     {state.ruling.verdict}: {state.ruling.why}")
    lines.append(f"  cost     {spent.bad} bad of {spent.total} canary responses in {seconds:.0f} s")
    return [*lines, *_slow(events), f"  journal  {journal}"]


def _slow(events: Sequence[Event]) -> list[str]:
    """What a latency that was blamed for a rollback cost, which no count of errors shows."""
    name, one = blamed(events)
    return [] if name in ("", "errors") else [f"           {one['canary'][0]} of {one['canary'][1]} with {name}"]


def blamed(events: Sequence[Event]) -> tuple[str, dict[str, Any]]:
    """The signal with the most evidence of harm in the decision to roll back on a failed verdict, and that evidence."""
    failed = [e for e in events if e.kind == "decision" and e.payload["verdict"] == "fail"]
    evidence: dict[str, Any] = failed[-1].payload["evidence"] if failed else {}
    name = max(evidence, key=lambda signal: evidence[signal]["e_value"], default="")
    return name, evidence.get(name, {})


def because(state: State) -> str:
    """Why it ended so: what a promotion proved, else the reason of the rollback."""
    return proof(state) if state.phase == "promoted" and state.plan.signals else state.reason


def proof(state: State) -> str:
    """The largest effects that a promotion did not exclude."""
    from cli.rollouts.judge import judge  # the mathematics takes half a second to import

    verdict = judge(state.plan, state.looks, state.origin if state.origin is not None else state.started)
    return excluded(verdict.evidence, state.plan.confidence)


def explanation(state: State, events: Sequence[Event], journal: str) -> list[str]:
    """Every decision of a run with the look and the evidence that it rested on."""
    lines = [
        title(state.plan),
        f"  run      {state.plan.run}, plan {state.plan.digest()[:12]}",
        f"  journal  {journal}",
        "",
    ]
    for event in decisions(events):
        lines.append(f"{event.at:%H:%M:%SZ}  line {event.seq}  {in_words(event)}")
        lines += [f"    {row}" for row in _because(event, events)]
    return lines


def _because(event: Event, events: Sequence[Event]) -> list[str]:
    rows = [row for row in grounds(event) if row[1:3] != ("0/0", "0/0")]
    if not rows:
        return []
    look = [one for one in events if one.kind == "look" and one.seq < event.seq][-1:]
    head = f"look of {datetime.fromtimestamp(look[0].payload['at'], UTC):%H:%M:%SZ}, " if look else ""
    said = f"{head}verdict {event.payload['verdict']}, e-value {readable(event.payload['e_value'])}"
    return [said, *align([("signal", "canary", "baseline", "e-value", "not excluded"), *rows])]
