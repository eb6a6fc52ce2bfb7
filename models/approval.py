"""People's signatures on releases: added to one that lies published, and demanded for going back to an older one.

It does: add a checked signature to a release's envelope; read and write rollback statements; remember the highest
signed sequence that ever served. It does not: hold a private key. The rule it keeps: a release of a lower sequence
serves again only where a statement, signed by two people as a release is, names it and the sequence it goes below.

The memory is a file beside CHAMPION: it stops a mistake and whoever can change CHAMPION alone. Against somebody who
can write the whole folder the guard is the trust root, which lies elsewhere.
"""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from engine.canonical import canonical_bytes
from engine.release import MANIFEST_NAME, Day, Line, Manifest, Release, ReleaseName, Sha256
from engine.values import Frozen
from models.folder import locked, read_folder, replace_file
from models.rejection import ReleaseRejected
from models.signing import ENVELOPE_NAME, MANIFEST_TYPE, MAX_ENVELOPE_BYTES, ROLLBACK_TYPE, Envelope, Signature
from models.store import check_validation, parsed_manifest, read_envelope
from models.trust import TRUST_NAME, TrustRoot, read_trust

HIGHEST_NAME: Final = "HIGHEST"
STATEMENT_NAME: Final = "ROLLBACK.json"
_HIGHEST: Final = re.compile(r"([1-9][0-9]{0,17})\n")
_MOST_BYTES: Final = 64


class RollbackStatement(Frozen):
    """Why a release of a lower sequence may serve again, and below which sequence."""

    name: ReleaseName
    digest: Sha256
    sequence: Annotated[int, Field(ge=1)]
    below: Annotated[int, Field(ge=2)]  # the highest sequence that served when this was signed
    why: Line
    stated_on: Day

    def to_bytes(self) -> bytes:
        """The one byte form, which is what is signed."""
        return canonical_bytes(self.model_dump(mode="json"))


def waiting_envelope(name: str, root: Path) -> tuple[Manifest, Envelope]:
    """A published release's manifest and the envelope that signatures go into, as far as it has any."""
    files = read_folder(name, root)
    manifest = parsed_manifest(files[MANIFEST_NAME], name)
    if not manifest.signed:
        raise ReleaseRejected("signature", f"{name} was published unsigned: what its manifest says cannot change now")
    if ENVELOPE_NAME in files:
        return manifest, read_envelope(files[ENVELOPE_NAME], files[MANIFEST_NAME])
    return manifest, Envelope.around(MANIFEST_TYPE, files[MANIFEST_NAME])


def add_signature(name: str, root: Path, signature: Signature, trust: TrustRoot, day: date | None = None) -> Envelope:
    """Put a signature beside the others; raises ReleaseRejected where its key may not sign this today."""
    with locked(root):
        manifest, envelope = waiting_envelope(name, root)
        key = next((key for key in trust.keys if key.key_id == signature.keyid), None)
        if key is None:
            raise ReleaseRejected("signature", "the trust root does not know this key")
        if not envelope.is_good(signature, key.public_bytes):
            raise ReleaseRejected("signature", f"the signature of {key.person} is not over this manifest")
        if not key.valid((day or today(), date.fromisoformat(manifest.created_on))):
            raise ReleaseRejected("signature", f"the key of {key.person} is valid {key.valid_from} to {key.valid_to}")
        if key.roles == ("trainer",):
            check_validation(manifest, (key.person,))
        envelope = envelope.with_signature(signature)
        replace_file(root / name / ENVELOPE_NAME, envelope.to_bytes())
    return envelope


def check_effective(release: Release, day: date) -> None:
    """Refuse a release before the day that its manifest says it serves from."""
    begins = release.manifest.not_before
    if begins is not None and day.isoformat() < begins:
        raise ReleaseRejected("day", f"{release.name} does not serve before {begins}: promote it on that day or later")


def check_day(release: Release, root: Path, trust: TrustRoot | None, day: date) -> None:
    """What must hold on the day of a promotion: every signer's key is still valid, and no review is overdue."""
    if not release.signers:
        return
    files = read_folder(release.name, root)
    envelope = read_envelope(files[ENVELOPE_NAME], files[MANIFEST_NAME])
    (trust or read_trust(root / TRUST_NAME)).signers(envelope, (day, date.fromisoformat(release.manifest.created_on)))
    record = release.manifest.validation
    if record is not None and record.review_on < day.isoformat():
        raise ReleaseRejected("validation", f"the validation was to be reviewed on {record.review_on}")


def today() -> date:
    """The day by which keys and reviews are judged when nobody says another."""
    return datetime.now(UTC).date()


def highest(root: Path) -> int:
    """The highest sequence of a signed release that ever served, 0 before the first."""
    path = root / HIGHEST_NAME
    if not path.exists():
        return 0
    with path.open("rb") as file:
        match = _HIGHEST.fullmatch(file.read(_MOST_BYTES).decode("ascii", "replace"))
    if match is None:
        raise ReleaseRejected("sequence", f"{HIGHEST_NAME} is damaged")
    return int(match[1])


def remember(release: Release, root: Path) -> None:
    """Keep a signed release's sequence where it is the highest yet; the caller holds the lock."""
    if release.signers and release.manifest.sequence > highest(root):
        replace_file(root / HIGHEST_NAME, f"{release.manifest.sequence}\n".encode())


def keep_statement(data: bytes, root: Path) -> None:
    """Put a rollback statement where every load of the champion reads it; the caller holds the lock."""
    replace_file(root / STATEMENT_NAME, data)


def check_sequence(release: Release, root: Path, trust: TrustRoot | None, statement: bytes | None = None) -> None:
    """Refuse a signed release below the highest that served, unless a statement that two people signed names it."""
    top = highest(root)
    if not release.signers or release.manifest.sequence >= top:
        return
    data = statement if statement is not None else _kept(root)
    if data is None:
        raise ReleaseRejected("sequence", f"{release.name} lies below {top}, and no signed rollback statement names it")
    stated = read_statement(data, trust or read_trust(root / TRUST_NAME))
    named = (stated.name, stated.digest, stated.sequence, stated.below)
    if named != (release.name, release.digest, release.manifest.sequence, top):
        raise ReleaseRejected("sequence", f"the rollback statement is for {stated.name} below {stated.below}")


def read_statement(data: bytes, trust: TrustRoot) -> RollbackStatement:
    """A rollback statement that two people signed; raises ReleaseRejected (sequence)."""
    try:
        envelope = Envelope.parse(data)
        stated = RollbackStatement.model_validate_json(envelope.content(ROLLBACK_TYPE))
    except ValueError as error:
        raise ReleaseRejected("sequence", "the rollback statement is malformed") from error
    trust.signers(envelope, (date.fromisoformat(stated.stated_on),), "sequence")
    return stated


def _kept(root: Path) -> bytes | None:
    path = root / STATEMENT_NAME
    if not path.exists():
        return None
    with path.open("rb") as file:
        return file.read(MAX_ENVELOPE_BYTES + 1)
