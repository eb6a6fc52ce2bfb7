"""The console's own style sheet, script and icon: read once, each with a digest of its bytes.

The rule: an address names the bytes it stands for (`?v=`), so a browser may keep them for a year and never shows an
old script on a new page.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

_FOLDER = Path(__file__).parent / "static"
_MEDIA_TYPES = {
    ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
}  # fmt: skip
PLACE: Final = "/console/static"
CACHING: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served; `version` is the beginning of the SHA-256 of its bytes."""

    name: str
    body: bytes
    media_type: str
    version: str

    @property
    def address(self) -> str:
        """Where pages find exactly these bytes."""
        return f"{PLACE}/{self.name}?v={self.version}"


def _read(file: Path) -> Asset:
    body = file.read_bytes()
    return Asset(file.name, body, _MEDIA_TYPES[file.suffix], sha256(body).hexdigest()[:16])


# Nothing but what is in this table is ever served: a name is looked up, never joined to a path.
ASSETS: Final[dict[str, Asset]] = {file.name: _read(file) for file in sorted(_FOLDER.iterdir()) if file.is_file()}


def address(name: str) -> str:
    """The address of one of our files; KeyError for another."""
    return ASSETS[name].address
