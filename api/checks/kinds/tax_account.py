"""Account summaries of the tax office: whose, of which day, what is overdue, whether there is a payment plan.

It does: hold the parts against the balance, and the account's own table against itself. It does not: judge what is
overdue, which the decision does. The rule it keeps: a payment plan is there or not only where words say so.
"""

import re
from typing import Final

from api.checks import dating, labels, naming, numbers
from api.checks.kinds.ledger import ledger_of, reconciled
from api.checks.subject import Answer, Check, Subject, failing, unread
from api.checks.values import Finding

_OVERDUE: Final = r"^\W*(?:total |amount )?overdue(?: amount| balance)?"
_COMING: Final = r"^\W*(?:amounts? )?not yet due"
_BALANCE: Final = r"^\W*(?:total |account |current |closing )?balance"
_PLAN: Final = r"payment (?:plan|arrangement)s?"
_NO_PLAN: Final = re.compile(
    rf"(?i)\b(?:no|not|without)\b[^.]{{0,40}}\b{_PLAN}"
    rf"|\b{_PLAN}\W{{0,3}}\s*(?:is |are )?(?:none|no\b|nil|not\b|inactive|cancelled|defaulted|ended|n/a)"
)
_HAS_PLAN: Final = re.compile(
    rf"(?i)\b(?:active|current|agreed|approved|have an?)\s[^.]{{0,20}}\b{_PLAN}"
    rf"|\b{_PLAN}\W{{0,3}}\s*(?:is |are )?(?:active|yes|current\b|in place|approved|agreed)"
)


def totals(subject: Subject) -> Answer:
    """What is overdue and what is not yet due make the balance, and rows agree with the balances beside them."""
    overdue, coming, balance = (labels.money_at(subject.rows, each) for each in (_OVERDUE, _COMING, _BALANCE))
    found: list[Finding] = []
    if overdue is not None:
        found.append(overdue[1].find("overdue_cents", str(abs(overdue[0].cents))))
    if overdue is None or coming is None or balance is None:
        return Answer("unread", "What is overdue, not yet due and in all could not all be read.", found)
    found.append(balance[1].find("balance_cents", str(abs(balance[0].cents))))
    wrong = []
    if abs(overdue[0].cents) + abs(coming[0].cents) != abs(balance[0].cents):
        wrong.append("what is overdue and what is not yet due are not the balance")
    broken = reconciled(ledger_of(subject)).broken
    if broken:
        wrong.append(f"{len(broken)} rows do not agree with the balance beside them")
        found += [entry.row.find("row", entry.row.text) for entry in broken]
    if wrong:
        return Answer(failing(subject), f"It does not add up: {'; '.join(wrong)}.", found)
    return Answer("pass", "What is overdue and what is not yet due make the balance.", found)


def plan(subject: Subject) -> Answer:
    """Whether it says that a payment plan is in place."""
    for row in subject.rows:
        for pattern, answer, says in (
            (_NO_PLAN, "no", "It says that there is no payment plan."),
            (_HAS_PLAN, "yes", "It says that a payment plan is in place."),
        ):
            said = pattern.search(row.text)
            if said:
                return Answer("pass", says, [row.find("plan", answer, *said.span())])
    return unread("Whether there is a payment plan")


CHECKS: Final = (
    Check("abn", "The ABN is the application's.", numbers.abn, "ABN_MISMATCH"),
    Check("name", "It is the business's.",
          naming.business_name(r"^\W*(?:client(?: name)?|taxpayer|entity name|name)(?=\s*:|\s{2})"), "NAME_MISMATCH"),
    Check("totals", "What is overdue and not yet due make the balance.", totals, "TOTALS_DO_NOT_ADD"),
    Check("plan", "Whether a payment plan is in place.", plan),
    Check("age", "It is of these days.",
          dating.dated_at(r"as at|as of|asat|date generated|generated on|date (?:issued|printed)", "day of the account",
                          "as_of"), "TOO_OLD"),
)  # fmt: skip
