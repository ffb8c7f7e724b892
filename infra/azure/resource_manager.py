"""Azure Resource Manager, emulated: calls that change the subscription in the ledger, take time, and can fail.

Long operations wait between their begin and their end without holding the ledger, so that overlaps are real.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from infra import store
from infra.azure import faults
from infra.azure.cluster import object_key
from infra.azure.faults import Fault, Kind
from infra.azure.kubeconfig import CLUSTER, cluster_at
from infra.azure.ledger import Ledger
from infra.azure.refusal import ArmError, Unfinished
from infra.azure.resource_id import type_of
from infra.azure.schema import Request
from infra.azure.settings import Settings
from infra.azure.subscription import Subscription
from infra.azure.world import Limits

LONG = frozenset({CLUSTER.lower(), f"{CLUSTER}/agentPools".lower()})
"""Types whose operations take long; in one cluster they may not overlap."""
DIED = 70  # exit code of a crash on purpose: EX_SOFTWARE of sysexits.h


@dataclass(frozen=True)
class ResourceManager:
    """One emulated subscription, as a client sees it."""

    settings: Settings

    @property
    def ledger(self) -> Ledger:
        """The file that holds it."""
        limits = _limits(self.settings.limits) if self.settings.limits else None
        return Ledger(self.settings.ledger, self.settings.subscription, self.settings.tenant, limits)

    async def put(self, request: Request) -> dict[str, Any]:
        """Create or update; the full body of the resource. Raises ArmError; Unfinished, where it was accepted."""
        self._own_subscription(request.id)
        with self.ledger.session() as subscription:
            fault = self._met(subscription, f"PUT {request.id}")
            operation = subscription.begin(request)
        await self._wait(request.type)
        with self.ledger.session() as subscription:
            body = subscription.finish(operation)
        if fault is not None and fault.kind is Kind.TIMEOUT:
            raise Unfinished(_error(fault), body)
        _fail_after(fault)
        return body

    async def delete(self, id: str) -> None:
        """Delete; nothing happens where there is nothing. Raises ArmError."""
        with self.ledger.session() as subscription:
            if subscription.read(id) is None:
                return
            fault = self._met(subscription, f"DELETE {id}")
            operation = subscription.begin_removal(id)
        await self._wait(type_of(id))
        with self.ledger.session() as subscription:
            subscription.finish(operation)
        _fail_after(fault)

    def read(self, id: str) -> dict[str, Any] | None:
        """The body of a resource, or nothing."""
        with self.ledger.session() as subscription:
            return subscription.read(id)

    def absent(self, request: Request) -> None:
        """See that nothing is where something is to be created, as the real provider does: a PUT would change what is
        there. Raises ArmError."""
        if self.read(request.id) is not None:
            raise ArmError(409, "AlreadyExists", f"cannot create already existing resource '{request.id}'")

    def call(self, function: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """What a function of the SDK answers, such as getClientConfig. Raises ArmError."""
        with self.ledger.session() as subscription:
            return subscription.call(function, dict(arguments))

    def apply(self, server: str, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create or replace an object in the cluster at that address. Raises ArmError."""
        with self.ledger.session() as subscription:
            fault = self._met(subscription, f"APPLY {object_key(manifest)}")
            answer = subscription.put_object(cluster_at(subscription.inventory, server), manifest)
        _fail_after(fault)
        return answer

    def forget(self, server: str, manifest: dict[str, Any]) -> None:
        """Delete an object. Raises ArmError."""
        with self.ledger.session() as subscription:
            fault = self._met(subscription, f"FORGET {object_key(manifest)}")
            subscription.remove_object(cluster_at(subscription.inventory, server), object_key(manifest))
        _fail_after(fault)

    def object(self, server: str, manifest: dict[str, Any]) -> dict[str, Any] | None:
        """The object of that name as it is now, or nothing. Raises ArmError."""
        with self.ledger.session() as subscription:
            return subscription.objects(cluster_at(subscription.inventory, server)).get(object_key(manifest))

    def _met(self, subscription: Subscription, call: str) -> Fault | None:
        """Count the call; the fault that it meets, raised at once where it leaves no effect. Raises ArmError."""
        plan = faults.from_json(store.read_json(self.settings.faults, missing=[]))
        fault = faults.due(plan, subscription.met, subscription.next_call(), call)
        if fault is not None:
            subscription.meet(fault.key)
        if fault is not None and fault.kind not in faults.AFTER_EFFECT:
            raise _error(fault)
        return fault

    def _own_subscription(self, id: str) -> None:
        _, _, subscription, *_ = [*id.split("/"), "", ""]
        if subscription != self.settings.subscription:
            raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")

    async def _wait(self, type: str) -> None:
        if type.lower() in LONG:
            await asyncio.sleep(self.settings.operation)


@cache
def _limits(path: str) -> Limits:
    from infra.preflight.limits import load_limits  # pydantic, which an emulation without limits does without

    return load_limits(Path(path))


def _fail_after(fault: Fault | None) -> None:
    if fault is not None and fault.kind is Kind.CRASH:
        os._exit(DIED)
    if fault is not None:
        raise _error(fault)


def _error(fault: Fault) -> ArmError:
    answer = faults.ANSWERS[fault.kind]
    return ArmError(answer.status, answer.code, answer.message, answer.retry_after)
