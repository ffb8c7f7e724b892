"""What every part of a file that people edit is made of: a frozen model that knows its keys, and the kinds of names.

The messages of the validators here reach people as they are: they say what would be right.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from infra.yamlfile.problem import brief

T = TypeVar("T")


class Part(BaseModel):
    """A mapping in a file: its keys are the fields and no others, and nothing in it changes after it was read."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def matching(pattern: str, hint: str) -> AfterValidator:
    """Text of one form. Otherwise the message is the value and then `hint`."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(f"{brief(text)}: {hint}")
        return text

    return AfterValidator(check)


def in_schema(pattern: str) -> Any:
    """The same form in the JSON Schema, for editors."""
    return Field(json_schema_extra={"pattern": f"^{pattern}$"})


def no_twins(items: tuple[T, ...]) -> tuple[T, ...]:
    """A list in which nothing is written twice."""
    for place, item in enumerate(items):
        if item in items[:place]:
            raise ValueError(f"{brief(item)} is in the list twice")
    return items


_NAME = r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?"
_POOL = r"[a-z][a-z0-9]{0,11}"
_REFERENCE = r"[a-z][a-z0-9-]*:[A-Za-z0-9][A-Za-z0-9._/-]*"

_GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_DOMAIN = r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
_KUBERNETES = r"1\.[0-9]{2}"

Name = Annotated[
    str,
    matching(_NAME, "a name has up to 40 lower-case letters, digits and dashes, and begins with a letter"),
    in_schema(_NAME),
]
PoolName = Annotated[
    str,
    matching(_POOL, "an AKS pool name has at most 12 lower-case letters and digits and begins with a letter"),
    in_schema(_POOL),
]
SecretReference = Annotated[
    str,
    matching(_REFERENCE, "write where the contact is kept, such as keyvault:oncall-ana, and not the contact itself"),
    in_schema(_REFERENCE),
]
Guid = Annotated[
    str,
    matching(_GUID, "write an id such as 1b4e28ba-2fa1-11d2-883f-0016d3cca427, in lower case"),
    in_schema(_GUID),
]
Domain = Annotated[str, matching(_DOMAIN, "write a domain such as models.example.com"), in_schema(_DOMAIN)]
KubernetesVersion = Annotated[
    str, matching(_KUBERNETES, 'write major and minor, in quotes, such as "1.34"'), in_schema(_KUBERNETES)
]
Line = Annotated[str, Field(min_length=1, max_length=500)]
Count = Annotated[int, Strict(), Field(ge=0, le=1_000_000)]
Positive = Annotated[int, Strict(), Field(ge=1, le=1_000_000_000)]
Flag = Annotated[bool, Strict()]
