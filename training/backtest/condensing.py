"""An export condensed: each decision with its feature row and what its statements and orders sum up to.

It does: write lines a fifth as long, from which the engine's own code decides to the byte what it decides from the
raw facts. It does not: hold a transaction, an order, or a text of a statement. The rule it keeps: sums are those of
one engine, and another engine refuses them.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.application import Application
from engine.canonical import canonical_bytes
from engine.facts import Facts
from engine.facts.bank import Transactions
from engine.facts.marketplace import Orders
from engine.features import Evidence
from engine.features.statement import BankSummary
from engine.features.trade import OrderSummary
from models import engine_digest
from training.backtest.seen import Seen

if TYPE_CHECKING:
    from training.backtest.records import Record

Numbers = list[float | None]


class Condensed(msgspec.Struct, frozen=True):
    """What stands in place of transactions, orders and the recorded decision."""

    engine_digest: str
    row: Numbers
    bank: dict[str, Any] | None
    orders: dict[str, Any] | None
    recorded: Seen | None
    inputs_differ: bool

    @classmethod
    def of(cls, record: "Record") -> "Condensed":
        """The sums of a record."""
        evidence = record.evidence
        return cls(
            engine_digest=engine_digest(),
            row=[None if np.isnan(value) else value for value in record.row.tolist()],
            bank=None if evidence.bank is None else _plain(asdict(evidence.bank)),
            orders=None if evidence.orders is None else _plain(asdict(evidence.orders)),
            recorded=record.recorded,
            inputs_differ=record.inputs_differ,
        )

    def features(self) -> NDArray[np.float64]:
        """The stored feature row, NaN where missing."""
        return np.array([np.nan if value is None else value for value in self.row], dtype=np.float64)

    def evidence(self, application: Application, facts: Facts) -> Evidence:
        """What rules and limits read, from the sums."""
        return Evidence(
            application=application, as_of=facts.as_of.date(), register=facts.registry.value,
            marketplace=facts.marketplace.value, orders=_summary(OrderSummary, self.orders),
            bank=_summary(BankSummary, self.bank), bureau=facts.bureau.value,
        )  # fmt: skip


def condensed_line(record: "Record") -> bytes:
    """One line of a condensed export."""
    facts = record.facts.model_dump(mode="json")
    if (bank := facts["bank"]["value"]) is not None:
        bank.update(texts=[], transactions={name: [] for name in Transactions.columns})
    if (market := facts["marketplace"]["value"]) is not None:
        wanted = record.application.request.supplier_id
        market["orders"] = {name: [] for name in Orders.columns}
        market["suppliers"] = [supplier for supplier in market["suppliers"] if supplier["id"] == wanted]
    line = {
        "decision_id": record.decision_id,
        "application_id": record.application_id,
        "decided_at": record.decided_at,
        "engine_digest": record.engine_digest,
        "release_digest": record.release_digest,
        "application": msgspec.Raw(record.application.canonical()),
        "facts": msgspec.Raw(canonical_bytes(facts)),
        "condensed": Condensed.of(record),
    }
    return msgspec.json.encode(line) + b"\n"


def _plain(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A summary as JSON holds it: a value that is missing is null."""
    return {name: None if value != value else value for name, value in summary.items()}  # noqa: PLR0124 - NaN


def _summary(kind: type[Any], told: Mapping[str, Any] | None) -> Any:
    if told is None:
        return None
    listed = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return kind(**{f.name: float("nan") if listed[f.name] is None else listed[f.name] for f in fields(kind)})
