"""A bank's answer of exactly 5,000 transactions: from bytes to what the features read, and what stands beside it.

It does: take a made-up business's rows, repeat them until there are enough, and let the sandbox write them in
pages. It does not: send them; the bank's client is handed the pages within the process. The rule it keeps: what
stands side by side reads the same bytes.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Literal

import numpy as np
from pydantic import BaseModel

from api.sandbox import Ask, Told, bank
from api.sources import Asking
from api.sources.bank import Bank
from benchmarks.samples import Task
from benchmarks.subject import SEED, subject
from engine.application import Application
from engine.facts import BankData, Facts, Transactions
from engine.features.statement import summarise
from tests.support.unplugged import Unplugged

ROWS = 5_000
WHOLE = "bytes to summary, through the bank's client"
READ = "of it: bytes to checked columns"
DISTINCT = "the same with 5,000 distinct texts"


@dataclass(frozen=True, slots=True)
class Statement:
    """A bank's whole answer: bodies by path and number of the page, and the question that it answers."""

    question: Asking
    bodies: Mapping[tuple[str, str], bytes]
    story: str

    def tell(self, ask: Ask) -> Told:
        """The page asked for."""
        return Told(self.bodies[ask.path, ask.query["page"]])

    @property
    def pages(self) -> tuple[bytes, ...]:
        """The pages of transactions."""
        return tuple(body for (path, _), body in self.bodies.items() if path.endswith("/transactions"))


@dataclass
class _World:
    """A world of one business."""

    today: date
    told: Facts

    def facts(self, abn: str) -> Facts | None:
        return self.told

    def application(self, abn: str) -> Application | None:
        return None

    def abn_of_company(self, acn: str) -> str | None:
        return None


@cache
def statement(*, own_texts: bool = False) -> Statement:
    """The subject of the other measurements with its bank's rows repeated; ValueError if they cannot be read back.

    `own_texts`: every row has a text that no other has, as at a bank that writes receipt numbers into them.
    """
    chosen = subject()
    connection = f"{bank.ARRANGEMENT}{chosen.application.business.abn}"
    application = chosen.application.model_copy(update={"bank_connection": connection})
    made_up = chosen.facts.bank.value
    if made_up is None:
        raise LookupError("the subject has a bank")
    data = _tiled(made_up, own_texts=own_texts)
    facts = chosen.facts.model_copy(update={"bank": chosen.facts.bank.model_copy(update={"value": data})})
    question = Asking(application, facts.as_of)
    bodies = _written(_World(facts.as_of.date(), facts), question)
    size = sum(map(len, bodies.values()))
    story = (
        f"business {chosen.index} of the make-believe market with seed {SEED}, its rows repeated to {ROWS:,} "
        f"transactions in {len(data.accounts)} account{'s'[: len(data.accounts) != 1]} ({len(data.texts)} distinct "
        f"texts), {len(bodies)} pages of {size / 1e6:.1f} MB together"
    )
    return Statement(question, bodies, story)


def _tiled(data: BankData, *, own_texts: bool) -> BankData:
    """The same accounts with exactly 5,000 rows: each row stands there as often as any other, or once more."""
    rows = data.transactions
    places = np.arange(ROWS) * len(rows) // ROWS
    columns = {name: rows[name][places] for name in rows.columns}
    texts = data.texts
    if own_texts:
        texts = tuple(f"{texts[text]} {place}" for place, text in enumerate(columns["text"].tolist()))
        columns["text"] = np.arange(ROWS)
    return BankData.model_validate(data.model_dump() | {"texts": texts, "transactions": Transactions(columns)})


def _written(world: _World, question: Asking) -> dict[tuple[str, str], bytes]:
    """Every page that the client asks for, as the sandbox writes it."""
    bodies: dict[tuple[str, str], bytes] = {}

    def tell(ask: Ask) -> Told:
        told = bank.answer(world, ask)
        bodies[ask.path, ask.query["page"]] = told.body
        return told

    answer = asyncio.run(Bank().fetch(question, Unplugged(tell, {"Authorization": bank.TOKEN})))
    if answer.value is None or len(answer.value.transactions) != ROWS:
        raise ValueError("the client does not read back what was written")
    return bodies


# -- the tasks ---------------------------------------------------------------------------------------------------


class _NaiveRow(BaseModel):
    accountId: str
    type: str
    status: Literal["PENDING", "POSTED"]
    amount: Decimal
    description: str
    transactionId: str | None = None
    postingDateTime: datetime | None = None
    merchantCategoryCode: str | None = None
    currency: str | None = None


class _NaiveRows(BaseModel):
    transactions: list[_NaiveRow]


class _NaivePage(BaseModel):
    data: _NaiveRows


def tasks(loop: asyncio.AbstractEventLoop) -> dict[str, Task]:
    """The whole, its first part, the whole where texts differ, and two ways of only parsing the same pages."""
    told, other = statement(), statement(own_texts=True)

    def read(which: Statement) -> BankData:
        answer = loop.run_until_complete(Bank().fetch(which.question, Unplugged(which.tell)))
        assert answer.value is not None
        return answer.value

    def plain() -> list[object]:
        return [json.loads(page) for page in told.pages]

    def modelled() -> list[_NaiveRow]:
        return list(chain.from_iterable(_NaivePage.model_validate_json(p).data.transactions for p in told.pages))

    return {
        WHOLE: lambda: summarise(read(told)),
        READ: lambda: read(told),
        DISTINCT: lambda: summarise(read(other)),
        "json.loads of the same pages, nothing read": plain,
        "a pydantic model a row, nothing derived": modelled,
    }
