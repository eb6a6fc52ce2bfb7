"""What is agreed to before an application is sent: the words shown, each with a version of its own.

It does: say which consents an application asks for, in words that a lender can replace. It does not: give legal advice;
the declaration's words come from the National Credit Code's form and are for the lender's lawyer to confirm. The rule
it keeps: one tick a consent, none ticked beforehand, and what was shown is named by version in the application.
"""

from dataclasses import dataclass
from typing import Final

from engine.application import NATURAL_PERSON_ENTITIES, ConsentKind

VERSION: Final = "web-2026-11"


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent: its words, what more there is to say, and the words where it is needed and not given."""

    kind: ConsentKind
    words: str
    more: str = ""
    ask: str = ""

    @property
    def name(self) -> str:
        """The name of its box."""
        return f"consent-{self.kind.replace('_', '-')}"


_ALL: Final = (
    Consent(
        "privacy_notice", "I have read how my information is used",
        "The privacy notice says what we collect, from whom, why, and how decisions are made automatically.",
        "Read the privacy notice and tick it",
    ),
    Consent(
        "commercial_bureau", "You may ask a credit reporting body about the business",
        "It leaves one enquiry on the business's file. We ask only when everything else leaves the decision open.",
        "Tick that we may ask about the business's credit",
    ),
    Consent(
        "marketplace_data", "You may use the business's orders on the marketplace",
        "What it bought, from whom, and whether it was paid on time.",
        "Tick that we may use the business's orders",
    ),
    Consent(
        "bank_data", "You may use the bank data that I share",
        "For this application and to look after the line, for 12 months at most. You may withdraw it at any time.",
        "Tick that we may use the bank data, or choose to apply without it",
    ),
    Consent(
        "consumer_credit", "You may ask about my own credit history",
        "Only about me as owner or guarantor, and only for this line. It is not needed to get a decision.",
    ),
    Consent(
        "identity_check", "You may check my identity with the bodies that issue documents",
        "Needed before the first payment from the line, not before the decision.",
    ),
    Consent(
        "electronic_communications", "You may send me notices and documents by e-mail",
        ask="Tick that we may write by e-mail: everything about the line is sent that way",
    ),
    Consent(
        "business_purpose", "The credit is wholly or predominantly for business purposes",
        "Important: only tick this if it is. By declaring it you may lose your protection under the National Credit "
        "Code. It is not for investment in residential property.",
        "Declare what the credit is for",
    ),
    Consent(
        "authority", "I may act for the business, and what I said is true and complete",
        ask="Tick that you may act for the business",
    ),
    Consent("direct_marketing", "You may tell me about other offers", "Not needed, and off unless you tick it."),
)  # fmt: skip
_BANK: Final = frozenset({"connect", "upload"})


def asked(entity: str, bank: str) -> tuple[Consent, ...]:
    """The consents that this application asks for; those with `ask` are needed."""
    leave = set()
    if entity not in NATURAL_PERSON_ENTITIES:
        leave.add("business_purpose")
    if bank not in _BANK:
        leave.add("bank_data")
    return tuple(each for each in _ALL if each.kind not in leave)
