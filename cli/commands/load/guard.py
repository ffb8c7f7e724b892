"""What a load must not do: hosts, rates and routes that nobody allowed. Raises Refused, and sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infra.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from infra.load_profile import LoadProfile
    from infra.service import Service

CEILING = 50.0  # requests a second at an endpoint of which no limit is known: what one GPU of an 8B model answers
NOT_STARTED = "no load was started"


def refuse_synthetic(profile: LoadProfile, service: str) -> None:
    """Raises Refused: what is sent to a local region stands for users; synthetic requests are for the load stage."""
    if profile.traffic == "synthetic":
        raise Refused(
            f"the load profile {profile.name} of {service} is synthetic, and what is sent to a local region stands for "
            "users, whose answers are what a rollout is judged by",
            not_done=NOT_STARTED,
            next=f"in the fleet file, leave `traffic: synthetic` out of {profile.name}, if it may stand in for users",
        )


def refuse_host(fleet: Fleet, url: str, allowed: Sequence[str]) -> None:
    """Raises Refused: a slip in a URL must not press somebody else's machines."""
    host = urlsplit(url).hostname or ""
    if host and not ours(fleet, url) and host not in allowed:
        raise Refused(
            f"the fleet {fleet.name} does not name the host {host}",
            not_done=NOT_STARTED,
            next=f"the same command with --allow-host {host}, if its owner knows",
        )


def ours(fleet: Fleet, url: str) -> bool:
    """Whether a URL leads to the fleet's own machines: a host below the domain that its edge answers under."""
    host, domain = urlsplit(url).hostname or "", fleet.azure.domain if fleet.azure else None
    return domain is not None and (host == domain or host.endswith(f".{domain}"))


def region_behind(fleet: Fleet, url: str, named: str | None) -> str:
    """The region that a URL leads to: the one whose own host it is (infra/blueprint/origin.py), or that was named.

    Empty where nobody says: the edge answers under one host for each residency group, and chooses. Raises NotInFleet
    for a region that is not the fleet's, InvalidInput where host and name contradict each other.
    """
    if not ours(fleet, url):
        return named or ""
    host, domain = urlsplit(url).hostname or "", fleet.azure.domain if fleet.azure else ""
    own = next((one.name for one in fleet.regions if f"{one.name}.{domain}" == host), "")
    said = fleet.region(named).name if named else ""
    if own and said and own != said:
        what = f"--region: {host} is the region {own} itself, and not {said}; leave --region out"
        raise InvalidInput(what, not_done=NOT_STARTED)
    return own or said


def refuse_rate(profile: LoadProfile, service: Service | None, given: float | None) -> None:
    """Raises Refused: production answers users too, and a load must not take what it admits for them."""
    most = given or (service.limits.rate if service else CEILING)
    found = peak(profile)
    if found > most:
        raise Refused(
            f"the load reaches {found:g}/s, and the ceiling is {most:g}/s",
            not_done=NOT_STARTED,
            next=f"a lower --rate, or --ceiling {found:g}/s if the endpoint may be pressed so hard",
        )


def peak(profile: LoadProfile) -> float:
    """Requests a second where a profile has most of them, on average; 0 for a closed loop: the answers set its pace."""
    if profile.step:
        return profile.step.base * profile.step.factor
    if profile.diurnal:
        return profile.diurnal.peak
    if profile.curve:
        return max(row.rate for row in profile.curve)
    return 0.0 if profile.closed else profile.mean or _own_pace(profile)


def _own_pace(profile: LoadProfile) -> float:
    """The mean rate of a trace that is replayed at a speed."""
    from loadtests.arrivals.schedule import recording

    found = recording(profile)
    return (profile.speed or 1.0) * len(found.rows) / found.period
