"""Where a region's resources go, how they are called and kept: what all its components are told. Creates nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from infra.blueprint.naming import Naming


@dataclass(frozen=True, slots=True)
class Site:
    """A region as its components know it."""

    names: Naming
    location: str
    group: pulumi.Input[str]
    """The resource group of what can be made anew."""
    data: pulumi.Input[str]
    """The resource group of what holds data: secrets, logs, backups."""
    tags: Mapping[str, str]
    kept: bool = True
    """Whether data and what serves users are protected, and data stay when the stack is destroyed."""

    def name(self, kind: str, part: str = "", number: int = 1) -> str:
        """The physical name of a resource of this region."""
        return self.names.name(kind, self.location, part, number)

    def placed(self, data: bool = False) -> dict[str, Any]:
        """Arguments that nearly every resource takes."""
        return {
            "resource_group_name": self.data if data else self.group,
            "location": self.location,
            "tags": dict(self.tags),
        }

    def subscription(self) -> str:
        """The id of the subscription as a path."""
        return f"/subscriptions/{self.names.subscription}"

    def guarded(self, parent: pulumi.Resource, **options: Any) -> pulumi.ResourceOptions:
        """Options of what must not go by mistake: a delete or a replace of it is refused."""
        return pulumi.ResourceOptions(parent=parent, protect=self.kept, **options)

    def holding(self, parent: pulumi.Resource, **options: Any) -> pulumi.ResourceOptions:
        """Options of what holds data: guarded, and left in Azure also when it goes from the stack."""
        return pulumi.ResourceOptions(parent=parent, protect=self.kept, retain_on_delete=self.kept, **options)


def hours(number: int) -> pulumi.CustomTimeouts:
    """Time for operations that Azure takes long for; the engine gives up after it and not before."""
    return pulumi.CustomTimeouts(create=f"{number}h", update=f"{number}h", delete=f"{number}h")
