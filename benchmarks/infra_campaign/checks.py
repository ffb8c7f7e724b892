"""What needs no engine: mistakes in inputs, rendered requests, residency, blast radius."""

from __future__ import annotations

from collections import Counter

from campaign.report import Report

from infra.azure import schema
from infra.blueprint.stack import affected, stacks
from infra.fleet import load_fleet, locate
from infra.rendering.render import render
from infra_campaign.part import Job, title
from tests.infra.azure.mistakes import campaign, cases
from tests.infra.blueprint.test_blast_radius import seventh
from tests.infra.violations import seeded_violations

MISTAKES, SEEDS = 500, (2026, 4711)
LEAST = 0.95  # of the mistakes are refused at the right path


def mistakes(job: Job) -> Report:
    """Rejected before anything is made, and at the property that is wrong; and by the SDK's own mocks."""
    report = Report()
    for seed in SEEDS:
        seen = campaign(cases(), MISTAKES, seed)
        told = f"seed {seed}: of {seen.count} mistakes {seen.rejected} rejected, {seen.located} at the right path"
        report.say(f"{told}; the SDK under its mocks rejects {seen.sdk_rejected}", seen.located >= LEAST * seen.count)
        for kind, (count, rejected, located, by_sdk) in seen.by_kind.items():
            report.say(f"  {kind:12} {count:3}: rejected {rejected}, located {located}, by the SDK {by_sdk}")
        for missed in seen.missed:
            report.say(f"  not located: {missed}")
    return report


def strict(job: Job) -> Report:
    """Every request of the fleets, turned back into inputs, against the strict schema."""
    report = Report()
    for name in ("demo", "atlas"):
        file = locate(name).absolute()
        requests = [one for each in render(load_fleet(file), file) for one in each.requests]
        flaws = [f"{one.id}: {flaw.path} {flaw.what}" for one in requests for flaw in _flaws(one)]
        passed = sum(not _flaws(one) for one in requests)
        report.say(f"{name}: {passed} of {len(requests)} requests pass the strict schema", not flaws and bool(requests))
        for flaw in flaws:
            report.say(f"  {flaw}", False)
    return report


def _flaws(one: schema.Request) -> list[schema.Flaw]:
    return schema.flaws(one.token, schema.inputs(one.token, one.id, one.body, one.api_version))


def residency(job: Job) -> Report:
    """Seeded violations, each refused by what names it."""
    report, found = Report(), list(seeded_violations())
    caught = sum(one.caught for one in found)
    ways = len(Counter(one.name for one in found))
    report.say(f"{caught} of {len(found)} seeded violations caught, made in {ways} ways", caught == len(found))
    for one in found:
        if not one.caught:
            report.say(f"  {one.name} seed {one.seed}: {one.said}", False)
    return report


def blast(job: Job) -> Report:
    """A seventh region, and which stacks it reaches."""
    report, old = Report(), load_fleet("atlas")
    for location, group in (("francecentral", "eu"), ("westus3", "us"), ("japanwest", "apac")):
        new = seventh(location, group)
        reached = sorted(title(stack) for stack in affected(old, new))
        others = [one for one in reached if one.startswith(("region", "platform")) and location not in one]
        told = f"{location} added to atlas: {len(reached)} of {len(stacks(new))} stacks affected"
        report.say(f"{told}: {', '.join(reached)}", not others)
    return report
