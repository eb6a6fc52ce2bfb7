"""Our four clients under the suite that any client has to pass, and the one that docs/sources.md shows.

That one is also spoiled in every way that the suite is there to find.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

from api.sandbox import Ask, Told, World, bank, bureau, marketplace, register
from api.sources.bank import Bank
from api.sources.bureau import Bureau
from api.sources.marketplace import Marketplace
from api.sources.register import Register
from engine.application import Application
from engine.facts import BankData, Facts, Transactions
from tests.support.conformance import Conformance
from tests.support.subjects import Subject

TOKEN = {"Authorization": "Bearer sandbox-token"}


@dataclass
class OneBusiness:
    """A world with one business in it."""

    known: Facts
    today: date

    def facts(self, abn: str) -> Facts | None:
        """Its facts; None for anybody else's ABN."""
        record = self.known.registry.value
        return self.known if record is not None and record.abn == abn else None

    def application(self, abn: str) -> Application | None:
        """Nobody asks."""
        return None

    def abn_of_company(self, acn: str) -> str | None:
        """Nobody asks."""
        return None


def played(answer: Callable[[World, Ask], Told]) -> Callable[[Facts, Ask], Told]:
    """A sandbox's source as a subject's."""
    return lambda facts, ask: answer(OneBusiness(facts, facts.as_of.date()), ask)


def rows_of(data: BankData) -> tuple[Any, ...]:
    """Everything of a statement but the order of a day's rows, which banks do not promise."""
    columns = [data.transactions[name].tolist() for name in Transactions.columns if name != "text"]
    texts = [data.texts[place] for place in data.transactions["text"].tolist()]
    return data.evidence, data.oldest_on, data.newest_on, data.accounts, sorted(zip(*columns, texts, strict=True))


class TestRegister(Conformance):
    """ABN Lookup: public, its JSON wrapped for a callback."""

    subject = Subject(
        "registry", lambda: Register("sandbox-guid"), played(register.answer),
        required={
            "*": (
                "Abn", "AbnStatus", "AbnStatusEffectiveFrom", "Acn", "AddressState", "BusinessName", "EntityName",
                "EntityTypeCode", "Gst", "Message",
            )
        },
        compared=lambda record: record.model_copy(update={"company_status": None}),  # another register tells it
        bare=lambda body: body[body.index(b"(") + 1 : body.rindex(b")")],
        dressed=lambda text: b"callback(" + text + b")",
    )  # fmt: skip


class TestMarketplace(Conformance):
    """The marketplace's partner API: three answers that have to fit together."""

    subject = Subject(
        "marketplace", Marketplace, played(marketplace.answer), consent="marketplace_data", headers=TOKEN,
        required={
            "/v1/buyers/???????????": ("abn", "joined_on"),
            "*/orders": (
                "page", "total", "orders", "orders.0.order_id", "orders.0.placed_at", "orders.0.supplier_id",
                "orders.0.total", "orders.0.total.amount", "orders.0.total.currency", "orders.0.status",
                "orders.0.cancelled_by", "orders.0.dispute", "orders.0.chargeback", "orders.0.shipped_at",
                "orders.0.due_on", "orders.0.paid_on",
            ),
            "*/suppliers": (
                "total", "suppliers", "suppliers.0.supplier_id", "suppliers.0.active_since", "suppliers.0.vetted_on",
                "suppliers.0.orders_12m", "suppliers.0.value_12m.amount", "suppliers.0.dispute_rate",
                "suppliers.0.on_time_rate", "suppliers.0.response_rate", "suppliers.0.response_time_hours",
                "suppliers.0.related_to_buyer",
            ),
        },
    )  # fmt: skip


class TestBank(Conformance):
    """The Consumer Data Standards' banking: lists that have to fit together, and nobody's name in them."""

    subject = Subject(
        "bank", Bank, played(bank.answer), consent="bank_data", headers=TOKEN, says_whom=False,
        compared=rows_of,
        required={
            "*/accounts": (
                "data", "meta", "meta.totalRecords", "meta.totalPages", "data.accounts", "data.accounts.0.accountId",
                "data.accounts.0.productCategory",
            ),
            "*/balances": (
                "data", "meta", "meta.totalRecords", "meta.totalPages", "data.balances", "data.balances.0.accountId",
                "data.balances.0.currentBalance", "data.balances.0.availableBalance",
            ),
            "*/transactions": (
                "data", "meta", "meta.totalRecords", "meta.totalPages", "data.transactions",
                "data.transactions.0.accountId", "data.transactions.0.type", "data.transactions.0.status",
                "data.transactions.0.amount", "data.transactions.0.description",
            ),
        },
    )  # fmt: skip


class TestBureau(Conformance):
    """The bureau: one paid report."""

    subject = Subject(
        "bureau", Bureau, played(bureau.answer), consent="commercial_bureau", headers=TOKEN,
        required={
            "*": (
                "subject", "subject.abn", "bureau", "currency", "score", "score.name", "score.value", "score.low",
                "score.high", "file_opened_on", "defaults", "court_actions", "enquiries", "enquiries.0.date",
                "trade_payments", "trade_payments.days_beyond_terms", "tax_debt_disclosure", "ppsr_registrations",
                "ppsr_registrations.0.registered_on", "ppsr_registrations.0.collateral", "insolvency",
                "insolvency.business", "insolvency.directors",
            )
        },
    )  # fmt: skip


# -- the client of the documentation ---------------------------------------------------------------------------

PAGE = (Path(__file__).parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
CLIENT, TEST = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PLACE = "api.sources.other_bureau"


def run_page(client: str = CLIENT) -> type[Conformance]:
    """The suite of the page's client, both taken from the page."""
    module, test = ModuleType(PLACE), ModuleType("test_other_bureau")
    exec(compile(client, "docs/sources.md", "exec"), module.__dict__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, PLACE, module)
        exec(compile(TEST, "docs/sources.md", "exec"), test.__dict__)
    suite: type[Conformance] = test.TestOtherBureau
    return suite


class TestTheOtherBureau(run_page()):  # type: ignore[misc]
    """What the page shows passes as it stands there."""


ASKS = 'told = read(_RISK, (await conversation.get(f"/companies/{segment(abn)}/risk", headers=key)).body)'
REPLY = 'reply = await conversation.get(f"/companies/{segment(abn)}/risk", headers=key, allow=(404,))'
# Each flaw as it is easily written, and the test that finds it.
FLAWS = [
    ('score=rating["points"]', "score=rating['worst']", "test_a_good_answer_is_the_fact"),
    ("_RISK =", "_Risk.__pydantic_config__ = {'extra': 'forbid'}\n_RISK =", "test_new_fields_are_no_fault"),
    ('consented("commercial_bureau")', 'consented("privacy_notice")', "test_without_consent_nobody_is_asked"),
    ("insolvent: bool", "insolvent: NotRequired[bool]", "test_each_required_field_is_required"),
    ("insolvent: bool", "insolvent: object", "test_other_types_in_required_fields_are_refused"),
    ('"schema") from None', '"schema") from ValueError(str(told))', "test_strange_values_only_fail"),
    (ASKS, "told = _RISK.validate_json((await conversation.get('/companies/1/risk')).body)",
     "test_what_is_not_its_json_is_refused"),
    ('if told["abn"] != abn:', 'if not told["abn"]:', "test_an_answer_about_somebody_else_is_none"),
    (ASKS, f"{REPLY}\n        if reply.status == 404: return Answer(None)\n        told = read(_RISK, reply.body)",
     "test_a_refusal_is_never_read_as_nothing_there"),
    (ASKS, f"try:\n            {ASKS}\n        except BaseException:\n            return Answer(None)",
     "test_its_time_is_kept"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "flawed", "test"), FLAWS, ids=[test for _, _, test in FLAWS])
def test_the_suite_finds_a_flaw(good: str, flawed: str, test: str) -> None:
    """A client that makes this one mistake fails this very test."""
    assert CLIENT.count(good) == 1
    client = CLIENT.replace(good, flawed).replace("import TypedDict", "import NotRequired, TypedDict")
    suite = run_page(client.replace('told["insolvent"]', 'told.get("insolvent")'))
    with pytest.raises((AssertionError, ValidationError)):
        getattr(suite(), test)()
