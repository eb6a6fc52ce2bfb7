"""The wire: strict JSON in, a validated submission out, and the words of the idempotency header.

It does: refuse what JSON parsers let through (duplicate keys, NaN, lone surrogates, huge numbers, other
encodings) before anything reads the body, then report every field problem at once. It does not: touch the
database. The rule it keeps: the fingerprint is of the validated body, so spacing and key order do not matter.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, StringConstraints, ValidationError, ValidationInfo, field_validator

from api.errors import MOST_FIELD_PROBLEMS, FieldProblem, Problem, field_problems
from api.sources.csv_rows import MOST_BYTES, RULES, RowProblem, StatementRefused
from api.sources.csv_statement import MOST_FILES, Upload, read_statements
from engine.application import (
    Application,
    Consent,
    Stated,
    check_people,
)
from engine.canonical import canonical_bytes
from engine.facts import BankData
from engine.facts.bank import ProductCategory
from engine.facts.statement import STATEMENT, Statement, bank_data
from engine.people import Person
from engine.values import Frozen, Name, Token, problem

API_VERSION = "v1"
MOST_BODY_BYTES = 8_000_000  # about 12,000 transactions as banks write them
_KEY = re.compile(r'("?)([A-Za-z0-9._:-]{16,255})\1')
_MOST_DIGITS = 40
_MOST_MEMBERS = 100  # of one object; a bank's transaction has about 20
_MOST_OBJECTS = 100_000  # in one body; each costs far more memory than its bytes


class UploadedStatement(Frozen):
    """One CSV file of an account; files of the same `account_name` are successive parts of one account."""

    account_name: Annotated[Name, StringConstraints(max_length=80)]
    product_category: ProductCategory = "TRANS_AND_SAVINGS_ACCOUNTS"
    csv: Annotated[str, StringConstraints(min_length=1, max_length=MOST_BYTES)]


class Submission(Stated):
    """The body of POST /v1/applications: people with their details, and perhaps bank statements.

    Bank data comes one way: as the standards' JSON, as uploaded files, or over a connection. `device` is an opaque
    id against abuse; it never reaches a decision.
    """

    people: Annotated[tuple[Person, ...], Field(min_length=1, max_length=20, strict=False)]
    bank: Statement | None = None
    statements: Annotated[tuple[UploadedStatement, ...], Field(max_length=MOST_FILES, strict=False)] = ()
    device: Token | None = None
    _uploaded: BankData | None = PrivateAttr(default=None)

    @field_validator("people", mode="after")
    @classmethod
    def _people_add_up(cls, people: tuple[Person, ...]) -> tuple[Person, ...]:
        check_people(tuple(person.reference("per_unsaved") for person in people))
        return people

    @field_validator("bank", mode="after")
    @classmethod
    def _bank_consented(cls, bank: Statement | None, info: ValidationInfo) -> Statement | None:
        consents: tuple[Consent, ...] = info.data.get("consents", ())
        if bank is not None and not any(c.kind == "bank_data" and c.given for c in consents):
            raise problem("bank_consent_missing", "Bank data needs the consent bank_data")
        today = info.context.get("today") if isinstance(info.context, dict) else None
        if bank is not None and isinstance(today, date) and bank["newest"] > today + timedelta(days=1):
            raise problem("date_in_future", "The statement must not end in the future")
        return bank

    @field_validator("statements", mode="after")
    @classmethod
    def _statements_alone(
        cls, statements: tuple[UploadedStatement, ...], info: ValidationInfo
    ) -> tuple[UploadedStatement, ...]:
        consents: tuple[Consent, ...] = info.data.get("consents", ())
        if statements and (info.data.get("bank") is not None or info.data.get("bank_connection") is not None):
            raise problem("bank_twice", "Statements are uploaded instead of `bank` and `bank_connection`")
        if statements and not any(c.kind == "bank_data" and c.given for c in consents):
            raise problem("bank_consent_missing", "Bank data needs the consent bank_data")
        return statements

    def application(self, refs: tuple[str, ...]) -> Application:
        """The application with its people by reference, one reference a person."""
        people = tuple(person.reference(ref) for person, ref in zip(self.people, refs, strict=True))
        return Application(
            business=self.business,
            request=self.request,
            finances=self.finances,
            consents=self.consents,
            bank_connection=self.bank_connection,
            people=people,
        )

    def bank_fact(self, evidence: Literal["connected", "declared"]) -> BankData | None:
        """The statements as engine facts, uploaded ones always declared; a Problem where they do not fit together."""
        if self.statements:
            return self.uploaded()
        if self.bank is None:
            return None
        try:
            return bank_data(self.bank, evidence)
        except ValidationError as error:
            raise Problem("validation-failed", field_problems(error, "bank")) from None
        except ValueError as error:
            raise Problem("validation-failed", [FieldProblem("bank", "statement", str(error))]) from None

    def uploaded(self, today: date | None = None) -> BankData:
        """The uploaded files as declared bank data, read once; a Problem with every row that does not add up."""
        if self._uploaded is None:
            uploads = [Upload(s.account_name, s.product_category, s.csv.encode()) for s in self.statements]
            try:
                self._uploaded = read_statements(uploads, today)
            except StatementRefused as refused:
                listed = refused.problems[:MOST_FIELD_PROBLEMS]
                raise Problem("validation-failed", [_row_problem(found) for found in listed]) from None
        return self._uploaded


def _row_problem(found: RowProblem) -> FieldProblem:
    """`statements.0.rows.17` for a row of a file, `statements.0` for a file, `statements` for all together."""
    path = "statements" if found.file is None else f"statements.{found.file}"
    return FieldProblem(path if found.row is None else f"{path}.rows.{found.row}", found.rule, RULES[found.rule])


def idempotency_key(header: str | None) -> str:
    """The key of the header, bare or as a quoted string; 16 to 255 of letters, digits and `. _ : -`."""
    if header is None:
        raise Problem("idempotency-key-missing")
    match = _KEY.fullmatch(header)
    if match is None:
        raise Problem("idempotency-key-invalid")
    return match.group(2)


def require_json(content_type: str | None, content_encoding: str | None) -> None:
    """Only plain application/json in UTF-8 is read; nothing is decompressed."""
    kind, _, parameters = (content_type or "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in {"", "utf-8"}:
        raise Problem("unsupported-media-type")
    if content_encoding not in (None, "", "identity"):
        raise Problem("unsupported-media-type")


def parse_submission(body: bytes, today: date) -> Submission:
    """A validated submission; Problem `malformed-json` or `validation-failed` with every field problem."""
    check_json(body)
    try:
        submission = Submission.model_validate_json(body, context={"today": today})
    except ValidationError as error:
        if error.errors(include_input=False)[0]["type"] == "json_invalid":  # nested deeper than it reads
            raise Problem("malformed-json") from None
        raise Problem("validation-failed", field_problems(error)) from None
    if submission.statements:
        submission.uploaded(today)
    return submission


def check_json(body: bytes) -> None:
    """Refuse bytes that are not one strict JSON value: RFC 8259, UTF-8 without a mark, no duplicate keys."""
    if body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or b"\x00" in body:
        raise Problem("malformed-json")
    try:
        text = body.decode()
        json.loads(
            text,
            object_pairs_hook=_members(),
            parse_constant=_refuse,
            parse_int=_short_integer,
            parse_float=_finite,
        )
    except (ValueError, RecursionError):
        raise Problem("malformed-json") from None
    # A lone surrogate can only come from an escape; the parse above lets it through.
    if b"\\ud" in body or b"\\uD" in body:
        _refuse_lone_surrogates(text)


def _members() -> Callable[[list[tuple[str, object]]], None]:
    """A hook for one body: refuses a repeated key, and more fields or objects than any request has."""
    objects = count(1)

    def check(pairs: list[tuple[str, object]]) -> None:
        if len(pairs) > _MOST_MEMBERS or next(objects) > _MOST_OBJECTS:
            raise Problem("validation-failed", [FieldProblem("", "too_many_fields", "More fields than are read")])
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError("duplicate key")

    return check


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _short_integer(digits: str) -> None:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("integer too long")


def _finite(digits: str) -> None:
    if len(digits) > _MOST_DIGITS or float(digits) in (float("inf"), float("-inf")):
        raise ValueError("number out of range")


def _refuse_lone_surrogates(text: str) -> None:
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        raise Problem("malformed-json") from None


# Newer than the first fingerprints: said nothing, they leave a fingerprint as it was, so that old keys still replay.
_LATER = ("bank_connection", "statements", "device")


def fingerprint(route: str, submission: Submission) -> str:
    """SHA-256 over method, route template, API version and the canonical validated body."""
    bank = STATEMENT.dump_python(submission.bank, mode="json") if submission.bank else None
    unsaid = {name for name in _LATER if not getattr(submission, name)}
    body = {**submission.model_dump(mode="json", exclude={"bank", *unsaid}), "bank": bank}
    return hashlib.sha256(f"POST {route} {API_VERSION}\n".encode() + canonical_bytes(body)).hexdigest()
