"""Where and on what a figure was measured: machine, Python, commit, release, day.

It does: read what the system tells (Linux) and what git tells. It does not: measure. The rule it keeps: a tree that
differs from its commit is called uncommitted, since its figures cannot be had again.
"""

import os
import platform
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import models

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
_PACKAGES = ("numpy", "pydantic", "lightgbm", "litestar", "granian", "sqlalchemy")


@dataclass(frozen=True, slots=True)
class Machine:
    """The circumstances of one run."""

    processor: str
    cores: int
    memory_gib: float
    load: float
    file_system: str
    system: str
    python: str
    packages: str
    commit: str
    release: str
    measured_at: str
    peers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def here(cls) -> "Machine":
        """The machine at hand, before the run: `load` says how busy others kept it."""
        release = models.champion()
        return cls(
            processor=_first("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
            cores=len(os.sched_getaffinity(0)),
            memory_gib=round(int((_first("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) / 2**20, 1),
            load=round(os.getloadavg()[0], 1),
            file_system=file_system(ROOT),
            system=f"{platform.system()} {platform.release()}",
            python=f"{platform.python_implementation()} {platform.python_version()}",
            packages=", ".join(f"{name} {version(name)}" for name in _PACKAGES),
            commit=_commit(),
            release=f"{release.name} ({release.digest[:12]})",
            measured_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        )


def file_system(folder: Path) -> str:
    """The kind of file system that holds a folder; a figure with fsync in it means little on tmpfs."""
    best, kind = "", "unknown"
    for line in _lines("/proc/self/mounts"):
        _, mount, found, *_ = line.split()
        if folder.is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, found
    return kind


def _first(path: str, key: str) -> str | None:
    return next((line.split(":", 1)[1].strip() for line in _lines(path) if line.startswith(key)), None)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _commit() -> str:
    """The short commit, or `uncommitted`; the results file itself may differ, since each run writes it."""
    others = f":(exclude){RESULTS.relative_to(ROOT).as_posix()}"
    commit, changes = _git("rev-parse", "--short", "HEAD"), _git("status", "--porcelain", "--", ".", others)
    return commit if commit and changes == "" else "uncommitted"


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
