"""Folders of real releases to be swapped: the shipped one, and others of its model that judge more or less strictly.

It does: publish them into a folder of the test's own. It does not: train. The rule it keeps: each loads with every
check, and a shift moves every PD the same way, so that a test knows which approves less.
"""

import shutil
from pathlib import Path
from typing import Any

import models
from engine.release import MANIFEST_NAME, Manifest, ReleaseFacts
from models import rollout as rollouts

SHIPPED = "synthetic-2026-11"


def folder_of(root: Path, **shifts: float) -> Path:
    """A folder with the shipped release as champion, and one more release for each name, shifted in log-odds."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copytree(models.ROOT / SHIPPED, root / SHIPPED)
    for sequence, (name, shift) in enumerate(shifts.items(), start=2):
        publish(root, name.replace("_", "-"), sequence, shift)
    models.promote(SHIPPED, root)
    return root


def publish(root: Path, name: str, sequence: int, shift: float, **changes: Any) -> None:
    """The shipped model under another name and a shifted calibration; `changes` are of its facts."""
    models.publish(models.draft(facts_of(name, sequence, shift, **changes), files()), root)


def files() -> dict[str, bytes]:
    """The four files that the shipped manifest names."""
    return {file.name: file.read_bytes() for file in (models.ROOT / SHIPPED).iterdir() if file.name != MANIFEST_NAME}


def facts_of(name: str, sequence: int, shift: float, **changes: Any) -> ReleaseFacts:
    """The facts of the shipped release, changed."""
    manifest = Manifest.parse((models.ROOT / SHIPPED / MANIFEST_NAME).read_bytes())
    line = manifest.calibration
    moved = line.model_copy(update={"intercept": line.intercept + shift})
    told = {each: getattr(manifest, each) for each in ReleaseFacts.model_fields}
    return ReleaseFacts.model_validate(told | {"name": name, "sequence": sequence, "calibration": moved} | changes)


def try_out(root: Path, name: str, allowed: int | None = None, **stated: Any) -> models.Plan:
    """Start a roll-out of a release against the champion, and allow this share at once."""
    told = PLAN | stated
    told["up_to"] = max(told["stages"])
    plan = rollouts.new_plan(models.champion(root=root), models.load(name, root), **told)
    assert rollouts.start(plan, root)
    if allowed is not None:
        rollouts.advance(root, allowed)
    return plan


PLAN: dict[str, Any] = {
    "stages": (100, 500, 2_500, 10_000), "alpha": 500, "expected": 0, "margin": 10_000,
    "most_differing": 10_000, "least_compared": 10_000_000, "least_made": 10_000_000, "why": "a test",
    "stated_on": "2026-11-20",
}  # fmt: skip
