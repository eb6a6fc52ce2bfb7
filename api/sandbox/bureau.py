"""The sandbox's bureau: made-up commercial reports in the format of api.sources.bureau.

It does: render the facts of the world, refuse what a bureau refuses (no key, no consent, a wrong token), and say
`no_file` of a business nobody has heard of. It does not: keep count of pulls, nor need to: the same pull gives the
same answer. The rule it keeps: it charges nothing and holds nothing.
"""

from pydantic import BaseModel, ConfigDict, ValidationError

from api.sandbox import Ask, Told, World
from engine.canonical import canonical_bytes
from engine.facts import BureauReport
from engine.values import Abn

TOKEN = "sandbox-token"
PATH = "/v1/commercial-reports"
NO_FILE_SCORE = {"name": "synthetic-commercial", "value": None, "low": 0, "high": 1200}
_BUREAU = "synthetic-bureau"


class _Consent(BaseModel):
    kind: str
    version: str
    given_at: str


class _Question(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    abn: Abn
    purpose: str
    consent: _Consent


def answer(world: World, ask: Ask) -> Told:
    """One pull: 200 with the report, 404 `no_file`, or what a real bureau refuses with."""
    if ask.headers.get("authorization") != f"Bearer {TOKEN}":
        return _error(401, "unauthorised")
    if ask.path != PATH:
        return _error(404, "not_found")
    if ask.method != "POST":
        return _error(405, "method_not_allowed")
    if not ask.headers.get("idempotency-key"):
        return _error(400, "idempotency_key_missing")
    try:
        question = _Question.model_validate_json(ask.body)
    except ValidationError:
        return _error(422, "invalid")
    if question.purpose != "commercial_credit" or question.consent.kind != "commercial_bureau":
        return _error(403, "consent_missing")
    return _told(world, question.abn)


def _told(world: World, abn: str) -> Told:
    facts = world.facts(abn)
    if facts is not None and facts.bureau.status == "failed":
        return _error(503, "unavailable")
    report = None if facts is None else facts.bureau.value
    if report is None:
        empty = {"code": "no_file", "subject": {"abn": abn}, "bureau": _BUREAU, "score": NO_FILE_SCORE}
        return Told(canonical_bytes(empty), status=404)
    return Told(canonical_bytes(rendered(abn, report)))


def rendered(abn: str, report: BureauReport) -> dict[str, object]:
    """The wire form of a report."""
    debt = report.tax_debt_disclosed_cents
    return {
        "subject": {"abn": abn},
        "bureau": report.bureau,
        "currency": "AUD",
        "score": {
            "name": report.score_name, "value": report.score, "low": report.score_low, "high": report.score_high,
        },
        "file_opened_on": None if report.file_since is None else report.file_since.isoformat(),
        "defaults": [
            {
                "date": item.on.isoformat(), "amount": _dollars(item.amount_cents),
                "status": "paid" if item.paid else "outstanding",
            }
            for item in report.defaults
        ],
        "court_actions": [
            {
                "date": item.on.isoformat(), "amount": _dollars(item.amount_cents),
                "type": "judgment" if item.judgment else "writ", "plaintiff": "SYNTHETIC PLAINTIFF PTY LTD",
            }
            for item in report.court_actions
        ],
        "enquiries": [{"date": day.isoformat()} for day in report.enquiries],
        "trade_payments": {"days_beyond_terms": report.days_beyond_terms},
        "tax_debt_disclosure": None if debt is None else {"amount": _dollars(debt)},
        "ppsr_registrations": [
            {"registered_on": item.on.isoformat(), "collateral": "all_pap" if item.all_assets else "specific"}
            for item in report.registrations
        ],
        "insolvency": {
            "business": report.insolvency == "business", "directors": report.insolvency == "director",
        },
    }  # fmt: skip


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _error(status: int, code: str) -> Told:
    return Told(canonical_bytes({"code": code}), status=status)
