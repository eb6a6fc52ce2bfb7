"""A face's own style sheet, script and icon: read once, each with a digest of its bytes.

The rule: an address names the bytes it stands for (`?v=`), so a browser may keep them for a year and never shows an
old script on a new page.
"""

from dataclasses import dataclass
from gzip import compress
from hashlib import sha256
from pathlib import Path
from typing import Final

_MEDIA_TYPES = {
    ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
}  # fmt: skip
CACHING: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served; `version` is the beginning of the SHA-256 of its bytes, `gzipped` the same pressed."""

    name: str
    body: bytes
    gzipped: bytes
    media_type: str
    version: str


class Assets:
    """The files of one folder. Nothing but these is ever served: a name is looked up, never joined to a path."""

    def __init__(self, folder: Path, place: str) -> None:
        self._place = place
        self.files = {file.name: _read(file) for file in sorted(folder.iterdir()) if file.suffix in _MEDIA_TYPES}

    def get(self, name: str) -> Asset | None:
        """One file by its name."""
        return self.files.get(name)

    def address(self, name: str) -> str:
        """Where pages find exactly these bytes; KeyError for a file that is not here."""
        return f"{self._place}/{name}?v={self.files[name].version}"


def _read(file: Path) -> Asset:
    body = file.read_bytes()
    return Asset(file.name, body, compress(body, mtime=0), _MEDIA_TYPES[file.suffix], sha256(body).hexdigest()[:16])
