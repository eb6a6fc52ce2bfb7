"""What is said to an applicant of a counterfactual: which evidence, how it is brought, and what the promise rests on.

It does: put kept evidence into sentences. It does not: know a decision. The rule it keeps: figures stand as they were
kept, and every sentence is the same whoever reads it.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from api.zone import SYDNEY
from engine.whatif import EVIDENCE, Promise, Shown

_SHOWN_BY = {each.kind: each.shown_by for each in EVIDENCE}
SUBJECT_TO = (
    "What you told us, and what our sources said, is otherwise as it was, and the documents that we ask for bear it "
    "out.",
    "Nothing has come up since for which we decline an application or have a person look at it; a source that does not "
    "answer counts as that until it does.",
    "We have not stopped new lending, and the lines of your business and of those linked to it have not reached the "
    "most that we lend.",
    "It is for this application, and the evidence reaches us by the date.",
)
_DOCUMENTS = "Accept the offer and send the documents with the others that we ask for."
_LOOK = "Once that is so, ask us to look again: no new application is needed."
_BOTH = "Once that is so, ask us to look again, then accept the offer and send the documents."


def evidence_words(shown: Shown) -> str:
    """What has to be shown, as the part of a sentence that begins with if."""
    return _WORDS[shown.kind](shown)


def promise_words(promise: Promise) -> str:
    """The whole promise in one or two sentences."""
    what = " and ".join(evidence_words(each) for each in promise.evidence)
    rate = f"{Decimal(promise.monthly_rate_bps) / 100:.2f} % a month"
    until = _day(last_day(promise.held_until))
    return f"If {what}, your line would be {_dollars(promise.limit_cents)} at {rate}. Held until {until}."


def how(promise: Promise) -> tuple[str, str]:
    """How the evidence is brought: a code and a sentence."""
    by = {_SHOWN_BY[each.kind] for each in promise.evidence}
    if by == {"documents"}:
        return "documents", _DOCUMENTS
    return ("look_and_documents", _BOTH) if "documents" in by else ("look", _LOOK)


def last_day(moment: datetime) -> date:
    """The day in Sydney on which a moment falls: what is held until then is held on it."""
    return moment.astimezone(SYDNEY).date()


def _financials(shown: Shown) -> str:
    overdue = (
        f"at most {_dollars(shown.most_cents)} overdue{' under a payment plan' if shown.plan else ''}"
        if shown.most_cents
        else "nothing overdue"
    )
    return (
        f"your financial statements of the last year show a turnover of at least {_dollars(shown.least_cents)} and "
        f"your tax account shows {overdue}"
    )


def _statements(shown: Shown) -> str:
    days = f"from {_day(shown.first_on)} to {_day(shown.last_on)}" if shown.first_on and shown.last_on else "sent"
    return f"your bank statements {days} show at least {_dollars(shown.least_cents)} coming in"


def _plan(shown: Shown) -> str:
    return f"your tax account shows a payment plan and at most {_dollars(shown.most_cents)} overdue"


_WORDS: Mapping[str, Callable[[Shown], str]] = {
    "financials": _financials,
    "statements": _statements,
    "tax_paid": lambda _: "your tax account shows nothing overdue",
    "tax_plan": _plan,
    "gst_registered": lambda _: "the register shows your business as registered for GST",
    "defaults_paid": lambda _: "your credit file shows every default as paid",
    "disclosure_cleared": lambda _: "your credit file no longer shows a tax debt",
}


def _dollars(cents: int | None) -> str:
    return f"${(cents or 0) // 100:,}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
