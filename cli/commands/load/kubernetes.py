"""`ops load kubernetes`: a load as a Job set for a cluster of the fleet. Writes a file, and asks no cluster."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.load.option import (
    AllowOption,
    CeilingOption,
    CredentialOption,
    ModelOption,
    SeedOption,
    ServiceOption,
    TargetOption,
)
from cli.commands.load.ordering import Elsewhere, Given
from cli.console import Output, document, emit, story
from cli.directory import directory, writing
from cli.options import FleetOption, OutputOption, RegionOption

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from loadtests.package.kubernetes_job import Crowd

app = typer.Typer()


@app.command()
def kubernetes(
    image: Annotated[
        str,
        typer.Option(metavar="IMAGE", help="With this project in it, by digest: NAME@sha256:DIGEST (docs/load.md)."),
    ],
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Where load.yaml is written.")],
    service: ServiceOption = None,
    workers: Annotated[int, typer.Option(metavar="N", help="Processes that send; each has a core.")] = 2,
    rate: Annotated[
        str | None, typer.Option(metavar="RATE", help="Requests of all workers: 100/s. Default: the profile's.")
    ] = None,
    duration: Annotated[str, typer.Option(metavar="TIME", help="How long to send: 30s, 5m.")] = "5m",
    profile: Annotated[str | None, typer.Option(metavar="NAME|FILE", help="Another load profile.")] = None,
    seed: SeedOption = 0,
    target: TargetOption = None,
    model: ModelOption = None,
    credential: CredentialOption = [],  # noqa: B006 - typer's way to say none
    allow_host: AllowOption = [],  # noqa: B006
    ceiling: CeilingOption = None,
    fleet: FleetOption = "demo",
    region: RegionOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Write a load as a Job set for the cluster of a region: one Locust master, and workers that send together.

    Nothing is sent now, and no cluster is asked: kubectl applies what is written. It goes to the region's own host
    through its gateway, as synthetic traffic. Pods are nobody in the cluster and may talk to no one else. Keys come
    from the Secret load-SERVICE of the namespace `load`, by name: --credential env:NAME.

    Examples:
      $ ops load kubernetes --service chat --image load:latest --out jobs  # exit 2
      $ ops load kubernetes --service chat --workers 4 --rate 100/s --out jobs --image \
        registry.example.com/load@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    """
    from cli.commands.load import ordering
    from infra.fleet import load_fleet
    from infra.store import write_atomic

    found, path = load_fleet(fleet), directory(out) / "load.yaml"
    place = Elsewhere(target or "", model, tuple(allow_host), tuple(credential), ordering.ceiling(ceiling))
    given = Given(
        service=service,
        duration=ordering.duration(duration),
        seed=seed,
        rate=ordering.rate("--rate", rate, max(1, workers)),
        profile=profile,
        region=found.region(region).name,
    )
    crowd = _crowd(found, given, place, workers, image)
    with writing():
        write_atomic(path, _text(crowd))
    emit(document("LoadKubernetes", _data(crowd, path)), output, lambda: _page(crowd, path))


def _crowd(fleet: "Fleet", given: Given, place: Elsewhere, workers: int, image: str) -> "Crowd":
    from urllib.parse import urlsplit

    from cli.commands.load.leaving import leaving, regions
    from loadtests.package.carried import carried
    from loadtests.package.kubernetes_job import PLACE, Crowd

    assert given.region is not None
    if given.service:
        regions(fleet, given.service, [given.region])
    order, trace = carried(leaving(fleet, given, place, [given.region]), PLACE)
    url = urlsplit(order.url)
    inside = fleet.azure is not None and url.hostname == f"{given.region}.{fleet.azure.domain}"
    port = url.port or (443 if url.scheme == "https" else 80)
    text = (trace.name, trace.read_text(encoding="utf-8")) if trace else None
    return Crowd(order, workers, image, inside, port, text)


def _text(crowd: "Crowd") -> str:
    import yaml

    from loadtests.package.kubernetes_job import manifests

    class Readable(yaml.SafeDumper):
        """Texts of several lines as they are."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Readable.add_representer(str, text)
    return yaml.dump_all(manifests(crowd), Dumper=Readable, sort_keys=False, width=120)


def _data(crowd: "Crowd", path: Path) -> dict[str, Any]:
    names = {"name": crowd.name, "namespace": "load", "url": crowd.order.url, "workers": crowd.workers}
    return {**names, "rate": crowd.order.load.mean, "duration": crowd.order.duration, "files": [str(path)]}


def _page(crowd: "Crowd", path: Path) -> str:
    load = crowd.order.load
    rate = f"{load.mean:g}/s" if load.mean else "the pace of its profile"
    story("nothing was sent; the report is the line LoadRun in the log of the master:")
    log = f"kubectl -n load logs -f job/{crowd.name}-master"
    return "\n".join([
        f"{crowd.workers} workers, together {rate} for {crowd.order.duration:g} s",
        f"  at {crowd.order.url}",
        f"  kubectl -n load delete job --ignore-not-found {crowd.name}-master {crowd.name}-worker  # of the last time",
        f"  kubectl apply -f {path}",
        f"  {log}",
        f"  {log} | grep '\"kind\": \"LoadRun\"' > run.json && ops load report run.json",
    ])  # fmt: skip
