"""When a cluster is backed up, and how long a backup is kept: the rules of the one backup policy that regions have."""

from __future__ import annotations

from typing import Any

DATASOURCE = "Microsoft.ContainerService/managedClusters"

EVERY = "PT4H"  # the shortest interval that AKS backup has (learn.microsoft.com, "AKS backup overview")
SNAPSHOTS = "P7D"  # in the region's own disks
VAULT = "P30D"  # the first one of each day, in the vault
FIRST = "R/2026-01-01T00:00:00+00:00"  # any day that is past: intervals are counted from it


def policy_rules() -> list[dict[str, Any]]:
    """One rule that makes backups and tags them, and one for each tag that says how long they are kept.

    Names are ARM's: the SDK does not translate those of objects that may be of several kinds.
    """
    kept = [_kept("OperationalStore", SNAPSHOTS)]
    return [
        _making(),
        {"objectType": "AzureRetentionRule", "name": "Default", "isDefault": True, "lifecycles": kept},
        {
            "objectType": "AzureRetentionRule",
            "name": "Daily",
            "isDefault": False,
            "lifecycles": [_kept("OperationalStore", SNAPSHOTS, "VaultStore"), _kept("VaultStore", VAULT)],
        },
    ]


def _making() -> dict[str, Any]:
    return {
        "objectType": "AzureBackupRule",
        "name": "Backup",
        "backupParameters": {"objectType": "AzureBackupParams", "backupType": "Incremental"},
        "dataStore": _store("OperationalStore"),
        "trigger": {
            "objectType": "ScheduleBasedTriggerContext",
            "schedule": {"repeatingTimeIntervals": [f"{FIRST}/{EVERY}"], "timeZone": "UTC"},
            "taggingCriteria": [_daily(), {**_tag("Default", 99), "isDefault": True}],
        },
    }


def _daily() -> dict[str, Any]:
    first = {"objectType": "ScheduleBasedBackupCriteria", "absoluteCriteria": ["FirstOfDay"]}
    return {**_tag("Daily", 25), "isDefault": False, "criteria": [first]}


def _tag(name: str, priority: int) -> dict[str, Any]:
    return {"tagInfo": {"tagName": name}, "taggingPriority": priority}


def _kept(store: str, duration: str, copied: str | None = None) -> dict[str, Any]:
    copy = {"copyAfter": {"objectType": "ImmediateCopyOption"}, "dataStore": _store(copied or "")}
    return {
        "deleteAfter": {"objectType": "AbsoluteDeleteOption", "duration": duration},
        "sourceDataStore": _store(store),
        "targetDataStoreCopySettings": [copy] if copied else [],
    }


def _store(kind: str) -> dict[str, str]:
    return {"objectType": "DataStoreInfoBase", "dataStoreType": kind}
