"""What the folder of releases says, loaded with every check.

It does: tell whether a file changed, and load the champion, the plan and the challenger, each apart from the others. It
does not: put anything into service. The rule it keeps: what does not load is a reason in words, never an exception.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import models
from api.rollout.arms import Lineup
from engine.release import Release
from models import rollout as rollouts
from models.promotion import FILE_NAME as CHAMPION

_FILES: Final = (CHAMPION, rollouts.LINE_NAME, rollouts.PLAN_NAME)
Mark = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Folder:
    """Where releases are, who is believed, and why this service may not serve one that loads (None: it may)."""

    root: Path
    trust: Path | None
    fault_of: Callable[[Release], str | None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the folder says; None for what could not be loaded, or is not there."""

    champion: Release | None
    rollout: models.Rollout | None
    challenger: Release | None
    refused: tuple[tuple[str, str], ...]  # stage and reason


def marks_of(folder: Folder) -> tuple[Mark, ...]:
    """What tells whether one of the files that people change is another than before."""
    return tuple(_mark(folder.root / name) for name in _FILES)


def load_folder(folder: Folder, lineup: Lineup) -> Loaded:
    """Everything that the folder says, loaded with every check; what serves already is not loaded again."""
    refused: list[tuple[str, str]] = []
    rollout = None

    def surely(piece: Callable[[], Release]) -> Release | None:
        try:
            release = piece()
        except models.ReleaseRejected as refusal:
            refused.append((refusal.stage, refusal.reason))
            return None
        except OSError as error:
            refused.append(("name", error.strerror or "cannot be read"))
            return None
        if (fault := folder.fault_of(release)) is not None:
            refused.append(("pretended", fault))
            return None
        return release

    def champion() -> Release:
        line = models.champion_line(folder.root)
        if line is not None and line.digest == lineup.champion.digest:
            return lineup.champion
        return models.champion(root=folder.root, trust=_trust(folder))

    served = surely(champion)
    try:
        rollout = rollouts.read_rollout(folder.root, _trust(folder))
    except models.ReleaseRejected as refusal:
        refused.append((refusal.stage, refusal.reason))
    tried = None
    if rollout is not None and rollout.allowed is not None and served is not None:
        found = rollout
        if found.plan.champion.digest == served.digest:
            tried = surely(lambda: rollouts.challenger(found, folder.root, trust=_trust(folder)))
    return Loaded(served, rollout, tried, tuple(refused))


def _trust(folder: Folder) -> models.TrustRoot | None:
    return None if folder.trust is None else models.read_trust(folder.trust)


def _mark(path: Path) -> Mark:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
