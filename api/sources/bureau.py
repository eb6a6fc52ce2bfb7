"""The commercial bureau: one paid report on a business, asked for with its recorded consent.

It does: ask once for each application, and turn the answer into engine.facts.BureauReport. It does not: ask without
the consent `commercial_bureau`, know the name of a vendor (each gets a small adapter in front of it that speaks the
format below), compare scores, or read a missing tax-debt disclosure as "no tax debt". The rule it keeps: a report on
somebody else, a score without its name and range, and anything missing or out of range is no report at all.

The wire format, ours, UTF-8 JSON; money is decimal text in Australian dollars, days are ISO 8601:

    POST /v1/commercial-reports        Idempotency-Key: the application's id, so that a repeated pull is charged once
    {"abn": "…", "acn": "…" (companies only), "purpose": "commercial_credit",
     "consent": {"kind": "commercial_bureau", "version": "…", "given_at": "2026-08-03T00:55:00Z"}}

    200 {"subject": {"abn": "…"}, "bureau": "…", "currency": "AUD",
         "score": {"name": "…", "value": 612 or null, "low": 0, "high": 1200},
         "file_opened_on": day or null,
         "defaults": [{"date": day, "amount": "1200.00", "status": "paid" | "outstanding" | "settled"}],
         "court_actions": [{"date": day, "type": "writ" | "summons" | "judgment", "amount": "900.00"}],
         "enquiries": [{"date": day}],
         "trade_payments": {"days_beyond_terms": 4 or null},
         "tax_debt_disclosure": {"amount": "120000.00"} or null,
         "ppsr_registrations": [{"registered_on": day, "collateral": "all_pap" | "all_pap_except" | "specific"}],
         "insolvency": {"business": false, "directors": false}}
    404 {"code": "no_file", "subject": {"abn": "…"}, "bureau": "…", "score": as above, with value null}

Every key is required (null where it says so), others are ignored: a court action's plaintiff is never read. A 404
without `no_file` is a wrong address, not an empty file.
"""

from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from api.sources import Answer, Asking, Source, SourceFailed
from api.sources.exchange import Conversation, Reply
from api.sources.reading import read
from engine.application import Application, Consent
from engine.facts import BureauReport, CourtAction, Default, Registration
from engine.values import Abn, Cents, problem

PATH = "/v1/commercial-reports"
_NO_FILE = 404
_MOST = 500  # of defaults and of court actions, as in the facts
_MOST_LISTED = 2_000  # of enquiries and of registrations, as in the facts


def _cents(text: object) -> int:
    """Cents of "1200", "1200.5" or "1200.50"; a JSON number is refused, since it may have been rounded."""
    whole, _, part = text.partition(".") if isinstance(text, str) else ("", "", "")
    digits = whole + part
    if not (digits.isascii() and digits.isdigit() and 1 <= len(whole) <= 10 and len(part) <= 2):  # noqa: PLR2004
        raise problem("money", "Money is decimal text with at most two decimals")
    return int(Decimal(f"{whole}.{part or '0'}") * 100)


def _above_zero(cents: int) -> int:
    # "Nothing disclosed" is null; a disclosure of nothing would read as a known absence of tax debt.
    if cents == 0:
        raise problem("money", "A disclosed debt is more than nothing")
    return cents


Money = Annotated[Cents, BeforeValidator(_cents)]
Disclosed = Annotated[Money, AfterValidator(_above_zero)]
Day = Annotated[date, Field(ge=date(1900, 1, 1))]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True)


class _Subject(_Wire):
    abn: Abn


class _Score(_Wire):
    name: str
    value: int | None
    low: int
    high: int


class _Default(_Wire):
    date: Day
    amount: Money
    status: Literal["paid", "outstanding", "settled"]


class _CourtAction(_Wire):
    date: Day
    type: Literal["writ", "summons", "judgment"]
    amount: Money


class _Enquiry(_Wire):
    date: Day


class _TradePayments(_Wire):
    days_beyond_terms: int | None


class _Disclosure(_Wire):
    amount: Disclosed


class _Registration(_Wire):
    registered_on: Day
    collateral: Literal["all_pap", "all_pap_except", "specific"]


class _Insolvency(_Wire):
    business: bool
    directors: bool


class _Report(_Wire):
    subject: _Subject
    bureau: str
    currency: Literal["AUD"]
    score: _Score
    file_opened_on: Day | None
    defaults: Annotated[list[_Default], Field(max_length=_MOST)]
    court_actions: Annotated[list[_CourtAction], Field(max_length=_MOST)]
    enquiries: Annotated[list[_Enquiry], Field(max_length=_MOST_LISTED)]
    trade_payments: _TradePayments
    tax_debt_disclosure: _Disclosure | None
    ppsr_registrations: Annotated[list[_Registration], Field(max_length=_MOST_LISTED)]
    insolvency: _Insolvency

    def newest(self) -> date | None:
        """The latest day on the report."""
        days = [self.file_opened_on] if self.file_opened_on else []
        days += [item.date for item in self.defaults] + [item.date for item in self.court_actions]
        days += [item.date for item in self.enquiries] + [item.registered_on for item in self.ppsr_registrations]
        return max(days, default=None)


class _Error(_Wire):
    code: str


class _NoFile(_Wire):
    subject: _Subject
    bureau: str
    score: _Score


_REPORT, _NOTHING, _REFUSAL = TypeAdapter(_Report), TypeAdapter(_NoFile), TypeAdapter(_Error)


class Bureau:
    """The bureau's client: absent without consent, and nothing is sent then."""

    name: Source = "bureau"

    async def fetch(self, asking: Asking, conversation: Conversation) -> Answer[BureauReport]:
        """Ask for the report, or learn that the bureau has no file; raises SourceFailed."""
        consent = _consent(asking.application)
        if consent is None:
            return Answer(None)
        reply = await conversation.post(
            PATH,
            _question(asking.application, consent),
            headers={"Idempotency-Key": asking.reference},
            allow=(_NO_FILE,),
        )
        try:
            return Answer(_empty(reply, asking) if reply.status == _NO_FILE else _full(reply, asking))
        except ValidationError:
            # Raised by our own facts: a range upside down, a score outside it, a name that is no token.
            raise SourceFailed("schema") from None


def _consent(application: Application) -> Consent | None:
    return next((c for c in application.consents if c.kind == "commercial_bureau" and c.given), None)


def _question(application: Application, consent: Consent) -> dict[str, object]:
    business = application.business
    return {
        "abn": business.abn,
        **({} if business.acn is None else {"acn": business.acn}),
        "purpose": "commercial_credit",
        "consent": {
            "kind": consent.kind,
            "version": consent.version,
            "given_at": consent.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        },
    }


def _full(reply: Reply, asking: Asking) -> BureauReport:
    report = read(_REPORT, reply.body)
    _check_subject(report.subject, asking)
    newest = report.newest()
    # A day in Sydney begins ten or eleven hours before the same day in UTC.
    if newest is not None and newest > asking.as_of.date() + timedelta(days=1):
        raise SourceFailed("schema")
    debt = report.tax_debt_disclosure
    return BureauReport(
        bureau=report.bureau,
        score_name=report.score.name,
        score=report.score.value,
        score_low=report.score.low,
        score_high=report.score.high,
        file_since=report.file_opened_on,
        # A settled default was ended by agreement: nothing is owed under it any more.
        defaults=tuple(
            Default(on=item.date, amount_cents=item.amount, paid=item.status != "outstanding")
            for item in report.defaults
        ),
        court_actions=tuple(
            CourtAction(on=item.date, amount_cents=item.amount, judgment=item.type == "judgment")
            for item in report.court_actions
        ),
        enquiries=tuple(item.date for item in report.enquiries),
        # A general security interest with exceptions still ranks before ours on everything else.
        registrations=tuple(
            Registration(on=item.registered_on, all_assets=item.collateral != "specific")
            for item in report.ppsr_registrations
        ),
        insolvency="business" if report.insolvency.business else "director" if report.insolvency.directors else "none",
        days_beyond_terms=report.trade_payments.days_beyond_terms,
        tax_debt_disclosed_cents=None if debt is None else debt.amount,
    )


def _empty(reply: Reply, asking: Asking) -> BureauReport:
    """A thin file is a report without a score, where the bureau says so itself."""
    try:
        code = read(_REFUSAL, reply.body).code
    except SourceFailed:
        raise SourceFailed("status") from None
    if code != "no_file":
        raise SourceFailed("status")
    told = read(_NOTHING, reply.body)
    _check_subject(told.subject, asking)
    if told.score.value is not None:
        raise SourceFailed("schema")
    return BureauReport(
        bureau=told.bureau,
        score_name=told.score.name,
        score=None,
        score_low=told.score.low,
        score_high=told.score.high,
    )


def _check_subject(subject: _Subject, asking: Asking) -> None:
    if subject.abn != asking.application.business.abn:
        raise SourceFailed("schema")
