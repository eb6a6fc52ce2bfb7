"""The key that signs receipts, and the file that a signed receipt is.

It does: write `{"receipt":<what is signed>,"signature":"<hexadecimal>"}` and check a signature quickly. It does not:
take a file apart (standalone does, for everybody alike). The rule it keeps: exactly the bytes between are signed, and
they are canonical, as the file is.
"""

from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from api.audit.checkpoints import key_id_of
from engine.canonical import canonical_bytes


class Signer:
    """An Ed25519 key; `key_id` is made of the public half, so the two cannot be mixed up."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()
        self.key_id = key_id_of(self.public)

    def sign(self, content: Mapping[str, object]) -> bytes:
        """The file of a receipt that says this; the same content gives the same bytes."""
        body = canonical_bytes({**content, "key": self.key_id})
        return b'{"receipt":' + body + b',"signature":"' + self._key.sign(body).hex().encode() + b'"}'


def is_signed(public: bytes, body: bytes, signature: bytes) -> bool:
    """Whether the holder of this key signed these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, body)
    except (InvalidSignature, ValueError):
        return False
    return True
