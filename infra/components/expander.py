"""The order in which the cluster autoscaler grows pools, where it reads it: a ConfigMap with a name of its choosing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import yaml
from pulumi_kubernetes.core.v1 import ConfigMap

from infra.blueprint.expander import ranks
from infra.region import Pool

NAME = "cluster-autoscaler-priority-expander"  # kubernetes/autoscaler, cluster-autoscaler/expander/priority


@dataclass(frozen=True, slots=True)
class ExpanderArgs:
    """What the order is made of."""

    pools: Sequence[Pool]
    labels: Mapping[str, str]


class Expander(pulumi.ComponentResource):
    """The order of pools."""

    def __init__(self, name: str, args: ExpanderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bellwether:platform:Expander", name, None, opts)
        ConfigMap(
            "priorities",
            metadata={"name": NAME, "namespace": "kube-system", "labels": dict(args.labels)},
            data={"priorities": yaml.safe_dump(ranks(args.pools), sort_keys=False)},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
