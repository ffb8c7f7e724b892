"""One fault in the middle of an `up`, and what it takes until all is as if there had been none. For tests and numbers.

It is met as `ops fleet up` meets it: what trying again mends is settled first, everything else is only run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from cli.adapters.pulumi_engine import REAL, PulumiEngine
from cli.provision.failure import AGAIN
from infra.azure.emulation import Emulation
from infra.azure.faults import Fault, Kind
from infra.azure.ledger import Ledger
from infra.blueprint.stack import Stack
from infra.engine.deploy import Engine
from infra.fleet import Fleet

RERUNS = 2  # of the same command, at most
Bodies = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """One fleet, its engine, and the emulated subscription that it works on."""

    fleet: Fleet
    file: Path
    emulation: Emulation
    engine: Engine

    @property
    def command(self) -> PulumiEngine:
        """The engine as the commands of `ops fleet` use it."""
        kept = self.emulation.directory / "kept"
        return PulumiEngine(self.engine, self.fleet, self.file, lambda id, _: self.there().get(id), kept)

    def there(self) -> Bodies:
        """id -> body of all that is in the subscription."""
        with Ledger(self.emulation.settings.ledger).session() as subscription:
            return dict(subscription.resources())

    def calls(self) -> int:
        """How many calls have changed something, or tried to."""
        with Ledger(self.emulation.settings.ledger).session() as subscription:
            return subscription.calls

    def met(self) -> frozenset[str]:
        """Keys of the faults that a call has met."""
        with Ledger(self.emulation.settings.ledger).session() as subscription:
            return subscription.met

    def held(self, stack: Stack) -> list[dict[str, Any]]:
        """What the state of a stack holds of Azure and of clusters."""
        return _real(self.engine.export(stack)["deployment"])


@dataclass(frozen=True, slots=True)
class Found:
    """What came of the faults of one run; `met` are those that a call met."""

    faults: tuple[str, ...]
    met: tuple[str, ...]
    ok: bool
    reruns: int
    orphans: tuple[str, ...] = ()
    """In the subscription and in no state."""
    lost: tuple[str, ...] = ()
    """In a state and not in the subscription."""
    duplicates: tuple[str, ...] = ()
    """Twice in the states, or in the subscription and not after a run without a fault."""
    different: tuple[str, ...] = ()
    """Missing, or with another body than after a run without a fault."""
    pending: int = 0
    said: str = ""

    @property
    def converged(self) -> bool:
        """Whether all is as if there had been no fault."""
        return self.ok and not (self.orphans or self.lost or self.duplicates or self.different or self.pending)


def drawn(seed: int, number: int, first: int, last: int) -> Fault:
    """The fault of a number, at one of the calls from first to last."""
    random = Random(f"{seed}/{number}")
    return Fault(random.choice(list(Kind)), at=random.randint(first, last))


def suffer(place: Place, stacks: Sequence[Stack], faults: Sequence[Fault], expected: Mapping[str, Any]) -> Found:
    """Bring the last of the stacks up with faults on the way. `expected`: all that is there without one."""
    stack, engine = stacks[-1], place.command
    place.emulation.break_with(faults)
    outcome = engine.up(stack, lambda _: None, past_failures=True)
    said, reruns = [one.message for one in outcome.failed], 0
    while not outcome.ok and reruns < RERUNS:
        if {one.kind for one in outcome.failed} <= AGAIN:
            engine.settle(stack)
        outcome, reruns = engine.up(stack, lambda _: None, past_failures=True), reruns + 1
        said += [one.message for one in outcome.failed]
    met, states = place.met(), [place.engine.export(each)["deployment"] for each in stacks]
    there, ids = place.there(), Counter(one["id"] for state in states for one in _real(state))
    return Found(
        faults=tuple(fault.key for fault in faults),
        met=tuple(fault.key for fault in faults if fault.key in met),
        ok=outcome.ok,
        reruns=reruns,
        orphans=tuple(sorted(there.keys() - ids.keys())),
        lost=tuple(sorted(ids.keys() - there.keys())),
        duplicates=tuple(sorted({id for id, count in ids.items() if count > 1} | (there.keys() - expected.keys()))),
        different=tuple(id for id in expected if there.get(id) != expected[id]),
        pending=sum(len(state.get("pending_operations") or []) for state in states),
        said="\n".join(said),
    )


def _real(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = state.get("resources") or []
    return [one for one in found if one["type"].startswith(REAL) and not one.get("external")]
