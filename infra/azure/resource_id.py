"""The ids of Azure: /subscriptions/../resourceGroups/../providers/../name, taken apart. Pure: text only.

Case means nothing in an id (learn.microsoft.com, "Naming rules and restrictions for Azure resources"); `key` is how ids
are compared and kept.
"""

from __future__ import annotations

import re
from functools import lru_cache

GROUP = "Microsoft.Resources/resourceGroups"
SUBSCRIPTION = "Microsoft.Resources/subscriptions"


@lru_cache(maxsize=65536)  # more ids than any test has
def key(id: str) -> str:
    """The form that two ids are compared in."""
    return id.rstrip("/").lower()


def same(one: str, other: str) -> bool:
    """Whether two ids are of one resource."""
    return key(one) == key(other)


@lru_cache(maxsize=65536)
def type_of(id: str) -> str:
    """Microsoft.Network/virtualNetworks/subnets; of an extension resource its own type, not that of its scope."""
    _, _, path = _cut(id)
    if not path:
        return GROUP if re.search(r"/resourcegroups/[^/]+$", key(id)) else SUBSCRIPTION
    namespace, *rest = path.split("/")
    return "/".join([namespace, *rest[::2]])


def name_of(id: str) -> str:
    """The last part of an id."""
    return id.rstrip("/").rpartition("/")[2]


@lru_cache(maxsize=65536)
def parent_of(id: str) -> str:
    """What a resource lies in: its parent resource, or the scope it was made at (a group, a subscription)."""
    scope, _, path = _cut(id)
    if not path:
        return scope.rpartition("/resourceGroups/")[0] if "/resourceGroups/" in scope else ""
    return id.rstrip("/").rsplit("/", 2)[0] if path.count("/") > 2 else scope


def group_of(id: str) -> str:
    """The name of the resource group that an id lies in, or nothing."""
    found = re.search(r"/resourcegroups/([^/]+)", id, re.IGNORECASE)
    return found[1] if found else ""


def scope_of(id: str) -> str:
    """What an extension resource (a role assignment, a lock) is about."""
    return _cut(id)[0]


def is_resource(value: object) -> bool:
    """Whether a value is the id of a resource in a subscription."""
    return isinstance(value, str) and key(value).startswith("/subscriptions/") and "/providers/" in key(value)


def within(id: str, scope: str) -> bool:
    """Whether a resource is the scope or lies below it."""
    return same(id, scope) or key(id).startswith(key(scope) + "/")


def _cut(id: str) -> tuple[str, str, str]:
    clean = id.rstrip("/")
    place = clean.lower().rfind("/providers/")
    if place < 0:
        return clean, "", ""
    return clean[:place], "/providers/", clean[place + len("/providers/") :]
