"""What the register tells of an ABN, put among the answers, so that it is only confirmed.

It does: ask the register once, within two seconds. It does not: decide anything by it: the decision asks again. The
rule it keeps: a register that is away is no "not found"; then the questions are simply asked.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from api.applicants.drafts import Answers
from engine.facts import Fact, RegisterRecord

SECONDS: Final = 2.0
LookUp = Callable[[str, datetime, float], Awaitable[Fact[RegisterRecord]]]
_CLASSES: Final = {"company": "company", "sole_trader": "sole_trader", "trust": "trust", "partnership": "partnership"}
NAMES: Final = (
    "register", "register-name", "register-entity", "register-acn", "register-state", "register-gst", "register-active",
)  # fmt: skip

# Answers that belong to the business whose number was typed before.
OF_ANOTHER: Final = (
    "entity", "legal-name", "state", "gst", "since-month", "since-year", "bank-connection", "statements",
    "statement-names",
)  # fmt: skip


async def looked_up(look_up: LookUp | None, abn: str, at: datetime) -> Answers:
    """What is known of a number, as answers; `register` is `known`, `unknown` (no such ABN) or `away`."""
    if look_up is None:
        return {"register": "away"}
    record = (await look_up(abn, at, time.monotonic() + SECONDS)).value
    if record is None:
        return {"register": "away"}
    if not record.found:
        return {"register": "unknown"}
    since = min(record.abn_active_from, record.gst_from or record.abn_active_from)
    told = {
        "register": "known", "register-name": record.entity_name, "register-state": record.state or "",
        "register-entity": _CLASSES.get(record.entity_class, ""), "register-acn": record.acn or "",
        "register-gst": "yes" if record.gst_from else "no", "register-active": "yes" if record.abn_active else "no",
        "since-month": str(since.month), "since-year": str(since.year),
    }  # fmt: skip
    return {name: value for name, value in told.items() if value}
