"""What a request to a benchmark service carries: an application with whole facts, or with what was derived of them.

It does: write both from the engine's records, and read both as structs, types checked. It does not: decide. The rule it
keeps: the derived form leaves out rows alone (transactions, orders, other suppliers), so a decision on it is the
decision on the whole.
"""

from dataclasses import dataclass
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.http.structs import struct_of
from engine.application import Application
from engine.facts import Facts, Orders, Transactions
from engine.features import Evidence, row_of
from engine.features.statement import BankSummary
from engine.features.trade import OrderSummary
from engine.release import Release
from engine.screening import Case

_PARTS = [("application", struct_of(Application)), ("facts", struct_of(Facts))]
_SUMMED = [("row", list[float | None]), ("bank", BankSummary), ("orders", OrderSummary)]
_WHOLE: msgspec.json.Decoder[Any] = msgspec.json.Decoder(msgspec.defstruct("Whole", _PARTS))
_DERIVED: msgspec.json.Decoder[Any] = msgspec.json.Decoder(msgspec.defstruct("Derived", [*_PARTS, *_SUMMED]))


@dataclass(frozen=True, slots=True)
class Whole:
    """An application and everything known about the business."""

    application: Application
    facts: Facts

    @classmethod
    def read(cls, body: bytes) -> "Whole":
        """Read a request's body; an error where it is not one."""
        parts = _WHOLE.decode(body)
        bank, market = parts.facts.bank.value, parts.facts.marketplace.value
        if bank is not None:
            bank.transactions = Transactions.of_json(bank.transactions)
        if market is not None:
            market.orders = Orders.of_json(market.orders)
        return cls(cast(Application, parts.application), cast(Facts, parts.facts))

    def write(self) -> bytes:
        """The body."""
        application, facts = (msgspec.Raw(part.canonical()) for part in (self.application, self.facts))
        return msgspec.json.encode({"application": application, "facts": facts})


@dataclass(frozen=True, slots=True)
class Derived:
    """An application, facts without their rows, and what was derived of the rows."""

    application: Application
    facts: Facts
    row: NDArray[np.float64]
    bank: BankSummary
    orders: OrderSummary

    @classmethod
    def of(cls, whole: Whole) -> "Derived":
        """Derive; LookupError where bank or marketplace is missing."""
        evidence = Evidence.of(whole.application, whole.facts)
        if evidence.bank is None or evidence.orders is None:
            raise LookupError("both bank and marketplace are needed")
        stripped = without_rows(whole.application, whole.facts)
        return cls(whole.application, stripped, row_of(evidence), evidence.bank, evidence.orders)

    @classmethod
    def read(cls, body: bytes) -> "Derived":
        """Read a request's body; an error where it is not one."""
        parts = _DERIVED.decode(body)
        return cls(
            cast(Application, parts.application), cast(Facts, parts.facts),
            np.array(parts.row, dtype=np.float64), parts.bank, parts.orders,
        )  # fmt: skip

    def write(self) -> bytes:
        """The body."""
        application, facts = (msgspec.Raw(part.canonical()) for part in (self.application, self.facts))
        row = [None if np.isnan(value) else value for value in self.row.tolist()]
        told = {"application": application, "facts": facts, "row": row, "bank": self.bank, "orders": self.orders}
        return msgspec.json.encode(told)

    def case(self, release: Release) -> tuple[Case, NDArray[np.float64]]:
        """What rules read, and the feature row."""
        facts = self.facts
        evidence = Evidence(
            application=self.application, as_of=facts.as_of.date(), register=facts.registry.value,
            marketplace=facts.marketplace.value, orders=self.orders, bank=self.bank, bureau=facts.bureau.value,
        )  # fmt: skip
        return Case(self.application, facts, evidence, release.policy.on(facts.as_of.date())), self.row


def without_rows(application: Application, facts: Facts) -> Facts:
    """The same facts with no transaction, no order, one account and only the supplier that is asked for."""
    bank, market = facts.bank.value, facts.marketplace.value
    if bank is None or market is None:
        raise LookupError("both bank and marketplace are needed")
    none = {name: bank.transactions[name][:0] for name in bank.transactions.columns}
    unordered = {name: market.orders[name][:0] for name in market.orders.columns}
    asked = tuple(each for each in market.suppliers if each.id == application.request.supplier_id)
    stripped = {"texts": (), "accounts": bank.accounts[:1], "transactions": Transactions(none)}
    left = {"suppliers": asked, "orders": Orders(unordered)}
    return facts.model_copy(
        update={
            "bank": facts.bank.model_copy(update={"value": bank.model_copy(update=stripped)}),
            "marketplace": facts.marketplace.model_copy(update={"value": market.model_copy(update=left)}),
        }
    )
