"""Sealing what must be read again but not by whoever finds the file: AES-256-GCM under named keys.

It does: seal bytes to a place (`aad`: table, column and row, or a document's id), so that a sealed blob cannot be
moved to another. It does not: keep keys; they come from settings. The rules it keeps: every blob names its key, the
first key seals and every key opens, so keys are rotated by putting a new one first; a nonce is never chosen by us.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from secrets import token_bytes
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE_BYTES, _KEY_BYTES = 12, 32
_KEY_ID = re.compile(r"[a-z0-9-]{1,32}")


class CannotOpen(Exception):
    """The blob was sealed elsewhere, by a key that is not here, or was changed."""


class Sealer:
    """Seals and opens bytes. A blob is version, length of the key's id, the id, nonce, ciphertext with its tag."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """`keys` of 32 bytes by id, the one that seals first; ValueError for none, or one that is no such key."""
        if not keys or any(not _KEY_ID.fullmatch(name) or len(key) != _KEY_BYTES for name, key in keys.items()):
            raise ValueError("sealing takes at least one key: an id of a-z, 0-9 and -, and 32 bytes")
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._current = next(iter(keys))

    @classmethod
    def of(cls, text: str) -> Self:
        """From `id:base64,id:base64`, as settings hold it; ValueError does not repeat any of it."""
        keys: dict[str, bytes] = {}
        for part in text.split(","):
            name, _, encoded = part.strip().partition(":")
            try:
                keys[name] = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                raise ValueError("a sealing key is written id:base64") from None
        return cls(keys)

    def __repr__(self) -> str:
        return f"Sealer(current={self._current!r})"

    def seal(self, plain: bytes, aad: str) -> bytes:
        """The sealed bytes, which open only with the same `aad`."""
        name, nonce = self._current.encode(), token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, plain, aad.encode())
        return _VERSION + bytes([len(name)]) + name + nonce + sealed

    def open(self, sealed: bytes, aad: str) -> bytes:
        """The plain bytes; CannotOpen where the key, the place or a byte is another."""
        end = 2 + sealed[1] if len(sealed) > 1 else 0
        cipher = self._ciphers.get(sealed[2:end].decode("ascii", "replace")) if sealed[:1] == _VERSION else None
        if cipher is None or len(sealed) < end + _NONCE_BYTES:
            raise CannotOpen("sealed by a key that is not here")
        try:
            return cipher.decrypt(sealed[end : end + _NONCE_BYTES], sealed[end + _NONCE_BYTES :], aad.encode())
        except InvalidTag:
            raise CannotOpen("sealed elsewhere, or changed since") from None
