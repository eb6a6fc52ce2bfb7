"""What `creditline verify-receipt` and `receipt-key` do: check a file, hold it against the record, show the key.

It does: read a file of bounded size and put what was found into lines. It does not: sign. The rule it keeps: a receipt
is valid only by a key that the lender names, and beside the database only while the record says the same.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from api.audit.checkpoints import key_id_of
from api.receipts.making import RecordAltered, content_of
from api.receipts.settings import DEVELOPMENT_KEY, PUBLIC_KEY, ReceiptSettings
from api.receipts.signing import is_signed
from api.receipts.standalone import MOST_BYTES, Refused, verify
from api.store import queries as store
from api.store.database import Database

_EVERYBODYS = "signed by the development key, which everybody knows: it proves nothing"
_MADE_UP = "decided on made-up data"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a receipt holds, and what to say of it, a line each; the first begins with VALID or INVALID."""

    valid: bool
    lines: tuple[str, ...]


def verdict(file: Path, keys: tuple[bytes, ...], database_url: str | None = None) -> Verdict:
    """What to say of a file under these public keys; with a database also whether the record says the same."""
    with file.open("rb") as opened:
        data = opened.read(MOST_BYTES + 1)
    try:
        told = verify(data, list(keys), is_signed)
    except Refused as why:
        return _invalid(str(why))
    also: tuple[str, ...] = ()
    if database_url is not None:
        with Database.open(database_url) as database, database.transaction(read_only=True) as connection:
            if (fault := differs(connection, told)) is not None:
                return _invalid(f"the signature fits, but {fault}")
            successor = store.successor_of(connection, told["decision_id"])
        also = ("the record says the same", *((f"superseded since by {successor}",) if successor else ()))
    return Verdict(True, (*_summary(told), *also))


def differs(connection: Connection, told: dict[str, Any]) -> str | None:
    """Where the record says something else than a receipt that was verified, in words without values."""
    try:
        content = content_of(connection, told["decision_id"])
    except RecordAltered as altered:
        return f"the record does not hold: {altered}"
    if content is None:
        return "the record has no such decision"
    said = {name: value for name, value in told.items() if name != "key"}
    names = sorted(said.keys() | content.keys())
    wrong = next((name for name in names if said.get(name) != content.get(name)), None)
    return None if wrong is None else f"the record says something else: {wrong}"


def keys_of(given: tuple[str, ...], settings: ReceiptSettings, *, development: bool) -> tuple[bytes, ...]:
    """The public keys that count: those given, or the lender's own. ValueError where one is none, or none is set."""
    if not given:
        return settings.public_keys(development=development)
    if not all(PUBLIC_KEY.fullmatch(each) for each in given):
        raise ValueError("a public key has 64 hexadecimal digits")
    return tuple(bytes.fromhex(each) for each in given)


def key_words(settings: ReceiptSettings, *, development: bool) -> str:
    """The public key that receipts are checked with, as the lender publishes it. Raises settings.Unset."""
    public = settings.public_keys(development=development)[0]
    warning = "\n(the development key: everybody can sign with it)" if public == DEVELOPMENT_KEY else ""
    return f"{public.hex()}\n\nkey id {key_id_of(public)}{warning}"


def _invalid(why: str) -> Verdict:
    return Verdict(False, (f"INVALID: {why}",))


def _summary(told: dict[str, Any]) -> tuple[str, ...]:
    offer = told["offer"]
    lines = [
        f"VALID: {told['outcome']}, decision {told['decision_id']}, made at {told['decided_at']}",
        f"asked for ${told['requested_cents'] // 100:,}, ABN {told['abn']}",
    ]
    if offer is not None:
        percent = f"{offer['monthly_rate_percent']}% a month"
        lines.append(f"offered ${offer['limit_cents'] // 100:,} at {percent}, held until {offer['held_until']}")
    lines.append(f"audit entry {told['audit_seq']}:{told['receipt_hash']}")
    if told["key"] == key_id_of(DEVELOPMENT_KEY):
        lines.append(_EVERYBODYS)
    if told["synthetic"]:
        lines.append(_MADE_UP)
    return tuple(lines)
