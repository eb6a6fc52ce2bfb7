"""The business that is decided over and over: exactly 1,800 bank transactions and 300 marketplace orders.

It does: take a made-up business that has more of both, and thin its rows evenly. It does not: fit the subject to a
hoped-for figure: the first suitable business of the seed is taken. The rule it keeps: the decision runs every
stage, where the release allows: an offer below the amount asked, so with price and reasons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import models
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.decision import Decision, decide
from engine.facts import BankData, Facts, MarketplaceHistory, Orders, Transactions
from engine.release import Release
from training.simulate import make

TRANSACTIONS = 1_800
ORDERS = 300
SEED = 7
_MOST_TRIED = 3_000


@dataclass(frozen=True, slots=True)
class Subject:
    """One application with its facts, the release, and what came of it."""

    application: Application
    facts: Facts
    release: Release
    decision: Decision
    index: int

    @property
    def story(self) -> str:
        """What is decided, for the report."""
        bank = self.facts.bank.value
        texts = len(bank.texts) if bank else 0
        codes = ", ".join(reason.code for reason in self.decision.reasons) or "none"
        return (
            f"business {self.index} of the make-believe market with seed {SEED}, rows thinned evenly to "
            f"{TRANSACTIONS:,} bank transactions ({texts} distinct texts) and {ORDERS} orders; "
            f"outcome {self.decision.outcome}, reasons {codes}"
        )


@cache
def subject() -> Subject:
    """The first business of the market that is large enough and gets an offer below what it asked for.

    Where the champion gives none such an offer, the first large enough one; LookupError without any.
    """
    release, fallback = models.champion(), None
    for index in range(_MOST_TRIED):
        made = make(SEED, index)
        if (made.transactions or 0) < TRANSACTIONS or made.orders < ORDERS:
            continue
        application = Application.model_validate_json(canonical_bytes(made.application))
        facts = thinned(Facts.model_validate_json(made.facts_bytes))
        found = Subject(application, facts, release, decide(application, facts, release), index)
        if found.decision.offer is not None and found.decision.reasons:
            return found
        fallback = fallback or found
    if fallback is None:
        raise LookupError(f"none of {_MOST_TRIED} businesses has {TRANSACTIONS} transactions and {ORDERS} orders")
    return fallback


@cache
def subjects(count: int) -> tuple[Subject, ...]:
    """The first so many businesses of the market that are as large and get an offer; fewer where there are fewer."""
    release, found = models.champion(), list[Subject]()
    for index in range(_MOST_TRIED):
        made = make(SEED, index)
        if (made.transactions or 0) < TRANSACTIONS or made.orders < ORDERS:
            continue
        application = Application.model_validate_json(canonical_bytes(made.application))
        facts = thinned(Facts.model_validate_json(made.facts_bytes))
        decision = decide(application, facts, release)
        if decision.offer is not None:
            found.append(Subject(application, facts, release, decision, index))
        if len(found) == count:
            break
    return tuple(found)


def thinned(facts: Facts) -> Facts:
    """The same facts with rows left out evenly, and no text that no row uses."""
    bank, market = facts.bank.value, facts.marketplace.value
    if bank is None or market is None:
        raise ValueError("both bank and marketplace must be present")
    orders = market.model_dump() | {"orders": Orders(_evenly(market.orders.as_json(), ORDERS))}
    return facts.model_copy(
        update={
            "bank": facts.bank.model_copy(update={"value": _thinned_bank(bank)}),
            "marketplace": facts.marketplace.model_copy(update={"value": MarketplaceHistory.model_validate(orders)}),
        }
    )


def _thinned_bank(bank: BankData) -> BankData:
    columns = _evenly(bank.transactions.as_json(), TRANSACTIONS)
    used = sorted(set(columns["text"]))
    columns["text"] = [used.index(text) for text in columns["text"]]
    rows = {"texts": tuple(bank.texts[text] for text in used), "transactions": Transactions(columns)}
    return BankData.model_validate(bank.model_dump() | rows)


def _evenly(columns: Mapping[str, Sequence[int]], keep: int) -> dict[str, list[int]]:
    """`keep` rows of each column, spread over all of them."""
    count = len(next(iter(columns.values())))
    return {name: [values[place * count // keep] for place in range(keep)] for name, values in columns.items()}
