"""What the plugins of an emulation must know, in a file of its directory. Reads and writes that file and no other."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from infra import store

VARIABLE = "BELLWETHER_EMULATION"  # tells the plugins where their emulation lies


@dataclass(frozen=True, slots=True)
class Settings:
    """What the plugins must know. `operation` is how many seconds a cluster or a pool takes to be made or changed."""

    directory: Path
    subscription: str
    tenant: str
    operation: float = 0.02  # long enough that operations which may overlap do, short enough for tests
    limits: str = ""  # the fleet's limits file; without one no quota is known and none is held against anybody

    @property
    def ledger(self) -> Path:
        """The emulated subscription: JSON lines."""
        return self.directory / "ledger.jsonl"

    @property
    def faults(self) -> Path:
        """The faults to come: JSON."""
        return self.directory / "faults.json"

    def write(self) -> None:
        """Leave them where `read` finds them."""
        kept = {key: value for key, value in asdict(self).items() if key != "directory"}
        store.write_json(self.directory / "settings.json", kept)

    @classmethod
    def read(cls, directory: Path) -> Settings:
        """Those of an emulation's directory."""
        return cls(directory, **store.read_json(directory / "settings.json"))

    @classmethod
    def given(cls) -> Settings:
        """Those of the emulation that this process was started in."""
        return cls.read(Path(os.environ[VARIABLE]))
