"""Secrets that are set while a fleet is made and rendered: no file and no output may have one."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

from campaign.report import Report

from infra_campaign.part import Job

VARIABLES = (
    "ARM_CLIENT_SECRET",
    "ARM_ACCESS_KEY",
    "ARM_OIDC_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AZURE_PASSWORD",
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "PULUMI_ACCESS_TOKEN",
)
COMMANDS = (
    ("fleet", "up", "--emulated", "--yes", "--details", "-o", "json"),
    ("fleet", "drift", "--emulated", "-o", "json"),
    ("fleet", "up", "--emulated", "--yes", "-o", "json"),
    ("fleet", "render", "--out", "RENDERED", "-o", "json"),
)


def canary(job: Job) -> Report:
    """All of demo in an emulation whose passphrase is a canary, too; everything it wrote is searched."""
    report, state = Report(), job.folder / "state"
    values = {name: f"canary-{name.lower().replace('_', '-')}-8c41d7" for name in (*VARIABLES, "passphrase")}
    passphrase = state / "demo" / "emulated" / "passphrase"
    passphrase.parent.mkdir(parents=True)
    passphrase.write_text(values["passphrase"], encoding="utf-8")
    (job.folder / "tmp").mkdir()
    told = {**{name: values[name] for name in VARIABLES}, "OPS_STATE": str(state), "TMPDIR": str(job.folder / "tmp")}
    for number, words in enumerate(COMMANDS):
        arguments = [str(job.folder / "rendered") if word == "RENDERED" else word for word in words]
        ops = [str(Path(sys.executable).with_name("ops")), *arguments]
        done = subprocess.run(ops, env={**os.environ, **told}, capture_output=True, check=False)
        (job.folder / f"output{number}").write_bytes(done.stdout + done.stderr)
        why = "" if done.returncode == 0 else f": {done.stderr.decode()[-500:]}"
        report.say(f"ops {' '.join(words)}: exit {done.returncode}{why}", done.returncode == 0)
    files = [path for path in job.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    hits = [(path, name) for path in files for name, value in values.items() if _has(path, value)]
    leaks = [f"{name} in {path.relative_to(job.folder)}" for path, name in hits if path != passphrase]
    size = sum(path.stat().st_size for path in files) / 1e6
    told_leaks = f" {', '.join(leaks)}" if leaks else ""
    report.say(
        f"{len(values)} canaries in {len(files)} files ({size:.1f} MB): {len(leaks)} hits{told_leaks}", not leaks
    )
    found = (passphrase, "passphrase") in hits
    report.say(f"the search works: it {'finds' if found else 'does not find'} the passphrase in its own file", found)
    report.say(f"searched: {', '.join(sorted({_kind(path, job.folder) for path in files}))}")
    return report


def _has(path: Path, value: str) -> bool:
    content, plain = path.read_bytes(), value.encode()
    return plain in content or base64.b64encode(plain)[:-4] in content


def _kind(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).parts
    return "/".join(parts[: 4 if parts[0] == "state" else 1][:-1] or parts[:1])
