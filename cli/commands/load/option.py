"""The options that the commands of `ops load` share. Reads nothing and prints nothing."""

from pathlib import Path
from typing import Annotated

import typer

ServiceOption = Annotated[
    str | None, typer.Option("--service", metavar="NAME", help="The service of the fleet to send to.")
]
"""Use as `service: ServiceOption = None`."""

DurationOption = Annotated[
    str, typer.Option("--duration", metavar="TIME", help="How long to send: 30s, 5m, or forever (until Ctrl-C).")
]
"""Use as `duration: DurationOption = "30s"`."""

SeedOption = Annotated[
    int, typer.Option("--seed", metavar="N", min=0, help="Where in the trace to start, and what is drawn.")
]
"""Use as `seed: SeedOption = 0`."""

WorkersOption = Annotated[
    int,
    typer.Option("--workers", metavar="N", min=1, max=64, help="Client processes that send it together; one a core."),
]
"""Use as `workers: WorkersOption = 1`. 64 is more than the cores of a machine that one would send from."""

TargetOption = Annotated[
    str | None,
    typer.Option("--target", metavar="URL", help="Any OpenAI-compatible endpoint, instead of the region's."),
]
"""Use as `target: TargetOption = None`."""

AllowOption = Annotated[
    list[str],
    typer.Option("--allow-host", metavar="HOST", help="A host that the fleet file does not name and may be sent to."),
]
"""Use as `allow_host: AllowOption = []`."""

ModelOption = Annotated[
    str | None, typer.Option("--model", metavar="NAME", help="The model to ask a --target for, if not the service's.")
]
"""Use as `model: ModelOption = None`."""

CredentialOption = Annotated[
    list[str],
    typer.Option(
        "--credential",
        metavar="REF",
        help="Where a key of the endpoint is kept: env:NAME or keyvault:URL. Several are used in turn.",
    ),
]
"""Use as `credential: CredentialOption = []`."""

CeilingOption = Annotated[
    str | None,
    typer.Option(
        "--ceiling", metavar="RATE", help="The most that may be asked of an endpoint that is not local, at any time."
    ),
]
"""Use as `ceiling: CeilingOption = None`."""

SloOption = Annotated[
    list[str],
    typer.Option(
        "--slo",
        metavar="TEXT",
        help="'ttft p99 < 500ms', 'goodput >= 99%'; several must all be kept. Default: the service's objectives.",
    ),
]
"""Use as `slo: SloOption = []`."""

LoraOption = Annotated[
    list[str],
    typer.Option(
        "--lora",
        metavar="NAME",
        help="The adapter to ask for instead of the model. Of several, each conversation has one.",
    ),
]
"""Use as `lora: LoraOption = []`."""

UsersOption = Annotated[
    int | None,
    typer.Option("--users", metavar="N", min=1, help="How many users the requests come from. Default: 1000."),
]
"""Use as `users: UsersOption = None`."""

TimeoutOption = Annotated[
    list[str],
    typer.Option(
        "--timeout",
        metavar="PHASE=TIME",
        help="How long connect, first-token, gap or total may take. Default: connect=5s, the others 60s.",
    ),
]
"""Use as `timeout: TimeoutOption = []`."""

RetriesOption = Annotated[
    int, typer.Option("--retries", metavar="N", min=0, max=100, help="How often to ask again after HTTP 429.")
]
"""Use as `retries: RetriesOption = 0`."""

IgnoreRetryAfterOption = Annotated[
    bool,
    typer.Option("--ignore-retry-after", help="Ask again after 0.5 s, then 1 s, 2 s ..., whatever a 429 says."),
]
"""Use as `ignore_retry_after: IgnoreRetryAfterOption = False`."""

PageOption = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.html", help="Write the report as a page with plots.")
]
"""Use as `page: PageOption = None`."""

JunitOption = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE.xml", help="Write the checks of the run as JUnit, for CI.")
]
"""Use as `junit: JunitOption = None`."""

SaveOption = Annotated[
    Path | None, typer.Option("--save", metavar="FILE.json", help="Keep the run, for `ops load compare` and `report`.")
]
"""Use as `save: SaveOption = None`."""
