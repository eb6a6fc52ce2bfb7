"""A passkey authenticator in software: makes a key pair, and answers the two ceremonies as a browser would hand it on.

It does: ES256 alone, attestation "none". It does not: ask a person anything; whether one was verified is told to it.
The rule it keeps: what it sends is built byte by byte from the specification's layout, with no help from the library
that verifies it but its CBOR.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One credential for one party; `counter` goes up with every answer unless it is set back."""

    origin: str
    party: str
    verified: bool = True
    counter: int = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """What `navigator.credentials.create(...).toJSON()` gives for these options."""
        assert options["rp"]["id"] == self.party
        client = self._client("webauthn.create", options["challenge"], changes)
        length = len(self.credential_id).to_bytes(2)
        attested = bytes(16) + length + self.credential_id + cbor2.dumps(self._public())
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(_ATTESTED) + attested}
        response = {"clientDataJSON": encoded(client), "attestationObject": encoded(cbor2.dumps(attestation))}
        return self._credential(response)

    def get(self, options: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """What `navigator.credentials.get(...).toJSON()` gives for these options."""
        assert options["rpId"] == self.party
        assert encoded(self.credential_id) in {each["id"] for each in options["allowCredentials"]}
        client, data = self._client("webauthn.get", options["challenge"], changes), self._data(0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            {
                "clientDataJSON": encoded(client),
                "authenticatorData": encoded(data),
                "signature": encoded(signature),
                "userHandle": None,
            }
        )

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        name = encoded(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}

    def _client(self, kind: str, challenge: str, changes: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False, **changes}
        return json.dumps(told).encode()

    def _data(self, flags: int) -> bytes:
        self.counter += 1
        flags |= _PRESENT | (_VERIFIED if self.verified else 0)
        return hashlib.sha256(self.party.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4)

    def _public(self) -> dict[int, Any]:
        """The public key in COSE: kind EC2, ES256, curve P-256, x, y."""
        numbers = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
