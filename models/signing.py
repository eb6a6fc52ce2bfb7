"""Signed statements: DSSE envelopes (Dead Simple Signing Envelope, version 1.0) with Ed25519 signatures.

It does: put a payload and the signatures over it into one file, and say which signatures are good. It does not: know
whom to believe (models.trust does) or hold a private key (the desk does). The rule it keeps: what is signed is the
payload's bytes together with its type, so that no signature over one kind of statement ever passes for another.
"""

import base64
import binascii
import hashlib
from typing import Annotated, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ConfigDict, Field

from engine.canonical import canonical_bytes
from engine.values import Frozen

ENVELOPE_NAME: Final = "manifest.dsse.json"
MANIFEST_TYPE: Final = "application/vnd.creditline.manifest.v1+json"
ROLLBACK_TYPE: Final = "application/vnd.creditline.rollback.v1+json"
ROLLOUT_TYPE: Final = "application/vnd.creditline.rollout.v1+json"
TRUST_TYPE: Final = "application/vnd.creditline.trust.v1+json"
MOST_SIGNATURES: Final = 16
MAX_ENVELOPE_BYTES: Final = 2 * 1024 * 1024


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: the bytes that a signature is made over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def key_id_of(public: bytes) -> str:
    """A key's id, made of its 32 public bytes, so that the two cannot be mixed up."""
    return hashlib.sha256(public).hexdigest()[:32]


class Signature(Frozen):
    """One signature: whose key, and its 64 bytes in base64."""

    keyid: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    sig: Annotated[str, Field(max_length=100)]


class Envelope(Frozen):
    """A payload and the signatures over it; to_bytes() is the one byte form of the file."""

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    payload: str
    payload_type: Annotated[str, Field(alias="payloadType", max_length=100)]
    signatures: Annotated[tuple[Signature, ...], Field(max_length=MOST_SIGNATURES, strict=False)]

    @classmethod
    def around(cls, payload_type: str, payload: bytes) -> Self:
        """A payload that nobody has signed yet."""
        return cls(payload=base64.b64encode(payload).decode(), payload_type=payload_type, signatures=())

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an envelope's file; ValueError where it is not exactly what to_bytes() writes."""
        if len(data) > MAX_ENVELOPE_BYTES:
            raise ValueError(f"an envelope is not longer than {MAX_ENVELOPE_BYTES} bytes")
        envelope = cls.model_validate_json(data)
        if envelope.to_bytes() != data:
            raise ValueError("the envelope is not in its one byte form")
        return envelope

    def to_bytes(self) -> bytes:
        """Sorted keys, no spaces, signatures in order of their keys."""
        stated = self.model_dump(mode="json", by_alias=True)
        stated["signatures"].sort(key=lambda signature: signature["keyid"])
        return canonical_bytes(stated)

    def content(self, payload_type: str) -> bytes:
        """The payload, which must be of this type; ValueError where it is not."""
        if self.payload_type != payload_type:
            raise ValueError(f"the envelope holds {self.payload_type}, not {payload_type}")
        return _decoded(self.payload)

    def with_signature(self, signature: Signature) -> Self:
        """The same with one signature more, in place of an earlier one by the same key."""
        others = [each for each in self.signatures if each.keyid != signature.keyid]
        return self.model_copy(update={"signatures": (*others, signature)})

    def is_good(self, signature: Signature, public: bytes) -> bool:
        """Whether a signature is this key's over this payload and type."""
        try:
            key = Ed25519PublicKey.from_public_bytes(public)
            key.verify(_decoded(signature.sig), pae(self.payload_type, _decoded(self.payload)))
        except (InvalidSignature, ValueError):
            return False
        return True


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if base64.b64encode(data).decode() != text:
        raise ValueError("base64 in another spelling")
    return data
