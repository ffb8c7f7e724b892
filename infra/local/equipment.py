"""The three programs that every region has - Envoy, Prometheus, Alertmanager: their configuration and command lines.

Writes the configuration; starts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from infra.local import alerting, envoy, scrape
from infra.local.layout import Layout
from infra.local.process import MARKER, Program
from infra.programs import find
from infra.store import write_json

CPU_SHARE = "1"  # threads for Envoy and for each of the Go programs: the region shares two cores with its load
GO_MEMORY = "96MiB"  # a soft limit: Go's collector works harder instead of growing


def programs(
    layout: Layout, fleet: str, region: str, ports: scrape.Listening, listeners: Mapping[str, envoy.Listener]
) -> list[Program]:
    """What to run, configured. Raises ProgramError when one is not on this machine."""
    root = layout.root
    write_json(root / "envoy" / "bootstrap.json", envoy.bootstrap(listeners, ports.envoy, layout.dynamic))
    write_json(root / "prometheus" / "prometheus.yml", scrape.prometheus(fleet, region, ports, layout.targets))
    write_json(root / "alertmanager" / "alertmanager.yml", scrape.alertmanager())
    alertmanager = alerting.runnable(find("alertmanager"), root / "alertmanager")
    return [
        _program(layout, "envoy", _envoy_argv(find("envoy"), root), ports.envoy, "/ready"),
        _program(layout, "prometheus", _prometheus_argv(find("prometheus"), root, ports), ports.prometheus, "/-/ready"),
        _program(layout, "alertmanager", _alert_argv(alertmanager, root, ports), ports.alertmanager, "/-/ready"),
    ]


def _program(layout: Layout, name: str, argv: tuple[str, ...], port: int, health: str) -> Program:
    environ = {MARKER: str(layout.root), "GOMAXPROCS": CPU_SHARE, "GOMEMLIMIT": GO_MEMORY}
    return Program(name, argv, layout.log(name), f"http://127.0.0.1:{port}{health}", environ, layout.root / name)


def _envoy_argv(program: Path, root: Path) -> tuple[str, ...]:
    config = ("-c", str(root / "envoy" / "bootstrap.json"))
    return (str(program), *config, "--concurrency", CPU_SHARE, "--disable-hot-restart", "-l", "warning")


def _prometheus_argv(program: Path, root: Path, ports: scrape.Listening) -> tuple[str, ...]:
    folder = root / "prometheus"
    return (
        str(program),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=1d",
        f"--web.listen-address=127.0.0.1:{ports.prometheus}",
        "--log.level=warn",
    )


def _alert_argv(program: Path, root: Path, ports: scrape.Listening) -> tuple[str, ...]:
    folder = root / "alertmanager"
    return (
        str(program),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{ports.alertmanager}",
        "--cluster.listen-address=",
        "--log.level=warn",
    )
