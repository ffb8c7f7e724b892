"""The next command that an error names, for the fleet and region that the person gave. Pure: text in, text out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from itertools import zip_longest

WITH_FLEET = frozenset(
    {
        *(
            "load profiles",
            "load regions",
            "release verify",
            "fleet check",
            "fleet preflight",
            "fleet residency",
            "fleet render",
            "fleet bootstrap",
        ),
        *(f"fleet stacks {name}" for name in ("list", "write")),
        *(f"fleet emulate {name}" for name in ("show", "change", "fault")),
    }
)
"""Commands that take --fleet and no --region; all that are in neither table take none."""

WITH_BOTH = frozenset(
    {
        "release current",
        *(f"load {name}" for name in ("run", "replay", "search", "gate", "accept", "history", "kubernetes", "azure")),
        *(f"fleet {name}" for name in ("show", "preview", "up", "drift", "destroy")),
        *(f"fleet recover {name}" for name in ("look", "cancel", "import", "restore")),
        *(f"local {name}" for name in ("up", "status", "down", "logs")),
        *(f"rollout {name}" for name in ("start", "resume", "watch", "status", "history")),
        *(f"rollout {name}" for name in ("pause", "promote", "abort", "undo", "explain")),
    }
)
COMMAND = re.compile(
    r"\bops (?P<name>fleet (?:stacks|emulate|recover) [a-z]+|[a-z]+ [a-z]+)\b(?! --help)(?: [\w.-]+(?=[,;:)]|$))?"
)
"""A command with its argument, if it has one; prose goes on after a command, an argument ends its clause."""


def given(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The fleet and the region that a command line names, or else the environment."""
    fleet = _last(arguments, "--fleet") or environment.get("OPS_FLEET")
    return fleet, _last(arguments, "--region") or environment.get("OPS_REGION")


def aimed(text: str, fleet: str | None, region: str | None) -> str:
    """`text` with these options behind each command of ours that takes them and has none yet."""

    def aim(found: re.Match[str]) -> str:
        name, rest = found["name"], text[found.end() :].partition("ops ")[0]
        options = {"--fleet": fleet if name in WITH_FLEET | WITH_BOTH else None}
        options |= {"--region": region if name in WITH_BOTH else None}
        words = (f" {key} {shlex.quote(value)}" for key, value in options.items() if value and key not in rest)
        return found[0] + "".join(words)

    return COMMAND.sub(aim, text)


def _last(arguments: Sequence[str], option: str) -> str | None:
    """The value of an option, `--fleet x` or `--fleet=x`; of two the later one, as the parser has it."""
    value = None
    for word, following in zip_longest(arguments, arguments[1:]):
        if word == option:
            value = following
        elif word.startswith(f"{option}="):
            value = word.partition("=")[2]
    return value
