"""A model's folder, whether a draft's or a release's: what its own file tells.

It does: find the file and read it. It does not: check signatures or digests (models does, before anything decides). The
rule it keeps: a folder that is neither is named with what it lacks.
"""

import json
from pathlib import Path
from typing import Any, Final

from engine.release import MANIFEST_NAME

DRAFT_FILE: Final = "draft.json"
_TOLD: Final = (DRAFT_FILE, MANIFEST_NAME)


def told_in(folder: Path) -> dict[str, Any]:
    """What draft or manifest tells: features, calibration, training, more; ValueError where the folder is neither."""
    file = next((folder / name for name in _TOLD if (folder / name).is_file()), None)
    if file is None:
        raise neither(folder)
    told: dict[str, Any] = json.loads(file.read_bytes())
    return told


def neither(folder: Path) -> ValueError:
    """The error of a folder that is neither a draft's nor a release's."""
    return ValueError(f"{folder} is neither a draft nor a release: it has no {' or '.join(_TOLD)}")
