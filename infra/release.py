"""A release: everything that makes a service answer as it does, one manifest with one digest. Reads files, no more.

Changing any field is a new release and goes through a rollout. A manifest is the same for every engine that rolls it
out; which release runs where is not known here: that is the release of record.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from infra.errors import InvalidInput
from infra.fleet import Fleet
from infra.simulate import Simulate
from infra.suggest import hint
from infra.units import Ratio
from infra.yamlfile.document import validate
from infra.yamlfile.part import Line, Name, Part, Positive, matching, no_twins
from infra.yamlfile.problem import Problem, SourceError, brief
from infra.yamlfile.source import Source, read

RELEASES = Path(__file__).with_name("releases")


class ReleaseError(SourceError):
    """A release manifest is not valid. Lists every problem."""


class UnknownRelease(InvalidInput):
    """There is no such release; the message says which there are."""


_SHA = "write a digest, sha256: and 64 hexadecimal digits"
_COMMIT = "write the full commit, 40 hexadecimal digits: a branch or tag can move"

Digest = Annotated[str, matching(r"sha256:[0-9a-f]{64}", _SHA)]
Commit = Annotated[str, matching(r"[0-9a-f]{40}", _COMMIT)]
VersionName = Annotated[str, matching(r"[a-z0-9][a-z0-9.-]{0,39}", "write a version such as v1, v2.1, 2026-11-02")]
Drivers = Annotated[
    str, matching(r">=[0-9.]+(,<[0-9.]+)?", "write a range of NVIDIA driver versions such as >=550.54.15,<581")
]
ModelId = Annotated[str, matching(r"[\w.-]+/[\w.-]+", "write owner/name, as model hubs do")]


class Model(Part):
    """The weights."""

    id: ModelId = Field(description="Where they come from, owner/name.")
    revision: Commit = Field(description="Commit of the weights.")


class Image(Part):
    """The container that serves them."""

    repository: Line = Field(description="Repository without tag.")
    digest: Digest = Field(description="Digest of the image; a tag can move.")


class Engine(Part):
    """The inference server in it."""

    name: Literal["vllm"] = Field(description="The engine.")
    args: dict[Name, str | int | float | bool] = Field(default={}, description="Its arguments without the dashes.")


class Parallel(Part):
    """How many GPUs one replica takes: tensor x pipeline."""

    tensor: Positive = Field(1, description="GPUs that share each layer.")
    pipeline: Positive = Field(1, description="Groups of GPUs that share the layers out.")


class Adapter(Part):
    """A LoRA adapter that is loaded beside the model."""

    name: Name = Field(description="How requests name it.")
    id: ModelId = Field(description="Where it comes from.")
    revision: Commit = Field(description="Commit of its weights.")


class Versioned(Part):
    """A text that is kept elsewhere, by version and digest."""

    version: Line = Field(description="Its version.")
    digest: Digest = Field(description="Digest of the text.")


class Evaluation(Part):
    """What an evaluation found, with the report that proves it."""

    suite: Line = Field(description="What was run.")
    score: Ratio = Field(description="Share of it that was passed.")
    minimum: Ratio = Field(description="Share that was asked for.")
    report: Digest = Field(description="Digest of the report.")


class Release(Part):
    """The manifest of a release."""

    apiVersion: Literal["bellwether/v1"] = Field(description="The form of this file: bellwether/v1.")  # noqa: N815
    service: Name = Field(description="The service it is a release of.")
    version: VersionName = Field(description="Its version; the file is named for it.")
    summary: Line = Field(description="What is new, in a sentence.")
    model: Model = Field(description="The weights.")
    image: Image = Field(description="The container that serves them.")
    engine: Engine = Field(description="The inference server in it.")
    precision: Literal["bf16", "fp16", "fp8", "int8", "int4"] = Field(description="Number format of the weights.")
    parallel: Parallel = Field(default=Parallel(), description="GPUs of one replica.")
    lora: tuple[Adapter, ...] = Field((), description="Adapters loaded beside the model.")
    prompt: Versioned | None = Field(None, description="The system prompt.")
    policy: Versioned | None = Field(None, description="The content policy.")
    drivers: Drivers = Field(description="NVIDIA driver versions it was tested with.")
    evaluation: Annotated[tuple[Evaluation, ...], AfterValidator(no_twins)] = Field(
        (), description="The evidence that it is good enough to meet users."
    )
    simulate: Simulate | None = Field(
        None, description="How a simulated server behaves, in the local region only; not used anywhere else."
    )

    def digest(self) -> str:
        """SHA-256 of everything in it, however the file was laid out."""
        said = self.model_dump(mode="json", exclude_defaults=True)  # a field that comes later changes no old digest
        content = json.dumps(said, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(content.encode()).hexdigest()


def load_release(service: str, version: str, *, where: Path = RELEASES) -> Release:
    """The release of a service by version, or by path where it has a slash or ends in .yaml.

    Raises UnknownRelease where there is none, ReleaseError with all problems of the manifest.
    """
    path = locate(service, version, where=where)
    try:
        return read_release(read(path), service)
    except ReleaseError:
        raise
    except SourceError as error:
        raise ReleaseError(error.problems, not_done="nothing was done") from error


def read_release(source: Source, service: str | None = None) -> Release:
    """The release in a manifest's content, of `service` where that is given. Raises ReleaseError with all problems."""
    release, problems = validate(source, Release)
    named = source.data.get("service")
    if service is not None and isinstance(named, str) and named != service:
        problems.append(source.problem(("service",), f"this is a release of {brief(named)}, not of {service}"))
    if release is None or problems:
        raise ReleaseError(problems, not_done="nothing was done")
    return release


def locate(service: str, version: str, *, where: Path = RELEASES) -> Path:
    """The file of a release. Raises UnknownRelease that names the versions there are."""
    if "/" in version or version.endswith((".yaml", ".yml")):
        return Path(version)
    known = versions(known_service(service, where=where), where=where)
    if version not in known:
        what = f"there is no release {brief(version)} of {service}{hint(version, known)}"
        raise UnknownRelease(what, not_done="nothing was done", next=f"ops release list {service}")
    return where / service / f"{version}.yaml"


def services(*, where: Path = RELEASES) -> list[str]:
    """The services that have releases."""
    return sorted(path.name for path in where.iterdir() if path.is_dir())


def known_service(service: str, *, where: Path = RELEASES) -> str:
    """A service that has releases. Raises UnknownRelease that says which have."""
    known = services(where=where)
    if service not in known:
        what = f"there are no releases of {brief(service)}{hint(service, known)}"
        raise UnknownRelease(what, not_done="nothing was done", next="ops release list")
    return service


def versions(service: str, *, where: Path = RELEASES) -> list[str]:
    """The versions of a service, oldest first as people count: v2 before v10."""
    if service not in services(where=where):
        return []
    return sorted((path.stem for path in (where / service).glob("*.yaml")), key=_natural)


def verify(source: Source, release: Release) -> list[Problem]:
    """What a valid manifest still lacks before it may meet users: its own name, and evidence that is good enough."""
    found = []
    if Path(source.file).stem != release.version:
        message = f"the file is named {brief(Path(source.file).name)}; a release is named for its version"
        found.append(source.problem(("version",), message))
    if not release.evaluation:
        found.append(source.problem(("evaluation",), "there is no evidence; add at least one evaluation"))
    for number, evaluation in enumerate(release.evaluation):
        if evaluation.score < evaluation.minimum:
            message = f"{evaluation.suite} reached {evaluation.score:.1%}, {evaluation.minimum:.1%} was asked for"
            found.append(source.problem(("evaluation", number, "score"), message))
    return found


def unreleased(fleet: Fleet, source: Source, *, where: Path = RELEASES) -> list[Problem]:
    """Problems with the first releases that a fleet file names: none there, or not valid."""
    found = []
    for number, service in enumerate(fleet.services):
        try:
            load_release(service.name, service.release, where=where)
        except UnknownRelease as error:
            found.append(source.problem(("services", number, "release"), error.what))
        except ReleaseError as error:
            found.extend(error.problems)
    return found


def diff(old: Release, new: Release) -> list[tuple[str, Any, Any]]:
    """Field, old value, new value of everything that differs; None where a field is absent."""
    before, after = dict(_leaves(old.model_dump(mode="json"))), dict(_leaves(new.model_dump(mode="json")))
    fields = [*before, *(field for field in after if field not in before)]
    return [(field, before.get(field), after.get(field)) for field in fields if before.get(field) != after.get(field)]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every single value with its path."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    else:
        yield path, value


def _natural(version: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", version)]
