"""Which release serves: one line in one file.

It does: read, promote and roll back. It does not: load on its own terms; every release passes
models.store.load. The rule it keeps: the line holds name and manifest digest, so a byte changed in the
manifest afterwards is refused, and the file is replaced by one rename, so no reader ever sees half a
change.

CHAMPION has the serving release on its first line and the one before it on the second, where there was one.
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from engine.policy import PolicyBook
from engine.release import Release
from models.approval import check_day, check_effective, check_sequence, keep_statement, remember, today
from models.folder import locked, replace_file
from models.rejection import ReleaseRejected
from models.store import ROOT, Contract, ReadPolicy, load
from models.trust import TrustRoot

FILE_NAME: Final = "CHAMPION"
_LINE: Final = re.compile(r"([a-z0-9._-]{1,64}) ([0-9a-f]{64})")
_MOST_LINES: Final = 2
_MOST_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One release, named beyond doubt."""

    name: str
    digest: str


def champion(
    root: Path = ROOT,
    *,
    contract: Contract | None = None,
    read_policy: ReadPolicy = PolicyBook.parse,
    trust: TrustRoot | None = None,
) -> Release:
    """The serving release, loaded with all checks; raises ReleaseRejected (champion) where there is none.

    A signed one is refused (sequence) below the highest that ever served, but for a signed rollback statement.
    """
    return serving(None, root, contract=contract, read_policy=read_policy, trust=trust)


def serving(
    name: str | None,
    root: Path = ROOT,
    *,
    contract: Contract | None = None,
    read_policy: ReadPolicy = PolicyBook.parse,
    trust: TrustRoot | None = None,
) -> Release:
    """A release that is to serve, by name or else the champion.

    Named or not, never below the highest that served, and never before the day it serves from.
    """
    line = champion_line(root) if name is None else Line(name, "")
    if line is None:
        raise ReleaseRejected("champion", "no release has been promoted")
    release = load(line.name, root, digest=line.digest or None, contract=contract, read_policy=read_policy, trust=trust)
    check_sequence(release, root, trust)
    check_effective(release, today())
    return release


def champion_line(root: Path = ROOT) -> Line | None:
    """Name and manifest digest of the serving release without loading it, None before the first promotion."""
    lines = _read(root)
    return lines[0] if lines else None


def promote(
    name: str,
    root: Path = ROOT,
    *,
    contract: Contract | None = None,
    read_policy: ReadPolicy = PolicyBook.parse,
    trust: TrustRoot | None = None,
    day: date | None = None,
) -> Release:
    """Make a release the champion after loading it with all checks, and return it.

    The one before is remembered for rollback(). Promoting the champion again changes nothing. A signed release is
    refused where it lies below the highest that served, where a signer's key is not valid today, or where its
    validation was to be reviewed by now. Signed or not, it is refused before the day it serves from.
    """
    with locked(root):
        release = load(name, root, contract=contract, read_policy=read_policy, trust=trust)
        check_sequence(release, root, trust)
        check_effective(release, day or today())
        check_day(release, root, trust, day or today())
        line = Line(release.name, release.digest)
        before = _read(root)
        if before[:1] != [line]:
            _write(root, [line, *before[:1]])
        remember(release, root)  # after the line: a crash between the two leaves a champion that still serves
    return release


def rollback(
    root: Path = ROOT,
    *,
    contract: Contract | None = None,
    read_policy: ReadPolicy = PolicyBook.parse,
    trust: TrustRoot | None = None,
    statement: bytes | None = None,
) -> Release:
    """Make the release before the champion serve again, after loading it with all checks, and return it.

    The two change places, so rolling back twice undoes the first. Raises ReleaseRejected (champion) where
    nothing came before. Going back to a signed release of a lower sequence takes a rollback statement, which is kept;
    one may be signed ahead, so that going back at night waits for nobody.
    """
    with locked(root):
        lines = _read(root)
        if len(lines) < _MOST_LINES:
            raise ReleaseRejected("champion", "there is no release to go back to")
        serving, before = lines
        release = load(before.name, root, digest=before.digest, contract=contract, read_policy=read_policy, trust=trust)
        check_sequence(release, root, trust, statement)
        if statement is not None:
            keep_statement(statement, root)
        _write(root, [before, serving])
    return release


def _read(root: Path) -> list[Line]:
    path = root / FILE_NAME
    if not path.exists():
        return []
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    rows = data.decode("ascii", "replace").split("\n")
    matches = [_LINE.fullmatch(row) for row in rows[:-1]]
    found = [Line(match[1], match[2]) for match in matches if match]
    if rows[-1] or not 1 <= len(found) <= _MOST_LINES or len(found) != len(matches):
        raise ReleaseRejected("champion", f"{FILE_NAME} is damaged")
    return found


def _write(root: Path, lines: list[Line]) -> None:
    text = "".join(f"{line.name} {line.digest}\n" for line in lines)
    replace_file(root / FILE_NAME, text.encode("ascii"))
