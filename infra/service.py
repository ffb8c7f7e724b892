"""A model that users call: what serves it, where, what it promises and how its releases are rolled out. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo
from pydantic import field_validator as check

from infra.objective import CALL, GENERATION, Objective, Task
from infra.policy import WATCHED_SLI, RolloutPolicy
from infra.units import Bytes, SomeRate, Tokens, format_rate
from infra.yamlfile.part import Line, Name, Part, Positive

CLIENT_SEES = ("availability", "ttft", "itl", "e2e")  # what a load can hold a release against

Version = Annotated[str, Field(min_length=1, max_length=40)]


class Limits(Part):
    """What one region accepts for a service; more is answered with HTTP 429 or 413."""

    rate: SomeRate = Field(description="Requests, all users together.")
    concurrency: Positive = Field(description="Requests at the same time.")
    context: Tokens = Field(description="Tokens of prompt and answer together.")
    output: Tokens | None = Field(None, description="Tokens of one answer.")
    body: Bytes = Field(1024**2, description="Size of a request.")


class Service(Part):
    """A service, the same in every region that has its pool."""

    name: Name = Field(description="How users, people and metrics call it.")
    task: Task = Field("generate", description="Whether it streams tokens, embeds text or classifies it.")
    model: Line = Field(description="Name of the model as users send it.")
    engine: Literal["vllm"] = Field("vllm", description="What serves it.")
    pool: str = Field(description="The pool it runs on; it runs in every region that has a pool of this name.")
    replicas: Positive = Field(description="Replicas in each region.")
    release: Version = Field(description="The first release; later the release of record says which.")
    fallback: str | None = Field(None, description="The service that answers when this one cannot.")
    load: str = Field(description="The load profile that stands for its users.")
    limits: Limits = Field(description="What a region accepts.")
    objectives: tuple[Objective, ...] = Field(min_length=1, description="What it promises.")
    rollout: RolloutPolicy = Field(description="How its releases are rolled out.")

    @check("objectives")
    @classmethod
    def _fit(cls, objectives: tuple[Objective, ...], info: ValidationInfo) -> tuple[Objective, ...]:
        task, seen = info.data.get("task"), set[tuple[str, str | None]]()
        for objective in objectives:
            if (key := (objective.sli, objective.geography)) in seen:
                raise ValueError(f"two objectives for {objective.label}; keep one")
            seen.add(key)
            if task and objective.sli in (GENERATION if task != "generate" else CALL):
                right = "ttft, itl or e2e" if task == "generate" else "api_latency"
                raise ValueError(f"{objective.sli} does not fit a service with task {task}; use {right}")
        return objectives

    @check("rollout")
    @classmethod
    def _watches_promises(cls, rollout: RolloutPolicy, info: ValidationInfo) -> RolloutPolicy:
        promised = {objective.sli for objective in info.data.get("objectives", ())}
        lost = [what for what in rollout.tolerance if promised and WATCHED_SLI[what] not in promised]
        if lost:
            need = ", ".join(WATCHED_SLI[what] for what in lost)
            raise ValueError(f"tolerance for {', '.join(lost)} needs an objective for {need}: it holds the threshold")
        return rollout

    @check("rollout")
    @classmethod
    def _can_be_pressed(cls, rollout: RolloutPolicy, info: ValidationInfo) -> RolloutPolicy:
        known = info.data
        if rollout.load is None or not {"task", "limits", "objectives"} <= known.keys():
            return rollout
        if known["task"] != "generate":
            raise ValueError("a load stage is for services with task generate; leave load out")
        if not any(objective.sli in CLIENT_SEES for objective in known["objectives"]):
            raise ValueError(f"a load stage needs an objective that a client sees: {', '.join(CLIENT_SEES)}")
        if rollout.load.rate > (most := known["limits"].rate):
            asked = format_rate(rollout.load.rate)
            raise ValueError(f"load.rate: {asked} is more than the service accepts; write at most {format_rate(most)}")
        return rollout

    def objective(self, sli: str) -> Objective | None:
        """The objective for an SLI, where there is one; the first of several geographies."""
        return next((objective for objective in self.objectives if objective.sli == sli), None)
