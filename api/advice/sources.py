"""Which sources a decision was made from, and how the applicant gets and corrects what each of them knows.

It does: name every source that was asked about this application. It does not: tell what one said. The rule it keeps:
lists for compliance are in no reply, whether they were asked or not, hit or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from api.advice.contacts import Contact, Contacts
from api.sources import NOT_ASKED
from engine.difference import PUBLIC_SOURCES
from engine.facts import Facts


@dataclass(frozen=True, slots=True)
class _Words:
    name: str
    data: str
    get: str
    correct: str


_REGISTRY = _Words(
    "The business and company registers (ABR and ASIC)",
    "ABN, name, kind of entity, GST registration, status of the company",
    "Both registers are public: look up your ABN at abr.business.gov.au and your company at asic.gov.au.",
    "Change it at the register itself: for the ABN at abr.gov.au, for the company with ASIC.",
)
_MARKETPLACE = _Words(
    "The marketplace where you buy",
    "your orders, how they were paid and how they ended",
    "Your account there shows your orders.",
    "Ask the marketplace's support to correct an order.",
)
_BANK = _Words(
    "Your bank",
    "accounts, balances and transactions of the business, with your consent",
    "Your own statements show the same.",
    "Ask your bank. You can withdraw the consent at any time with whoever took it.",
)
_UPLOADED = _Words(
    "Bank statements that were sent with your application",
    "accounts, balances and transactions of the business",
    "You have the statements that were sent.",
    "Send us complete statements where we ask for documents, or ask us for a person.",
)
_BUREAU = _Words(
    "A credit reporting body",
    "the credit file: payment defaults, court actions, enquiries, payment record, reported tax debts",
    "A person can ask a credit reporting body for their own report free of charge every three months, and again within "
    "90 days after being refused credit. For the report of a company, ask the body below.",
    "Ask the body below, or ask us: either has to look into it within 30 days, free of charge.",
)
_FREE = "every 3 months, and within 90 days after a refusal"


def sources_used(facts: Facts, contacts: Contacts) -> list[dict[str, object]]:
    """Each source that was asked, in a fixed order, with what kind of data it has and how that is corrected.

    A source that nobody connected, or that needed no asking, is left out: it said nothing about the applicant.
    """
    found: list[dict[str, object]] = []
    for name in PUBLIC_SOURCES:
        fact = getattr(facts, name)
        if fact.status == "absent" or fact.source == NOT_ASKED:
            continue
        uploaded = name == "bank" and fact.source.startswith("caller/")
        words, contact = _UPLOADED if uploaded else _WORDS[name], _contact(name, contacts)
        found.append(
            {
                "source": name,
                "name": words.name,
                "data": words.data,
                "asked_on": fact.fetched_at.date().isoformat(),
                "answered": fact.status == "present",
                "how_to_get": words.get,
                "how_to_correct": words.correct,
                "free_report": _FREE if name == "bureau" else None,
                "contact": None if contact is None else contact_reply(contact),
            }
        )
    return found


def contact_reply(contact: Contact) -> dict[str, object]:
    """A contact as it is told."""
    return contact.model_dump(mode="json")


def _contact(name: str, contacts: Contacts) -> Contact | None:
    return {"bureau": contacts.bureau, "marketplace": contacts.marketplace}.get(name)


_WORDS: Mapping[str, _Words] = {
    "registry": _REGISTRY, "marketplace": _MARKETPLACE, "bank": _BANK, "bureau": _BUREAU,
}  # fmt: skip
