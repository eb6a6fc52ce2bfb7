"""The printed page of a receipt: every line of it comes from the signed file."""

import json

import pytest

from api.receipts.settings import ReceiptSettings
from api.receipts.view import receipt_view
from api.replies import CONDITIONS
from engine.canonical import digest
from tests.support.businesses import story
from tests.support.receipting import decided, receipt
from tests.support.service import Service

LENDER = "Sample Lender Pty Ltd"
FROM_THE_BEGINNING = (
    "identity_verified", "documents_verified", "draws_to_approved_suppliers", "activity_statements",
    "financial_statements",
)  # fmt: skip


def test_an_offer_is_printed_with_its_price_and_its_proof(lone_service: Service) -> None:
    """Amounts, rate, worked draw, conditions, reasons for less, digests and signature; all as the file says."""
    reply = decided(lone_service, {"application": {"request": {"amount_cents": 30_000_000}}})
    file = receipt(lone_service, reply["decision_id"])
    view, told = receipt_view(file, LENDER), json.loads(file)
    offer = {line.label: line.value for line in view.offer}
    assert offer["Line of credit, up to"] == f"${reply['offer']['limit_cents'] // 100:,}"
    assert offer["Interest a month"].startswith(reply["offer"]["monthly_rate_percent"].rstrip("0").rstrip("."))
    assert reply["offer"]["held_until"] in offer["Held until"]
    assert view.conditions == tuple(each["text"] for each in reply["offer"]["conditions"])
    assert [(each.text, each.help) for each in view.reasons] == [(r["text"], r["help"]) for r in reply["reasons"]]
    assert view.reasons
    assert len(view.worked_draw) == 7
    proof = {line.value for line in view.proof}
    names = ("application_sha256", "facts_sha256", "release", "release_digest", "engine_digest", "key")
    assert {told["receipt"][name] for name in names} | {told["signature"]} <= proof
    assert f"{reply['audit_seq']}:{reply['receipt_hash']}" in proof
    assert (view.lender, view.file_name) == (LENDER, f"receipt-{reply['decision_id']}.json")


@pytest.mark.parametrize(("told", "sources"), [({"status": "failed"}, ("the bank",)), ({"status": "absent"}, ())])
def test_what_a_decision_does_not_have_is_empty(
    lone_service: Service, told: dict[str, str], sources: tuple[str, ...]
) -> None:
    """A referral prints no offer, draw or conditions, and names the sources that could not be had."""
    lone_service.state.shell.sources.told = story({"bank": told, "registry": {"entity_type_code": "COP"}})
    reply = decided(lone_service)
    view = receipt_view(receipt(lone_service, reply["decision_id"]), LENDER)
    assert reply["outcome"] == "refer"
    assert (view.offer, view.worked_draw, view.conditions) == ((), (), ())
    assert view.unavailable == sources
    assert view.outcome == "A person looks at the application before anything is decided"


def test_a_development_receipt_says_that_it_proves_nothing(lone_service: Service) -> None:
    """The key that everybody knows is marked on the page; another is not."""
    reply = decided(lone_service)
    everybodys = receipt(lone_service, reply["decision_id"], ReceiptSettings().signer(development=True))
    own = receipt(lone_service, reply["decision_id"])
    notes = [" ".join(receipt_view(file, LENDER).notes) for file in (everybodys, own)]
    assert ["proves nothing" in each for each in notes] == [True, False]
    assert all("made-up data" in each for each in notes) == reply["synthetic"]


def test_the_words_of_conditions_stay() -> None:
    """They stand in receipts that were handed out: other words for a condition need another code."""
    assert digest({code: CONDITIONS[code] for code in FROM_THE_BEGINNING}) == (
        "be6b0fa3ab8adfea706b87ddd42b2b44343af725bf673371323df9109ceb7647"
    )
