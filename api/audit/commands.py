"""What `creditline audit` does: verify, export, write a checkpoint, show the public key; and `db roles`.

It does: open the database and the folder of checkpoints, and put what was found into lines. It does not: print more of
a record than numbers, ids and names of columns. The rule it keeps: something that does not hold is exit code 2, and
something that could not be looked at is 1.
"""

import asyncio
import base64
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import URL, make_url

from api.audit import roles
from api.audit.checkpointing import checkpointer
from api.audit.checkpoints import Finding, Folder, Keyring
from api.audit.export import NothingSigned, export
from api.audit.settings import AuditSettings, Unset
from api.audit.verification import verify
from api.store.database import Database

DOES_NOT_HOLD = 2
_MOST_SHOWN = 20
_PATIENCE_SECONDS = 600.0
_NO_FOLDER = "CREDITLINE_CHECKPOINTS must be set: a folder outside the database"
_DER_BEFORE_KEY = bytes.fromhex("302a300506032b6570032100")  # RFC 8410


class DoesNotHold(click.ClickException):
    """Something cannot be proved; exit code 2."""

    exit_code = DOES_NOT_HOLD


def verified(
    database_url: str, audit: AuditSettings, folders: tuple[Path, ...], *, development: bool, rows: bool
) -> str:
    """Verify the whole record; one line where it holds, DoesNotHold names the first entry that does not."""
    try:
        keyring = audit.keyring(development=development)
        own = None if folders else audit.checkpoints(database_url, development=development)
    except Unset as error:
        raise click.ClickException(str(error)) from None
    places = tuple(Folder(path) for path in folders) if own is None else (own,)
    with Database.open(database_url) as database, database.transaction(read_only=True) as connection:
        found = verify(connection, places, keyring, _now(), rows=rows)
    if found.findings:
        raise DoesNotHold("the record does not hold\n" + told(found.findings))
    signed = f"{found.checkpoints} checkpoints" if places else "no checkpoints were looked at"
    return f"the record holds: {found.entries} entries, {signed}"


def check_at_start(database_url: str, audit: AuditSettings, *, development: bool) -> None:
    """What `serve` asks before it serves: does the end of the chain hold against the newest checkpoint?

    That is quick however long the chain is. Where it does not hold, all of it is read, so that DoesNotHold can name the
    first entry concerned. Nothing is asked in development where no folder is set.
    """
    with Database.open(database_url) as database:
        try:
            writer = checkpointer(audit, database, database_url, _now, development=development)
            keyring = audit.keyring(development=development)
        except Unset as error:
            raise click.ClickException(str(error)) from None
        if writer is None or (finding := asyncio.run(writer.check())) is None:
            return
        with database.transaction(read_only=True) as connection:
            found = verify(connection, (writer.folder,), keyring, _now(), rows=False)
    words = "the audit chain does not hold\n" + told(found.findings or (finding,))
    if development:
        words += f"\nIf the database was made anew, delete {writer.folder.path} as well."
    raise DoesNotHold(words)


def told(findings: tuple[Finding, ...]) -> str:
    """The first findings, a line each."""
    return "\n".join(f"  from entry {finding.seq}: {finding.what}" for finding in findings[:_MOST_SHOWN])


def exported(database_url: str, audit: AuditSettings, file: Path, *, development: bool) -> str:
    """Write the auditor's file, up to a checkpoint that is written first where the key is here."""
    folder, keyring = _opened(database_url, audit, development=development)
    if audit.key or development:
        checkpoint(database_url, audit, development=development, first=False)
    with Database.open(database_url) as database, database.transaction(read_only=True) as connection:
        try:
            with file.open("wb") as out:
                written = export(connection, folder, keyring, out)
        except NothingSigned as error:
            raise click.ClickException(str(error)) from None
    return f"{file}: {written.entries} entries, {written.checkpoints} checkpoints"


def checkpoint(database_url: str, audit: AuditSettings, *, development: bool, first: bool) -> str:
    """Write a checkpoint of all that has none; `first` allows a chain that has none at all."""
    with Database.open(database_url) as database:
        try:
            writer = checkpointer(audit, database, database_url, _now, development=development, first=first)
        except Unset as error:
            raise click.ClickException(str(error)) from None
        if writer is None:
            raise click.ClickException(_NO_FOLDER)
        asyncio.run(writer.finish(_PATIENCE_SECONDS))
    if writer.finding is not None:
        raise DoesNotHold("the record does not hold\n" + told((writer.finding,)))
    if writer.newest is None:
        return "the chain is empty"
    return f"checkpoint {writer.newest.told.number} covers the chain up to entry {writer.newest.told.seq}"


def public_key(audit: AuditSettings, *, development: bool) -> str:
    """What auditors are given, once: the public key, as digits and as OpenSSL reads it."""
    try:
        signer = audit.signer(development=development)
    except Unset as error:
        raise click.ClickException(str(error)) from None
    pem = base64.b64encode(_DER_BEFORE_KEY + signer.public).decode()
    warning = "" if audit.key else "\n(the development key: everybody can sign with it)"
    return (
        f"{signer.public.hex()}\n\nkey id {signer.key_id}{warning}\n\n"
        f"-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----"
    )


def role_statements(database_url: str) -> str:
    """The SQL of the roles, for whoever may make roles where we may not."""
    with Database.open(database_url) as database, database.transaction(read_only=True) as connection:
        try:
            found = roles.statements(connection)
        except roles.NoRoles as error:
            raise click.ClickException(str(error)) from None
    return ";\n".join(("BEGIN", *found, "COMMIT;"))


def apply_roles(database_url: str) -> str:
    """Bring the roles of the database up to date; a line that says how to use them."""
    with Database.open(database_url) as database, database.transaction() as connection:
        try:
            roles.apply(connection)
        except roles.NoRoles as error:
            raise click.ClickException(str(error)) from None
    url: URL = make_url(database_url)
    return (
        f"the roles of {url.database} are up to date: give the service's user the first, with\n"
        f"  GRANT {roles.APP} TO <user>    (others: {roles.READONLY}, {roles.BACKUP})"
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _opened(database_url: str, audit: AuditSettings, *, development: bool) -> tuple[Folder, Keyring]:
    try:
        folder = audit.checkpoints(database_url, development=development)
        keyring = audit.keyring(development=development)
    except Unset as error:
        raise click.ClickException(str(error)) from None
    if folder is None:
        raise click.ClickException(_NO_FOLDER)
    return folder, keyring
