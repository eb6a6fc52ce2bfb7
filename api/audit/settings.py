"""Where checkpoints are kept and which keys sign and are trusted, from the environment.

The rule it keeps: outside development the folder and the key must be set, and the development key, whose secret half
everybody can read here, is trusted by nobody.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sqlalchemy import make_url

from api.audit.checkpoints import Folder, Keyring, Signer
from api.sources.settings import Secret

_DEVELOPMENT_SEED = hashlib.sha256(b"a key of checkpoints for development alone").digest()
_SEED_BYTES = 32
_PUBLIC = re.compile(r"[0-9a-f]{64}")


class Unset(ValueError):
    """Something that only development may do without is not set."""


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """The folder (`CREDITLINE_CHECKPOINTS`), the key that signs (`CREDITLINE_CHECKPOINT_KEY`, base64 of 32 bytes).

    `trusted` (`CREDITLINE_CHECKPOINT_TRUSTED`) are public keys, 64 hexadecimal digits each with commas between: those
    that signed before the one that signs now.
    """

    folder: Path | None = None
    key: Secret = field(default_factory=lambda: Secret(""))
    trusted: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Self:
        """Read them; ValueError names the variable that cannot be read, and does not repeat it."""
        folder = variables.get("CREDITLINE_CHECKPOINTS")
        key = variables.get("CREDITLINE_CHECKPOINT_KEY", "")
        if key:
            _seed(key)
        trusted = tuple(each.strip() for each in variables.get("CREDITLINE_CHECKPOINT_TRUSTED", "").split(",") if each)
        if not all(_PUBLIC.fullmatch(each) for each in trusted):
            raise ValueError("CREDITLINE_CHECKPOINT_TRUSTED is public keys of 64 hexadecimal digits, commas between")
        return cls(Path(folder) if folder else None, Secret(key), trusted)

    def missing(self) -> str | None:
        """The variable without which nothing can be signed outside development, the first of several."""
        told = {"CREDITLINE_CHECKPOINTS": self.folder, "CREDITLINE_CHECKPOINT_KEY": self.key}
        return next((name for name, value in told.items() if not value), None)

    def checkpoints(self, database_url: str, *, development: bool) -> Folder | None:
        """The folder; in development beside the SQLite file unless set, and none for PostgreSQL.

        Unset where production has none.
        """
        if self.folder is not None:
            return Folder(self.folder)
        if not development:
            raise Unset("CREDITLINE_CHECKPOINTS must be set: a folder that the database's role cannot write to")
        url = make_url(database_url)
        if url.get_backend_name() != "sqlite" or not url.database:
            return None
        return Folder(Path(url.database).with_suffix(".checkpoints"))

    def signer(self, *, development: bool) -> Signer:
        """The key that signs; development has one that everybody knows. Unset where production has none."""
        if self.key:
            return Signer(_seed(self.key.reveal()))
        if not development:
            raise Unset("CREDITLINE_CHECKPOINT_KEY must be set: checkpoints of the audit chain are signed by it")
        return Signer(_DEVELOPMENT_SEED)

    def keyring(self, *, development: bool) -> Keyring:
        """The keys whose signatures count: the one that signs, and those trusted besides. Unset where there is none."""
        public = [bytes.fromhex(each) for each in self.trusted]
        if self.key or development or not public:
            public.append(self.signer(development=development).public)
        return Keyring(*public)


def _seed(text: str) -> bytes:
    try:
        seed = base64.b64decode(text, validate=True)
    except binascii.Error:
        seed = b""
    if len(seed) != _SEED_BYTES:
        raise ValueError("CREDITLINE_CHECKPOINT_KEY is written as base64 of 32 bytes")
    return seed
