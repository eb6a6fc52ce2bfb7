"""Which key signs receipts and which are trusted besides, from the environment.

It does: read the keys. It does not: hold one for production. The rule it keeps: outside development the key must be
set; the development key, whose secret half everybody can read here, is then trusted by nobody.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from api.receipts.signing import Signer
from api.sources.settings import Secret

_DEVELOPMENT_SEED = hashlib.sha256(b"a key of receipts for development alone").digest()
DEVELOPMENT_KEY = Signer(_DEVELOPMENT_SEED).public
_SEED_BYTES = 32
PUBLIC_KEY = re.compile(r"[0-9a-f]{64}")
_KEY, _TRUSTED = "CREDITLINE_RECEIPT_KEY", "CREDITLINE_RECEIPT_TRUSTED"


class Unset(ValueError):
    """The key is not set, and only development may do without."""


@dataclass(frozen=True, slots=True)
class ReceiptSettings:
    """The key that signs (`CREDITLINE_RECEIPT_KEY`, base64 of 32 bytes), and those that signed before it.

    `trusted` (`CREDITLINE_RECEIPT_TRUSTED`) are public keys, 64 hexadecimal digits each with commas between.
    """

    key: Secret = field(default_factory=lambda: Secret(""))
    trusted: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Self:
        """Read them; ValueError names the variable that cannot be read, and does not repeat it."""
        key = variables.get(_KEY, "")
        if key:
            _seed(key)
        trusted = tuple(each.strip() for each in variables.get(_TRUSTED, "").split(",") if each.strip())
        if not all(PUBLIC_KEY.fullmatch(each) for each in trusted):
            raise ValueError(f"{_TRUSTED} is public keys of 64 hexadecimal digits, commas between")
        return cls(Secret(key), trusted)

    def missing(self) -> str | None:
        """The variable without which no receipt can be signed outside development."""
        return None if self.key else _KEY

    def signer(self, *, development: bool) -> Signer:
        """The key that signs; development has one that everybody knows. Unset where production has none."""
        if self.key:
            return Signer(_seed(self.key.reveal()))
        if not development:
            raise Unset(f"{_KEY} must be set: receipts of decisions are signed by it")
        return Signer(_DEVELOPMENT_SEED)

    def public_keys(self, *, development: bool) -> tuple[bytes, ...]:
        """The keys whose signatures count: the one that signs, then those that did. Unset where there is none."""
        public = tuple(bytes.fromhex(each) for each in self.trusted)
        if self.key or development or not public:
            return (self.signer(development=development).public, *public)
        return public


def _seed(text: str) -> bytes:
    try:
        seed = base64.b64decode(text, validate=True)
    except binascii.Error:
        seed = b""
    if len(seed) != _SEED_BYTES:
        raise ValueError(f"{_KEY} is written as base64 of 32 bytes")
    return seed
