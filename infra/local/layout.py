"""The directory of a local region, and what its supervisor writes there for others, as typed values. Starts nothing.

lock             who supervises (pid, start time, host); region.json  addresses, written when all is healthy
starting.lock    held by an `up` or `down` in progress; status.json   what runs now; failure.json  why a start failed
weights.json     the wishes; accepted.json  the wishes that the supervisor took, so that tokens survive a restart
targets/ envoy/ prometheus/ alertmanager/ servers/ jobs/ logs/        configuration and data of the parts
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.errors import Unavailable
from infra.store import CorruptFile, read_json

API_VERSION = "bellwether/v1"
ANEW = "ops local down, then ops local up"  # both make the files of a region anew


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


Read = TypeVar("Read", bound=_Value)


class Owner(_Value):
    """A process, told apart from a later one with the same pid by its start time (seconds since 1970)."""

    pid: int
    started: float
    host: str = ""


class ServiceFacts(_Value):
    """Where a service answers."""

    url: str


class Facts(_Value):
    """region.json: a healthy region's addresses."""

    fleet: str
    region: str
    supervisor: Owner
    services: dict[str, ServiceFacts]
    envoy_admin: str
    prometheus: str
    alertmanager: str


class ReplicaStatus(_Value):
    """One model server."""

    name: str
    release: str
    port: int
    pid: int | None
    state: str
    restarts: int


class ArmStatus(_Value):
    """One arm of a service."""

    release: str | None
    replicas: tuple[ReplicaStatus, ...] = ()


class Share(_Value):
    """Percent of a service's traffic."""

    canary: float = 0.0
    baseline: float = 0.0
    stable: float = 100.0


class WeightStatus(_Value):
    """What was wished, and what Envoy says it does."""

    wished: Share = Share()
    applied: Share = Share()


class ServiceStatus(_Value):
    """One service: `problem` says what keeps the wish or the record from being carried out."""

    token: int | None = None
    expired: bool = False
    weights: WeightStatus = WeightStatus()
    arms: dict[str, ArmStatus] = Field(default_factory=dict)
    problem: str = ""


class ProcessStatus(_Value):
    """One process of the region that is not a model server's."""

    name: str
    pid: int | None
    state: str
    restarts: int


class Status(_Value):
    """status.json: what runs now."""

    services: dict[str, ServiceStatus] = Field(default_factory=dict)
    processes: tuple[ProcessStatus, ...] = ()
    problems: tuple[str, ...] = ()

    def names(self) -> dict[str, str]:
        """States of all processes by name."""
        return {process.name: process.state for process in self.everything()}

    def everything(self) -> tuple[ProcessStatus | ReplicaStatus, ...]:
        """All processes, model servers last."""
        arms = (arm for service in self.services.values() for arm in service.arms.values())
        return (*self.processes, *(replica for arm in arms for replica in arm.replicas))


class Failure(_Value):
    """failure.json: the process that kept a region from starting, the last lines it said, and what helps, if known."""

    process: str
    reason: str
    tail: tuple[str, ...] = ()
    next: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of a region's directory."""

    root: Path

    def file(self, name: str) -> Path:
        """A file at the top, such as `status.json`."""
        return self.root / name

    @property
    def weights(self) -> Path:
        return self.root / "weights.json"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def targets(self) -> Path:
        return self.root / "targets"

    @property
    def dynamic(self) -> Path:
        """The files that Envoy watches."""
        return self.root / "envoy" / "dynamic"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    def log(self, process: str) -> Path:
        return self.root / "logs" / f"{process}.log"

    def logs(self) -> list[str]:
        """Names of the processes that have a log."""
        return sorted(path.stem for path in (self.root / "logs").glob("*.log"))


def read_facts(layout: Layout) -> Facts | None:
    """region.json, or nothing while there is none."""
    return _read(layout.file("region.json"), Facts)


def read_status(layout: Layout) -> Status | None:
    """status.json, or nothing while there is none."""
    return _read(layout.file("status.json"), Status)


def read_failure(layout: Layout) -> Failure | None:
    """failure.json, or nothing."""
    return _read(layout.file("failure.json"), Failure)


def read_owner(path: Path) -> Owner | None:
    """Who wrote himself into a lock file; nothing in an empty or half-written one."""
    try:
        return _read(path, Owner)
    except Unavailable:
        return None


def _read(path: Path, kind: type[Read]) -> Read | None:
    try:
        data: Any = read_json(path)
        return None if data is None else kind.model_validate(data)
    except CorruptFile as error:
        raise CorruptFile(error.what, not_done=error.not_done, next=ANEW) from error
    except ValidationError as error:
        what = f"{path} is not what this version of us writes: {error.errors()[0]['msg']}"
        raise CorruptFile(what, not_done="nothing was changed", next=ANEW) from error
