"""The release of record is state: where its file is lost, it is replayed from the journals before anybody reads it."""

from __future__ import annotations

from cli.adapters.run_files import RunFiles
from cli.console import story
from cli.rollouts.recorded import recorded
from infra import state
from infra.fleet import Fleet
from infra.record import RecordStore


def record_store(fleet: Fleet) -> RecordStore:
    """The record of a fleet, replayed first if its file is missing and there are journals. Raises JournalError."""
    store = RecordStore(state.record_path(fleet.name))
    if not store.path.exists():
        runs = RunFiles(state.journal_dir(fleet.name)).all()
        ended = {run.plan.run for run in runs if run.state.ended}
        for one in recorded(run.state for run in runs):
            store.set(one.service, one.region, one.release, run=one.run, expect=one.release)
            if one.run not in ended:
                continue  # a first rollout under way: there was no record that could have been lost
            story(f"the record of {one.service} in {one.region} was lost: {one.release} is replayed from {one.run}")
    return store
