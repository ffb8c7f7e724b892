"""What a part of a campaign hands back: its figures as lines, and whether they are as they must be."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """The figures of one part."""

    ok: bool = True
    lines: list[str] = field(default_factory=list)

    def say(self, line: str, good: bool = True) -> None:
        """A figure; one that is not as it must be fails the part."""
        self.lines.append(line if good else f"FAILED  {line}")
        self.ok &= good
