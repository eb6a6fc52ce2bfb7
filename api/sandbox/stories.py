"""The book of stories: made-up businesses, each with one thing to tell, under an ABN that never changes.

It does: read stories.toml, and give each story's facts, application and request body for any day. It does not:
need a market file, or know how a source writes. The rules it keeps: bodies of 999 000 010 and above, which nobody
holds; people and telephone numbers that cannot exist; and an expectation that a test decides.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from stdnum.au import abn as stdnum_abn
from stdnum.au import acn as stdnum_acn

from api.sandbox import PREFIXES, Ask
from api.sandbox.facts import Table, dated, facts_of, laid_over
from api.sandbox.misbehaviour import Conduct
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.facts import BankData, Fact, Facts
from engine.facts.statement import STATEMENT, statement_of

_CONSENTS = (
    "privacy_notice", "commercial_bureau", "marketplace_data", "electronic_communications", "business_purpose",
    "authority",
)  # fmt: skip
_FIRST_COMPANY, _FIRST_OTHER = 99_900_000, 999_900_000
_MOST_LOOKED_AT = 100_000  # bytes of a body that are looked through for a story's number
_NUMBER = re.compile(r"(?<![0-9])(?:[0-9]{11}|[0-9]{9})(?![0-9])")


@dataclass(frozen=True, slots=True)
class Expected:
    """What the shipped release decides: outcome, the rules that found something, and the public reasons."""

    outcome: str
    findings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """One made-up business; `tells` is its table laid over the healthy one, `fails` the facts that cannot be had."""

    name: str
    number: int
    says: str
    tells: Table
    expects: Expected
    then: str = ""
    known: bool = True
    fails: tuple[str, ...] = ()
    conduct: Mapping[str, Conduct] | None = None
    impossible_score: int | None = None

    @property
    def acn(self) -> str | None:
        """The ACN of a company, made of the story's number; None for others."""
        if self.tells["application"]["business"]["entity_type"] != "company":
            return None
        body = str(_FIRST_COMPANY + self.number)
        return body + str(stdnum_acn.calc_check_digit(body))

    @property
    def abn(self) -> str:
        """The ABN: a company's ends in its ACN, another's in nine digits that are no ACN."""
        body = self.acn
        if body is None:
            eight = str((_FIRST_OTHER + self.number * 10) // 10)
            body = eight + str((int(stdnum_acn.calc_check_digit(eight)) + 1) % 10)
        return str(stdnum_abn.calc_check_digits(body)) + body

    @property
    def connection(self) -> str | None:
        """The bank connection of the applicant; None where statements are uploaded or nothing is connected."""
        bank = self.tells["bank"]
        connected = bank.get("status", "present") == "present" and bank["evidence"] == "connected"
        return f"sandbox-{self.abn}" if connected else None

    def facts(self, today: date) -> Facts | None:
        """What the sources know on this day, uploaded statements left out; None where they have not heard of it."""
        if not self.known:
            return None
        facts = facts_of(self.tells, self.abn, self.acn, today)
        if self.connection is None:
            bank = Fact[BankData](source=facts.bank.source, fetched_at=facts.as_of, status="absent")
            facts = facts.model_copy(update={"bank": bank})
        if self.impossible_score is not None and facts.bureau.value is not None:
            # Copied without a check, the only such place: a source that lies is what this story is about.
            lie = facts.bureau.value.model_copy(update={"score": self.impossible_score})
            facts = facts.model_copy(update={"bureau": facts.bureau.model_copy(update={"value": lie})})
        return facts

    def statement(self, today: date) -> BankData | None:
        """The statement that is uploaded with the application; None where none is."""
        if self.tells["bank"]["evidence"] != "declared":
            return None
        return facts_of(self.tells, self.abn, self.acn, today).bank.value

    def application(self, today: date) -> Application:
        """What it applies for, people by reference."""
        people = [
            {"ref": f"per_sandbox_{place}", "roles": person["roles"], "ownership_bps": person["ownership_bps"]}
            for place, person in enumerate(self._people())
        ]
        return Application.model_validate_json(canonical_bytes({**self._stated(today), "people": people}))

    def submission(self, today: date) -> Table:
        """A complete request body for POST /v1/applications."""
        body = {**self._stated(today), "people": self._people()}
        if (bank := self.statement(today)) is not None:
            body["bank"] = STATEMENT.dump_python(statement_of(bank), mode="json")
        return body

    def _stated(self, today: date) -> Table:
        stated: Table = dated(self.tells["application"], today)
        statement = self.tells["bank"].get("status", "present") == "present"
        kinds = (*_CONSENTS, "bank_data") if statement else _CONSENTS
        at = f"{today.isoformat()}T00:00:00Z"
        return {
            **stated,
            "business": {**stated["business"], "abn": self.abn, "acn": self.acn},
            "consents": [{"kind": kind, "version": "sandbox-1", "given": True, "at": at} for kind in kinds],
            "bank_connection": self.connection,
        }

    def _people(self) -> list[Table]:
        """People with details that cannot be anybody's: a number kept for films, an address kept for examples."""
        company = self.acn is not None
        return [
            {
                "roles": ["owner", "director", "contact"] if company else ["owner", "contact"],
                "ownership_bps": 10_000,
                "mobile": "0491 570 006",
                "email": f"{person['given_names'].lower()}@{self.name.replace('_', '-')}.example",
                **person,
                # Nobody is in two stories, or the guards would see one person behind them all.
                "family_name": person.get("family_name") or f"Sample {self.name.replace('_', ' ').title()}",
            }
            for person in self.tells["people"]
        ]


@cache
def book() -> Mapping[str, Story]:
    """Every story by its name, in the order of the book."""
    told = tomllib.loads(files("api.sandbox").joinpath("stories.toml").read_text(encoding="utf-8"))
    return {table["name"]: _story(table, told["healthy"]) for table in told["story"]}


def _story(table: Table, healthy: Table) -> Story:
    story = dict(table)
    suffix = " PTY LTD" if story["trade"].isupper() and "TRUST" not in story["trade"] else ""
    over = laid_over({"application": {"business": {"legal_name": story.pop("trade") + suffix}}}, story.pop("tells", {}))
    expect = story.pop("expect")
    conduct = {source: Conduct.model_validate(how) for source, how in story.pop("conduct", {}).items()}
    if strange := conduct.keys() - PREFIXES.keys():
        raise ValueError(f"{story['name']}: no such source: {', '.join(sorted(strange))}")
    return Story(
        **{**story, "fails": tuple(story.get("fails", ()))},
        tells=laid_over(healthy, over),
        expects=Expected(expect["outcome"], tuple(expect.get("findings", ())), tuple(expect.get("reasons", ()))),
        conduct=conduct,
    )


@cache
def by_number() -> Mapping[str, Story]:
    """Every story by its ABN, and by its ACN where it has one."""
    return {number: story for story in book().values() for number in (story.abn, story.acn) if number}


def story_of(ask: Ask) -> Story | None:
    """The story that a request is about, by an ABN or ACN of the book anywhere in it; None for other requests."""
    texts = (ask.path, *ask.query.values(), *ask.headers.values(), ask.body[:_MOST_LOOKED_AT].decode("latin-1"))
    found = (by_number().get(number) for text in texts for number in _NUMBER.findall(text))
    return next((story for story in found if story is not None), None)


def submission_of(name: str, today: date) -> dict[str, Any]:
    """A complete request body for POST /v1/applications; KeyError for a story that is not in the book."""
    return book()[name].submission(today)


def page() -> str:
    """The book as a table in Markdown: what docs/sandbox.md holds and `creditline sandbox --list` prints."""
    head = ("story", "ABN", "what it is", "the shipped release", "findings", "reasons")
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *_rows()))


def _rows() -> Iterator[tuple[str, ...]]:
    for story in book().values():
        expects = story.expects
        outcome = f"{expects.outcome}; then {story.then}" if story.then else expects.outcome
        findings = ", ".join(f"`{name}`" for name in expects.findings)
        yield story.name, story.abn, story.says, outcome, findings, " ".join(expects.reasons)
