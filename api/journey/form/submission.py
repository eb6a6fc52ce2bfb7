"""From answers to an application: the same body that a JSON caller sends.

It does: put every answer into its place. It does not: send it. The rule it keeps: what is sent goes through the one
reading of the wire (api.wire.parse_submission), so that the form can be no looser than the interface.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from api.journey.form import consents, questions
from api.journey.form.fields import Answers
from api.journey.form.industries import ANZSIC

Json = dict[str, Any]


def body_of(answers: Answers, at: datetime, *, statements: tuple[Json, ...] = ()) -> bytes:
    """The body of an application whose every step is without a fault; fields.Wrong where one has one."""
    step = questions.BY_SLUG
    values = {
        field.name: field.value(answers)
        for each in questions.path_of(answers)
        for field in step[each.slug].asked(answers)
    }
    body: Json = {
        "business": _business(answers, values),
        "request": {"amount_cents": values["amount"], "purpose": values["purpose"]},
        "finances": {
            "turnover_12m_cents": values["turnover"],
            "other_lenders": int(str(values["lenders"])),
            "other_repayments_month_cents": values.get("repayments") or 0,
            "overdue_tax_cents": values.get("overdue-amount") or 0,
            "tax_plan": None if values["overdue"] != "yes" else values["plan"] == "yes",
        },
        "consents": [
            {
                "kind": each.kind, "version": consents.VERSION, "given": answers.get(each.name) == "yes",
                "at": at.isoformat(),
            }
            for each in consents.asked(questions.entity(answers), answers.get("bank", ""))
        ],
        "people": [_person(prefix, answers, values) for prefix in questions.prefixes(answers)],
    }  # fmt: skip
    if answers.get("bank") == "connect":
        body["bank_connection"] = answers["bank-connection"]
    if answers.get("bank") == "upload":
        body["statements"] = list(statements)
    return json.dumps(body, ensure_ascii=False).encode()


def _business(answers: Answers, values: Mapping[str, object]) -> Json:
    entity, abn = questions.entity(answers), str(values["abn"])
    since = values["since"]
    assert isinstance(since, date)
    known = questions.known(answers)
    return {
        "entity_type": entity,
        "abn": abn,
        "acn": (answers.get("register-acn") or abn[2:]) if entity == "company" else None,
        "legal_name": answers["register-name"] if known else values["legal-name"],
        "anzsic": ANZSIC[str(values["industry"])],
        "state": answers.get("register-state") or values["state"],
        "trading_since": since.isoformat(),
        "staff_band": values["staff"],
        "gst_registered": answers.get("register-gst") == "yes" if known else values["gst"] == "yes",
    }


def _person(prefix: str, answers: Answers, values: Mapping[str, object]) -> Json:
    return {
        "roles": list(questions.roles(prefix, answers)),
        "ownership_bps": questions.share_bps(prefix, answers),
        "given_names": values[f"{prefix}-given"],
        "family_name": values[f"{prefix}-family"],
        "date_of_birth": str(values[f"{prefix}-born"]),
        "mobile": values[f"{prefix}-mobile"],
        "email": values[f"{prefix}-email"],
    }
