"""The trust root: whose keys may sign releases, in which role, and from when to when.

It does: hold a statement to two signatures by two people, a trainer and an approver. It does not: sign, or say who may
write the file: that is the operating system's matter, and in production it lies where those who can write releases
cannot. The rule it keeps: one person never counts twice, however many keys or roles they hold; a new root is believed
only where two people of the old one signed it.
"""

import base64
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from engine.canonical import canonical_bytes
from engine.release import Day, Line, Signer
from engine.values import Frozen, problem
from models.rejection import ReleaseRejected, Stage
from models.signing import MAX_ENVELOPE_BYTES, TRUST_TYPE, Envelope, key_id_of

TRUST_NAME: Final = "TRUST.json"
Role = Literal["trainer", "approver"]
ROLES: Final[tuple[Role, ...]] = ("trainer", "approver")
_KEY_BYTES: Final = 32


class TrustedKey(Frozen):
    """One public key: whose it is, what it may sign as, on which days (both included)."""

    public: Annotated[str, Field(max_length=60)]
    person: Line
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=2, strict=False)]
    valid_from: Day
    valid_to: Day

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if len(base64.b64decode(self.public, validate=True)) != _KEY_BYTES:
            raise problem("key_bytes", "An Ed25519 public key has 32 bytes")
        if self.valid_to < self.valid_from:
            raise problem("key_days", "A key's last day is not before its first")
        return self

    @property
    def key_id(self) -> str:
        """The id that signatures name it by."""
        return key_id_of(self.public_bytes)

    @property
    def public_bytes(self) -> bytes:
        """The 32 bytes."""
        return base64.b64decode(self.public)

    def valid(self, days: Sequence[date]) -> bool:
        """Whether it may have signed on each of these days."""
        return all(self.valid_from <= day.isoformat() <= self.valid_to for day in days)


class TrustRoot(Frozen):
    """All keys that are believed; every change is a new version."""

    schema_version: Literal[1] = 1
    version: Annotated[int, Field(ge=1)]
    keys: Annotated[tuple[TrustedKey, ...], Field(min_length=2, max_length=100, strict=False)]

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        if len({key.key_id for key in self.keys}) != len(self.keys):
            raise problem("keys", "A key stands twice")
        return self

    def to_bytes(self) -> bytes:
        """The one byte form, which is what is signed."""
        return canonical_bytes(self.model_dump(mode="json"))

    def signers(self, envelope: Envelope, days: Sequence[date], stage: Stage = "signature") -> tuple[Signer, ...]:
        """Whose signatures stand; raises ReleaseRejected unless a trainer and an approver, two people, are among them.

        Each key must be valid on every one of `days`. A signature by a key that is not in the root counts for
        nothing; one by a known key that is wrong ends it.
        """
        known = {key.key_id: key for key in self.keys}
        found: list[Signer] = []
        for signature in envelope.signatures:
            key = known.get(signature.keyid)
            if key is None:
                continue
            if not envelope.is_good(signature, key.public_bytes):
                raise ReleaseRejected(stage, f"the signature of {key.person} is not over these bytes")
            if not key.valid(days):
                raise ReleaseRejected(stage, f"the key of {key.person} is valid {key.valid_from} to {key.valid_to}")
            found += [Signer(person=key.person, role=role, key_id=signature.keyid) for role in key.roles]
        self._two_people(found, stage)
        return tuple(sorted(found, key=lambda signer: (signer.role != ROLES[0], signer.person)))  # trainers first

    def _two_people(self, found: Sequence[Signer], stage: Stage) -> None:
        by_role = {role: {signer.person.casefold() for signer in found if signer.role == role} for role in ROLES}
        for role, people in by_role.items():
            if not people:
                raise ReleaseRejected(stage, f"no {role} in the trust root has signed")
        if len(by_role["trainer"] | by_role["approver"]) < len(ROLES):
            raise ReleaseRejected(stage, "trainer and approver are one person: two must sign")


def read_trust(path: Path) -> TrustRoot:
    """The trust root in a file; raises ReleaseRejected (trust) where there is none or it cannot be read."""
    return _root(_read(path))


def first_root(root: TrustRoot) -> bytes:
    """The file of a first version, which nobody could sign yet: whoever places it vouches for it."""
    return Envelope.around(TRUST_TYPE, root.to_bytes()).to_bytes()


def check_successor(old: TrustRoot, new: bytes, today: date) -> TrustRoot:
    """The new root, where it is the next version and two people of the old one signed it; else ReleaseRejected."""
    envelope = _envelope(new)
    root = _root(envelope)
    if root.version != old.version + 1:
        raise ReleaseRejected("trust", f"version {root.version} does not follow version {old.version}")
    old.signers(envelope, (today,), "trust")
    return root


def _read(path: Path) -> Envelope:
    try:
        with path.open("rb") as file:
            return _envelope(file.read(MAX_ENVELOPE_BYTES + 1))
    except OSError as error:
        raise ReleaseRejected("trust", f"the trust root {path} cannot be read: {error.strerror}") from error


def _envelope(data: bytes) -> Envelope:
    try:
        return Envelope.parse(data)
    except ValueError as error:
        raise ReleaseRejected("trust", f"the trust root is malformed: {_short(error)}") from error


def _root(envelope: Envelope) -> TrustRoot:
    try:
        payload = envelope.content(TRUST_TYPE)
        root = TrustRoot.model_validate_json(payload)
    except ValueError as error:
        raise ReleaseRejected("trust", f"the trust root is malformed: {_short(error)}") from error
    if root.to_bytes() != payload:
        raise ReleaseRejected("trust", "the trust root is not in its one byte form")
    return root


def _short(error: ValueError) -> str:
    return error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
