"""What was asked for -> the order of a load. Reads the fleet and the local region, and sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.commands.load.guard import NOT_STARTED, refuse_host, refuse_rate, refuse_synthetic, region_behind
from cli.commands.load.manner import Manner
from infra.errors import InvalidInput

if TYPE_CHECKING:
    from infra.fleet import Fleet
    from infra.load_profile import LoadProfile
    from infra.service import Service
    from loadtests.order import Order

FOREVER = "forever"
FASTEST = 5_000.0  # requests a second: the client's one core sent 1,800 when asked for more, and the rest was late
SLIS = ("ttft", "itl", "e2e")
APIS = {"generate": "chat", "embed": "embeddings", "classify": "moderation"}


@dataclass(frozen=True, slots=True)
class Given:
    """What was asked for; None is left to the service's load profile, and for `duration` until it is stopped."""

    service: str | None
    duration: float | None
    seed: int
    rate: float | None = None
    trace: str | None = None
    speed: float | None = None
    profile: str | None = None
    region: str | None = None
    manner: Manner = field(default_factory=Manner)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An endpoint that is not in the local region, and what may be done to it."""

    url: str
    model: str | None
    allowed: tuple[str, ...]
    credentials: tuple[str, ...]
    ceiling: float | None


def duration(text: str) -> float | None:
    """Seconds, or None for `forever`. Raises InvalidInput."""
    from infra.units import parse_duration

    return None if text == FOREVER else positive("--duration", text, parse_duration, FOREVER)


def rate(option: str, text: str | None, workers: int = 1) -> float | None:
    """Requests a second that so many clients can send, where some were given. Raises InvalidInput."""
    from infra.units import parse_rate

    if text is None:
        return None
    found = positive(option, text, parse_rate)
    if found > FASTEST * workers:
        clients = "one client" if workers == 1 else f"{workers} clients"
        what = f"{option}: {text} is more than {clients} can send; give at most {FASTEST * workers:.0f}/s"
        raise InvalidInput(what, not_done=NOT_STARTED)
    return found


def ceiling(text: str | None) -> float | None:
    """The most requests a second that may be asked of an endpoint, by however many. Raises InvalidInput."""
    from infra.units import parse_rate

    return None if text is None else positive("--ceiling", text, parse_rate)


def speed(text: str) -> float:
    """How many times its own pace. Raises InvalidInput."""
    from infra.units import parse_times

    return positive("--speed", text, parse_times)


def whole(trace: str, speed: float) -> tuple[int, float]:
    """How many requests a trace has, and the seconds they take. Raises InvalidInput, TraceError."""
    from loadtests.arrivals.schedule import recording
    from loadtests.order import REPLAY

    found = recording(_replaying(REPLAY, Given(None, None, 0, trace=trace, speed=speed)))
    return len(found.rows), found.period / speed


def positive(option: str, text: str, parse: Callable[[object], float], word: str = "") -> float:
    """The quantity that an option gives (or `word`, met before). Raises InvalidInput that says what would be right."""
    try:
        number = parse(text)
    except ValueError as error:
        what = f"{option}: {error}" + (f", or {word}" if word else "")
        raise InvalidInput(what, not_done=NOT_STARTED) from error
    if number <= 0:
        raise InvalidInput(f"{option}: {text} is nothing; give more than zero", not_done=NOT_STARTED)
    return number


def here(fleet: Fleet, given: Given) -> Order:
    """The load on a service of the local region.

    Raises InvalidInput for what cannot be sent, Refused for what must not be, RegionDown.
    """
    from infra import state
    from infra.local.region import LocalRegion

    if given.service is None:
        names = ", ".join(service.name for service in fleet.services)
        raise InvalidInput(f"say what to send to: --service ({names}) or --target URL", not_done=NOT_STARTED)
    service, where = fleet.service(given.service), fleet.region(given.region)
    if service.task != "generate":
        raise InvalidInput(_not_streamed(fleet, service), not_done=NOT_STARTED)
    profile = _profile(fleet, service, given)
    refuse_synthetic(profile, service.name)
    local = LocalRegion(state.region_dir(fleet.name, where.name))
    services = local.facts().services
    if service.name not in services:
        what = f"{service.name} does not run in {where.name}; there are {', '.join(services)}"
        raise InvalidInput(what, not_done=NOT_STARTED)
    return made(
        **_common(fleet, service, given, profile),
        url=services[service.name].url,
        region=where.name,
        targets=str(local.layout.targets),
    )


def elsewhere(fleet: Fleet, given: Given, place: Elsewhere) -> Order:
    """The load on any other endpoint, which knows it as synthetic.

    Raises InvalidInput for what cannot be sent, Refused for a host or a rate that nobody allowed.
    """
    service = fleet.service(given.service) if given.service else None
    model = place.model or (service.model if service else None)
    if model is None:
        raise InvalidInput("--target needs --model, or --service for that of the fleet", not_done=NOT_STARTED)
    refuse_host(fleet, place.url, place.allowed)
    profile = _profile(fleet, service, given)
    order = made(
        **{**_common(fleet, service, given, profile), "model": model},
        url=place.url,
        region=region_behind(fleet, place.url, given.region),
        traffic="synthetic",
        credentials=place.credentials,
    )
    refuse_rate(order.load, service, place.ceiling)
    return order


def _common(fleet: Fleet, service: Service | None, given: Given, profile: LoadProfile) -> dict[str, Any]:
    slo = {one.sli: one.threshold for one in service.objectives if one.sli in SLIS} if service else {}
    return {
        "service": service.name if service else "target",
        "model": service.model if service else "",
        "api": APIS[service.task] if service else "chat",
        "profile": profile,
        "rate": given.rate,
        "duration": given.duration,
        "seed": given.seed,
        "slo": slo or None,
        "fleet": fleet.name,
        **given.manner.asked(),
    }


def made(**values: Any) -> Order:
    """The order of these values. Raises InvalidInput that says what would be right."""
    from pydantic import ValidationError

    from loadtests.order import Order

    try:
        return Order(**values)
    except ValidationError as error:
        raise InvalidInput(first(error), not_done=NOT_STARTED) from error


def _profile(fleet: Fleet, service: Service | None, given: Given) -> LoadProfile:
    """The profile that was named, else the service's; with another trace where one was given."""
    from loadtests.arrivals.schedule import recording
    from loadtests.order import REPLAY

    if given.profile is not None:
        found = _named(fleet, given.profile)
    else:
        found = fleet.load_profile(service.load) if service else REPLAY
    if given.trace is not None:
        found = _replaying(found, given)
    found = found.beside(Path.cwd())  # the client runs in another directory
    if given.profile or given.trace:
        recording(found)  # a file of theirs is read here too, so that what is wrong with it is told before all else
    return found


def _named(fleet: Fleet, name: str) -> LoadProfile:
    from infra.load_profile import read_profile
    from infra.yamlfile.source import read

    if "/" not in name and not name.endswith((".yaml", ".yml")):
        return fleet.load_profile(name)
    path = Path(name)
    return read_profile(read(path)).beside(path.resolve().parent)


def _replaying(profile: LoadProfile, given: Given) -> LoadProfile:
    """A trace at a speed or a rate, with the name and the limits of a profile."""
    from pydantic import ValidationError

    from infra.load_profile import LoadProfile
    from infra.units import format_rate, format_times

    kept = profile.model_dump(mode="json", include={"name", "traffic", "max_prompt", "max_output"}, exclude_none=True)
    pace = {"speed": format_times(given.speed)} if given.speed else {"rate": format_rate(profile.mean or 1.0)}
    try:
        return LoadProfile.model_validate({**kept, **pace, "trace": given.trace})
    except ValidationError as error:
        raise InvalidInput(f"--trace: {first(error)}", not_done=NOT_STARTED) from error


def first(error: Any) -> str:
    """The first problem of a pydantic error, as a person says it."""
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place and problem["type"] != "value_error" else message


def _not_streamed(fleet: Fleet, service: Service) -> str:
    others = [one.name for one in fleet.services if one.task == "generate"]
    what = f"{service.name} has the task {service.task}, which the local region's servers do not answer"
    return f"{what}; services that generate: {', '.join(others)}"
