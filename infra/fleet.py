"""A fleet: what runs where, and what it promises. The one file that people edit, read as frozen values.

Everything else is derived from it. `read_fleet` is pure; `load_fleet` finds the file and reads it. After that nothing
is checked again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field

from infra import crossref
from infra.errors import InvalidInput
from infra.load_profile import LoadProfile
from infra.region import Region, ResidencyGroup
from infra.roster import OnCall
from infra.service import Service
from infra.suggest import hint
from infra.units import Ratio
from infra.yamlfile.document import validate
from infra.yamlfile.part import Domain, Guid, KubernetesVersion, Line, Name, Part, Positive, no_twins
from infra.yamlfile.problem import SourceError, brief
from infra.yamlfile.schema import json_schema
from infra.yamlfile.source import Source, read

P = TypeVar("P", bound=Part)

FLEETS = Path(__file__).with_name("fleets")


class FleetError(SourceError):
    """A fleet file is not valid, or there is none. Lists every problem."""


class NotInFleet(InvalidInput):
    """A name that is not there; the message says which are."""


class Platform(Part):
    """What is installed around the services."""

    systems: dict[Name, Literal["small", "medium", "large"]] = Field(
        default={}, description="Systems of the catalog, and their size."
    )


class Azure(Part):
    """The subscription that the fleet is provisioned in, and what of it a fleet must name."""

    tenant: Guid = Field(description="The Entra tenant that people and workloads log in at.")
    subscription: Guid = Field(description="The only subscription that the Pulumi programs will touch.")
    admins: Guid = Field(description="Object id of the Entra group that administers the clusters.")
    domain: Domain = Field(description="The DNS zone that the edge answers under.")
    kubernetes: KubernetesVersion = Field("1.34", description="Version of Kubernetes, major and minor.")


class Budget(Part):
    """What the fleet may cost."""

    monthly_usd: Positive = Field(description="US dollars for a month, list price.")
    alert_at: Annotated[tuple[Ratio, ...], AfterValidator(no_twins)] = Field(
        (0.8, 1.0), description="Shares of it at which the owner is told."
    )


class Fleet(Part):
    """Regions, services and the people behind them."""

    apiVersion: Literal["bellwether/v1"] = Field(description="The form of this file: bellwether/v1.")  # noqa: N815
    name: Name = Field(description="Its name; state is kept under it.")
    environment: Literal["demo", "dev", "staging", "production"] = Field(
        description="How careful to be: outside demo and dev, rollouts need blocks of at least 60s."
    )
    owner: Line = Field(description="The team that answers for it.")
    residency: dict[Name, ResidencyGroup] = Field(min_length=1, description="Groups of regions that data stay in.")
    regions: tuple[Region, ...] = Field(min_length=1, description="Where things run.")
    services: tuple[Service, ...] = Field(min_length=1, description="What users call.")
    load_profiles: tuple[LoadProfile, ...] = Field(min_length=1, description="Traffic that stands for users.")
    azure: Azure | None = Field(None, description="Where it is provisioned; a fleet without it only runs locally.")
    platform: Platform = Field(default=Platform(), description="What is installed around the services.")
    on_call: OnCall = Field(description="Who is called.")
    budget: Budget = Field(description="What it may cost.")

    def service(self, name: str) -> Service:
        """The service of that name. Raises NotInFleet."""
        return _named("service", name, {service.name: service for service in self.services}, self.name)

    def region(self, name: str | None = None) -> Region:
        """The region of that name; without one, the only region. Raises NotInFleet that names the choices."""
        if name is None and len(self.regions) > 1:
            names = ", ".join(region.name for region in self.regions)
            what = f"the fleet {self.name} has {len(self.regions)} regions; say which: {names}"
            raise NotInFleet(what, not_done="nothing was changed", next="the same command with --region NAME")
        if name is None:
            return self.regions[0]
        return _named("region", name, {region.name: region for region in self.regions}, self.name)

    def load_profile(self, name: str) -> LoadProfile:
        """The load profile of that name. Raises NotInFleet."""
        return _named("load profile", name, {profile.name: profile for profile in self.load_profiles}, self.name)

    def regions_of(self, service: str) -> tuple[Region, ...]:
        """The regions that a service runs in: those with its pool. Raises NotInFleet."""
        pool = self.service(service).pool
        return tuple(region for region in self.regions if region.pool(pool))

    def waves(self, service: str) -> tuple[tuple[str, ...], ...]:
        """Region names, wave after wave, as its releases are rolled out. Raises NotInFleet."""
        return self.service(service).rollout.waves or tuple((region.name,) for region in self.regions_of(service))


def load_fleet(name_or_path: str | Path) -> Fleet:
    """The fleet of a name (infra/fleets/<name>.yaml) or of a file. Raises FleetError with all problems of the file.

    Trace files of its load profiles are found from its folder.
    """
    path = locate(name_or_path)
    try:
        return _in_place(read_fleet(read(path)), path.resolve().parent)
    except FleetError:
        raise
    except SourceError as error:
        raise FleetError(error.problems, not_done="nothing was done") from error


def read_fleet(source: Source) -> Fleet:
    """The fleet in a file's content. Raises FleetError with all problems."""
    fleet, problems = validate(source, Fleet)
    problems += crossref.problems(source)
    if fleet is None or problems:
        raise FleetError(problems, not_done="nothing was done")
    return fleet


def locate(name_or_path: str | Path) -> Path:
    """The file of a fleet: a path where it has a slash or ends in .yaml, else the name of one that ships with us."""
    text = str(name_or_path)
    if "/" in text or text.endswith((".yaml", ".yml")):
        return Path(text)
    if text not in names():
        raise NotInFleet(
            f"there is no fleet {brief(text)}{hint(text, names())}",
            not_done="nothing was done",
            next="--fleet NAME for one of ours, --fleet ./FILE.yaml for a file of yours",
        )
    return FLEETS / f"{text}.yaml"


def names() -> list[str]:
    """The fleets that ship with us."""
    return sorted(path.stem for path in FLEETS.glob("*.yaml"))


def schema() -> dict[str, Any]:
    """The JSON Schema of a fleet file, for editors."""
    return json_schema(Fleet)


def _in_place(fleet: Fleet, folder: Path) -> Fleet:
    return fleet.model_copy(update={"load_profiles": tuple(one.beside(folder) for one in fleet.load_profiles)})


def _named(what: str, name: str, known: dict[str, P], fleet: str) -> P:
    if name not in known:
        raise NotInFleet(f"the fleet {fleet} has no {what} {name!r}{hint(name, known)}", not_done="nothing was done")
    return known[name]
