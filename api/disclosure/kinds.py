"""The kinds of information that can reach a decision, field by field, in plain words: the one table of them.

It does: say of every field of an application, of its people and of the facts which kind it belongs to, where that comes
from and whose it is. It does not: know a release. The rule it keeps: a field is in exactly one kind, so that nothing
new can be read without a line here (a test goes through the engine's own declarations).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Affected = Literal["sole_trader", "partner", "director", "owner", "guarantor", "contact"]
AFFECTED: dict[Affected, str] = {
    "sole_trader": "a sole trader, or a person who is the trustee of a trust that trades",
    "partner": "a partner",
    "director": "a director",
    "owner": "an owner of a quarter or more",
    "guarantor": "a guarantor",
    "contact": "the person who applies for the business",
}
EVERYBODY: tuple[Affected, ...] = tuple(AFFECTED)
IN_BUSINESS: tuple[Affected, ...] = ("sole_trader", "partner")  # whose business is no other person than they are


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of information: what it is, where it comes from, whose it is.

    `part` is where the program finds it, `fields` their names there. `guards` are numbers of policy without any of
    which it is not used. What is not `personal` says nothing of anybody.
    """

    id: str
    words: str
    source: str
    of: tuple[Affected, ...]
    part: str
    fields: tuple[str, ...]
    guards: tuple[str, ...] = ()
    personal: bool = True


_STATED, _OWN = "the application", "our own records"
_LINKS = ("person_entities", "group_entities")

KINDS: tuple[Kind, ...] = (
    # -- what the application states
    Kind(
        "business", "What the business is: ABN and ACN, legal name, structure, industry, state, when it began to "
        "trade, how many work there, GST registration", _STATED, IN_BUSINESS, "application.business",
        ("entity_type", "abn", "acn", "legal_name", "anzsic", "state", "trading_since", "staff_band", "gst_registered"),
    ),
    Kind(
        "request", "What is asked for: the amount, what it is for, the supplier", _STATED, IN_BUSINESS,
        "application.request", ("amount_cents", "purpose", "purpose_detail", "supplier_id"),
    ),
    Kind(
        "finances", "Finances as stated: turnover, other lenders and what is paid to them, overdue tax and whether a "
        "payment plan is in place", _STATED, IN_BUSINESS, "application.finances",
        ("turnover_12m_cents", "other_lenders", "other_repayments_month_cents", "overdue_tax_cents", "tax_plan"),
    ),
    Kind(
        "consents", "Which consents were given: they settle which sources are asked", _STATED, EVERYBODY,
        "application.consents", ("kind", "version", "given", "at"),
    ),
    Kind(
        "bank_connection", "Which bank connection was made", _STATED, IN_BUSINESS, "application.bank_connection",
        ("bank_connection",),
    ),
    Kind(
        "roles", "Who is owner, director, guarantor or contact, and their shares", _STATED, EVERYBODY,
        "application.people", ("ref", "roles", "ownership_bps"),
    ),
    # -- people, who are kept apart and never enter the credit model
    Kind(
        "names", "Names and dates of birth, to compare them with sanctions lists, with identity documents and with "
        "other applications; beyond 18 years, age plays no part", _STATED, EVERYBODY, "people",
        ("given_names", "family_name", "date_of_birth"),
    ),
    Kind(
        "contact_details", "Mobile telephone numbers and e-mail addresses, to see whether other businesses came with "
        "the same", _STATED, EVERYBODY, "people", ("mobile", "email"), ("contact_entities",),
    ),
    Kind(
        "director_id", "Director identification numbers, to see whether other businesses came with the same", _STATED,
        ("director",), "people", ("director_id",), _LINKS,
    ),
    Kind(
        "device", "A code of the device that the application came from, to see whether other businesses came from it",
        "the device", ("sole_trader", "partner", "contact"), "device", ("device",),
        ("device_hours_entities", "device_days_entities"),
    ),
    # -- what sources report
    Kind(
        "register", "The public register's record: status, dates, structure, names, GST registration; for a company "
        "also the company register's status", "the Australian Business Register and the company register", IN_BUSINESS,
        "registry",
        ("abn", "found", "abn_active", "abn_active_from", "acn", "entity_name", "entity_type_code", "gst_from", "state",
         "business_names", "company_status"),
    ),
    Kind(
        "compliance", "Whether a name is on a sanctions list, belongs to a politically exposed person, or a sign of "
        "fraud was raised", "sanctions lists and our own checks", EVERYBODY, "compliance",
        ("sanctions_hits", "politically_exposed", "fraud_flags", "cleared"),
    ),
    Kind(
        "orders", "Twelve months on the marketplace: orders, their amounts and outcomes, how promptly they were paid",
        "the marketplace", IN_BUSINESS, "marketplace",
        ("joined_on", "orders", "placed_day", "amount_cents", "supplier", "outcome", "days_late", "ship_days"),
    ),
    Kind(
        "suppliers", "The record of the suppliers ordered from: age, orders, disputes, delivery, ties to the buyer",
        "the marketplace", IN_BUSINESS, "marketplace",
        ("suppliers", "id", "active_since", "orders_12m", "value_12m_cents", "dispute_bps", "on_time_bps",
         "related_to_buyer", "vetted_on", "response_rate_bps", "response_hours"),
    ),
    Kind(
        "bank_accounts", "Bank accounts of the business: kind, since when, balances and limits",
        "the bank under consent, or statements that are sent to us", IN_BUSINESS, "bank",
        ("evidence", "oldest_on", "newest_on", "accounts", "account_id", "product_category", "open", "opened_on",
         "current_cents", "available_cents", "credit_limit_cents"),
    ),
    Kind(
        "bank_transactions", "Up to thirteen months of their transactions: days, amounts, kinds and texts, from which "
        "sales, outgoings, other lenders, dishonoured payments, tax payments and gambling are told",
        "the bank under consent, or statements that are sent to us", IN_BUSINESS, "bank",
        ("texts", "transactions", "posted_day", "account", "amount_cents", "kind", "merchant_category", "text"),
    ),
    Kind(
        "credit_report", "The commercial credit report: score, age of the file, defaults, court actions, enquiries, "
        "securities registered, how late suppliers were paid, tax debt that the tax office disclosed",
        "a credit reporting body", IN_BUSINESS, "bureau",
        ("bureau", "score_name", "score", "score_low", "score_high", "file_since", "defaults", "court_actions",
         "enquiries", "registrations", "days_beyond_terms", "tax_debt_disclosed_cents", "on", "amount_cents", "paid",
         "judgment", "all_assets"),
    ),
    Kind(
        "insolvency", "An insolvency on file of the business or of a director", "a credit reporting body",
        (*IN_BUSINESS, "director"), "bureau", ("insolvency",),
    ),
    # -- our own record
    Kind(
        "lines_held", "Lines, drawings and offers that the business, and businesses linked to it, have with us", _OWN,
        IN_BUSINESS, "exposure", ("business_cents", "group_cents"),
    ),
    Kind(
        "brakes", "Limits that the lender has put on itself", _OWN, (), "exposure",
        ("brakes", "segment", "limit_cents", "used_cents", "kind"), personal=False,
    ),
    Kind(
        "applications", "Other applications of the same business, and whether what they stated has changed", _OWN,
        IN_BUSINESS, "exposure", ("guards", "open_applications", "retypes"), ("open_applications", "retype_refer"),
    ),
    Kind(
        "same_people", "How many other businesses applied with the same people, and how many are linked by people or "
        "bank accounts", _OWN, EVERYBODY, "exposure", ("person_entities", "group_entities"), _LINKS,
    ),
    Kind(
        "same_account", "How many other businesses applied with the same bank account", _OWN, IN_BUSINESS, "exposure",
        ("account_entities",), ("account_entities",),
    ),
    Kind(
        "same_device", "How many other businesses applied from the same device", _OWN,
        ("sole_trader", "partner", "contact"), "exposure", ("device_hours_entities", "device_days_entities"),
        ("device_hours_entities", "device_days_entities"),
    ),
    Kind(
        "same_contact", "How many other businesses applied with the same telephone number or e-mail address", _OWN,
        EVERYBODY, "exposure", ("contact_entities",), ("contact_entities",),
    ),
    # -- what comes with verification
    Kind(
        "documents", "What accepted documents say: turnover, overdue tax and plan, profit, which kinds of document "
        "they are, the days they cover", "documents that are sent to us", IN_BUSINESS, "documents",
        ("by", "accepted", "kind", "sha256", "turnover_12m_cents", "overdue_tax_cents", "tax_plan", "profit_cents",
         "covered_to"),
    ),
    Kind(
        "review", "What the lender's officers settled: a most, a reason, what they left aside, whether they declined",
        "the lender's officers", IN_BUSINESS, "review", ("most_cents", "reason", "set_aside", "declined"),
    ),
    Kind(
        "files", "The documents themselves, read by machine: that they are of the business and of its people, recent, "
        "whole and unaltered, that their figures add up, and whether they came with another application",
        "documents that are sent to us", EVERYBODY, "files", ("files",),
    ),
    Kind(
        "progress", "Which documents have arrived, and until when the offer is held", _OWN, EVERYBODY, "case",
        ("progress",),
    ),
)  # fmt: skip


def kinds_of(reads: Collection[str]) -> tuple[Kind, ...]:
    """The kinds that lie in these parts, or have these names."""
    return tuple(kind for kind in KINDS if kind.part in reads or kind.id in reads)


# Of people, what nothing that decides reads; asked for after an offer, for the contract.
NOT_READ = ("home_address", "line1", "line2", "suburb", "state", "postcode")

# What each blind index of an application is made of (api.guards), and what a document is held against (api.checks).
OF_SIGNAL = {
    "person": ("names", "director_id"), "bank_account": ("bank_accounts",), "device": ("device",),
    "phone": ("contact_details",), "email": ("contact_details",),
}  # fmt: skip
OF_EXPECTATION = {
    "legal_name": "business", "other_names": "business", "abn": "business", "acn": "business", "people": "names",
    "bsb": "bank_accounts", "account_number": "bank_accounts", "turnover_12m_cents": "finances", "also_seen": "files",
}  # fmt: skip
