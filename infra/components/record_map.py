"""Which release each service of a region has, for what runs in the cluster: a copy of the release of record.

It is a copy and never a source: it is written when the stack is, and whoever needs the truth asks the record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap

from infra.record import Record
from infra.release import Release, load_release


@dataclass(frozen=True, slots=True)
class RecordMapArgs:
    """What the copy is made of."""

    namespace: pulumi.Input[str]
    record: Record
    region: str
    labels: Mapping[str, str]


class RecordMap(pulumi.ComponentResource):
    """The ConfigMap of the releases."""

    def __init__(self, name: str, args: RecordMapArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:platform:RecordMap", name, None, opts)
        ConfigMap(
            "releases",
            metadata={"name": "releases-of-record", "namespace": args.namespace, "labels": dict(args.labels)},
            data=releases(args.record, args.region),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def releases(record: Record, region: str) -> dict[str, str]:
    """Service -> what it has, as JSON. Raises UnknownRelease, ReleaseError."""
    found = {one.name: load_release(one.name, record.release(one.name, region)) for one in record.fleet.services}
    return {name: json.dumps(_entry(release, record, region), sort_keys=True) for name, release in found.items()}


def _entry(release: Release, record: Record, region: str) -> dict[str, str | None]:
    entry = record.entry(release.service, region)
    image = f"{release.image.repository}@{release.image.digest}"
    return {
        "release": release.version,
        "digest": release.digest(),
        "image": image,
        "run": entry.run if entry else None,
        "at": entry.at if entry else None,
    }
