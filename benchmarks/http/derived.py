"""What a request to a benchmark service carries: an application with whole facts, or with what was derived of them.

It does: write and read both. It does not: decide. The rule it keeps: the derived form leaves out rows alone
(transactions, orders, other suppliers), so a decision on it is the decision on the whole.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.application import Application
from engine.facts import Facts, Orders, Transactions
from engine.features import Evidence, row_of
from engine.features.statement import BankSummary
from engine.features.trade import OrderSummary
from engine.release import Release
from engine.screening import Case


class _WholeParts(msgspec.Struct):
    application: msgspec.Raw
    facts: msgspec.Raw


class _DerivedParts(msgspec.Struct):
    application: msgspec.Raw
    facts: msgspec.Raw
    row: list[float | None]
    bank: BankSummary
    orders: OrderSummary


_WHOLE, _DERIVED = msgspec.json.Decoder(_WholeParts), msgspec.json.Decoder(_DerivedParts)


@dataclass(frozen=True, slots=True)
class Whole:
    """An application and everything known about the business."""

    application: Application
    facts: Facts

    @classmethod
    def read(cls, body: bytes) -> "Whole":
        """Read a request's body; an error where it is not one."""
        parts = _WHOLE.decode(body)
        return cls(
            Application.model_validate_json(bytes(parts.application)), Facts.model_validate_json(bytes(parts.facts))
        )

    def write(self) -> bytes:
        """The body."""
        application, facts = (msgspec.Raw(part.canonical()) for part in (self.application, self.facts))
        return msgspec.json.encode(_WholeParts(application, facts))


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
            Application.model_validate_json(bytes(parts.application)), Facts.model_validate_json(bytes(parts.facts)),
            np.array(parts.row, dtype=np.float64), parts.bank, parts.orders,
        )  # fmt: skip

    def write(self) -> bytes:
        """The body."""
        application, facts = (msgspec.Raw(part.canonical()) for part in (self.application, self.facts))
        row = [None if np.isnan(value) else value for value in self.row.tolist()]
        return msgspec.json.encode(_DerivedParts(application, facts, row, self.bank, self.orders))

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
