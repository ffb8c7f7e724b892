"""What Pulumi's engine says while it works -> steps of a plan, and what went wrong. Pure: reads events, starts nothing.

The events are those of `--event-log`: apitype/events.go of pulumi/pulumi, as JSON.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from infra.azure.values import read

PARTS_OF_A_REPLACE = frozenset({"create-replacement", "delete-replaced", "discard-replaced"})
"""Operations that the engine tells beside the `replace` that they are parts of."""
STACK = "pulumi:pulumi:Stack"
GUARD = re.compile(
    r'resource "(?P<urn>[^"]+)"(?: as part of replacing "(?P<cause>[^"]+)")?\s+'
    r"(?:as it is currently marked for protection|cannot be deleted\s+because it is protected)"
)
"""How the engine says that it may not replace or delete something."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on one resource: create, update, replace, delete, read, refresh, import or same."""

    op: str
    urn: str
    type: str
    name: str
    protected: bool = False
    changes: tuple[str, ...] = ()
    """Paths of the inputs that differ."""
    replaces: tuple[str, ...] = ()
    """Those of them that only a new resource can have."""
    values: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Path -> what it was and what it will be, or in a look at what is there: was found to be."""
    retained: bool = False
    """Whether it stays in Azure when it goes from the stack."""


Plan = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step, or with an empty urn the whole run, failed; status and code where Azure said them."""

    urn: str
    message: str
    status: int = 0
    code: str = ""

    @property
    def of_resource(self) -> bool:
        """Whether a resource failed, and not the program or the engine."""
        return bool(self.urn) and f"::{STACK}::" not in self.urn

    @property
    def guarded(self) -> str:
        """The urn of what may not be replaced or deleted, where that is why; else empty."""
        found = GUARD.search(self.message)
        return found["urn"] if found else ""

    @property
    def cause(self) -> str:
        """The urn of what can only be replaced together with the guarded one; empty where it is the guarded one."""
        found = GUARD.search(self.message)
        return (found["cause"] or "") if found else ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Something that happened to a resource while the engine works."""

    kind: Literal["started", "done", "failed"]
    step: Step


@dataclass
class Account:
    """All that an engine said in one run, in its order."""

    steps: list[Step] = field(default_factory=list)
    done: list[Step] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Operation -> how many, as the engine sums them up."""
    unmade: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """urn -> state of what was being created when that failed."""
    exports: tuple[str, ...] = ()
    """Outputs of the stack that change."""

    def hear(self, event: Mapping[str, Any]) -> Progress | None:
        """Take one event; what it means for a resource, if it does."""
        match event:
            case {"resourcePreEvent": {"metadata": metadata}} if _counts(metadata):
                return self._started(step(metadata))
            case {"resOutputsEvent": {"metadata": metadata}} if _counts(metadata):
                self.exports = _exports(metadata) or self.exports
                return self._done(step(metadata))
            case {"resOpFailedEvent": {"metadata": metadata}}:
                return self._failed(metadata)
            case {"diagnosticEvent": {"severity": severity, "message": message, **rest}}:
                self._said(severity, _plain(message), str(rest.get("urn", "")))
            case {"summaryEvent": {"resourceChanges": counts}}:
                self.counts = dict(counts or {})
        return None

    def _started(self, one: Step) -> Progress | None:
        if one.op in PARTS_OF_A_REPLACE:
            return Progress("started", one)
        self.steps.append(one)
        return Progress("started", one) if one.op != "same" else None

    def _done(self, one: Step) -> Progress | None:
        if one in self.done:  # the engine tells the stack itself twice
            return None
        self.done.append(one)
        return Progress("done", one) if one.op != "same" else None

    def _failed(self, metadata: Mapping[str, Any]) -> Progress:
        if metadata["op"] in ("create", "create-replacement"):
            self.unmade[metadata["urn"]] = metadata["new"]
        return Progress("failed", step(metadata))

    def _said(self, severity: str, message: str, urn: str) -> None:
        if severity == "error" and message and not message.startswith("update failed"):
            self.failures.append(failure(urn, message))
        elif severity == "warning" and not message.startswith("using pulumi-"):  # said of every plugin on PATH
            self.warnings.append(message)


def step(metadata: Mapping[str, Any]) -> Step:
    """The step that an event is about."""
    diff = metadata.get("detailedDiff") or {}
    states = [metadata.get("old") or {}, metadata.get("new") or {}]
    return Step(
        op=metadata["op"],
        urn=metadata["urn"],
        type=metadata["type"],
        name=metadata["urn"].rpartition("::")[2],
        protected=any(state.get("protect", False) for state in states),
        changes=tuple(sorted(diff)) or tuple(sorted(metadata.get("diffs") or ())),
        replaces=tuple(sorted(path for path, how in diff.items() if how["diffKind"].endswith("-replace"))),
        values={path: _values(path, *states) for path in diff},
        retained=bool(states[0].get("retainOnDelete")),
    )


def _values(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Any, Any]:
    """What the inputs have there, before and after."""
    return read(old.get("inputs"), path), read(new.get("inputs"), path)


def _exports(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Outputs of the stack that are others now."""
    if metadata["type"] != STACK or metadata["op"] not in ("same", "update"):
        return ()
    old, new = ((metadata.get(state) or {}).get("outputs") or {} for state in ("old", "new"))
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))


def failure(urn: str, message: str) -> Failure:
    """An error of the engine; of Azure's, status and code are read from its text."""
    status = re.search(r"Status=(\d{3})", message)
    code = re.search(r'Code="(\w+)"', message)
    return Failure(urn, message, int(status[1]) if status else 0, code[1] if code else "")


def tally(plan: Plan) -> Counter[str]:
    """Operation -> how many of a plan."""
    return Counter(one.op for one in plan)


def _counts(metadata: Mapping[str, Any]) -> bool:
    """Whether the engine counts an operation: not what it only reads, nor the providers that no program declared."""
    default = metadata["urn"].rpartition("::")[2].startswith("default")
    return metadata["op"] != "read" and not (default and metadata["type"].startswith("pulumi:providers:"))


def _plain(message: str) -> str:
    """A message without the marks that stand for colours."""
    return re.sub(r"<\{%.*?%\}>", "", message).strip()
