"""The console's own style sheet, script and icon, under addresses that name their bytes (api.pages.assets)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from api.pages.assets import Asset, Assets

PLACE: Final = "/console/static"
_FILES: Final = Assets(Path(__file__).parent / "static", PLACE)
ASSETS: Final[Mapping[str, Asset]] = _FILES.files


def address(name: str) -> str:
    """Where pages find exactly these bytes; KeyError for another file."""
    return _FILES.address(name)
