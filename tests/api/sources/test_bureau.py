"""The bureau's client: consent first, one charge, and nothing taken that is not exactly a report on this business."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sandbox import Ask, Told
from api.sources import Answer, Asking
from api.sources.bureau import PATH, Bureau
from api.sources.exchange import Headers, Reply
from engine.facts import BureauReport
from tests.support.businesses import AS_OF, TODAY
from tests.support.unplugged import Tell, Unplugged, asking, fetched, why_not

ABN = asking().application.business.abn
OTHER_ABN = "51824753556"
CANARY = "CANARY PLAINTIFF"
REPORT: dict[str, Any] = {
    "subject": {"abn": ABN}, "bureau": "made-up-bureau", "currency": "AUD",
    "score": {"name": "made-up-score", "value": 612, "low": 0, "high": 1200},
    "file_opened_on": "2018-06-01",
    "defaults": [
        {"date": "2024-02-03", "amount": "1200.50", "status": "paid"},
        {"date": "2025-02-03", "amount": "99", "status": "outstanding"},
        {"date": "2025-03-03", "amount": "7.5", "status": "settled"},
    ],
    "court_actions": [
        {"date": "2023-01-31", "type": "writ", "amount": "0.00", "plaintiff": CANARY},
        {"date": "2023-04-30", "type": "summons", "amount": "10.00", "plaintiff": CANARY},
        {"date": "2023-05-31", "type": "judgment", "amount": "5000.00", "plaintiff": CANARY},
    ],
    "enquiries": [{"date": "2026-07-01"}],
    "trade_payments": {"days_beyond_terms": -3},
    "tax_debt_disclosure": {"amount": "123456.78"},
    "ppsr_registrations": [
        {"registered_on": "2020-01-01", "collateral": "all_pap"},
        {"registered_on": "2021-01-01", "collateral": "all_pap_except"},
        {"registered_on": "2022-01-01", "collateral": "specific"},
    ],
    "insolvency": {"business": False, "directors": True},
    "something_new": {"unknown": [1, 2]},
}  # fmt: skip
NO_FILE: dict[str, Any] = {
    "code": "no_file", "subject": {"abn": ABN}, "bureau": "made-up-bureau",
    "score": {"name": "made-up-score", "value": None, "low": 0, "high": 1200},
}  # fmt: skip


class Line(Unplugged):
    """A conversation that is posted to; `statuses` are those that the client said it can read."""

    statuses: tuple[int, ...] = ()

    async def post(
        self, path: str, body: object, *, headers: Headers | None = None, allow: tuple[int, ...] = ()
    ) -> Reply:
        """Ask the function, with a JSON body."""
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        told = self._tell(Ask("POST", path, {}, lowered, json.dumps(body).encode()))
        self.asks.append(Ask("POST", path, {}, lowered, json.dumps(body).encode()))
        assert isinstance(told, Told)
        assert told.status in (200, *allow)
        return Reply(told.status, told.body)


def line(body: object, status: int = 200) -> Line:
    """A conversation with a bureau that says this."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    tell: Tell = lambda _: Told(raw, status)  # noqa: E731 - one expression with a type
    return Line(tell)


def changed(**fields: Any) -> dict[str, Any]:
    """The report with some of its fields replaced."""
    return {**REPORT, **fields}


def report_of(body: object, status: int = 200) -> BureauReport:
    """What the client reads."""
    found: BureauReport = fetched(Bureau(), asking(), line(body, status)).value
    return found


def without_consent() -> Asking:
    """The ordinary question, the bureau's consent refused."""
    question = asking()
    consents = tuple(
        consent.model_copy(update={"given": False}) if consent.kind == "commercial_bureau" else consent
        for consent in question.application.consents
    )
    return replace(question, application=question.application.model_copy(update={"consents": consents}))


# -- asking -------------------------------------------------------------------------------------------------


def test_without_the_consent_nothing_is_sent() -> None:
    """A refused consent gives an absent fact, and the bureau hears of nobody."""
    bureau = line(REPORT)
    assert fetched(Bureau(), without_consent(), bureau) == Answer(None)
    assert bureau.asks == []


def test_a_consent_that_was_never_stated_is_none() -> None:
    """No consent of that kind at all is no consent."""
    question = without_consent()
    kept = tuple(each for each in question.application.consents if each.kind != "commercial_bureau")
    question = replace(question, application=question.application.model_copy(update={"consents": kept}))
    assert fetched(Bureau(), question, line(REPORT)) == Answer(None)


def test_the_pull_carries_its_reference_and_the_consent() -> None:
    """The key is the application's id; the body holds the numbers, the purpose and which consent, and no more."""
    bureau = line(REPORT)
    fetched(Bureau(), replace(asking(), reference="app_7"), bureau)
    (ask,) = bureau.asks
    business = asking().application.business
    assert (ask.method, ask.path, ask.headers["idempotency-key"]) == ("POST", PATH, "app_7")
    assert json.loads(ask.body) == {
        "abn": business.abn,
        "acn": business.acn,
        "purpose": "commercial_credit",
        "consent": {"kind": "commercial_bureau", "version": "2026-11", "given_at": "2026-08-03T00:55:00Z"},
    }


# -- reading ------------------------------------------------------------------------------------------------


def test_a_report_is_read_whole() -> None:
    """Cents, days, paid and settled, judgments, all-assets registrations and the director's insolvency arrive."""
    report = report_of(REPORT)
    assert (report.bureau, report.score_name) == ("made-up-bureau", "made-up-score")
    assert (report.score, report.score_low, report.score_high) == (612, 0, 1200)
    assert [(item.amount_cents, item.paid) for item in report.defaults] == [
        (120_050, True),
        (9_900, False),
        (750, True),
    ]
    assert [(item.amount_cents, item.judgment) for item in report.court_actions] == [
        (0, False), (1_000, False), (500_000, True),
    ]  # fmt: skip
    assert [item.all_assets for item in report.registrations] == [True, True, False]
    assert (report.insolvency, report.days_beyond_terms) == ("director", -3)
    assert report.tax_debt_disclosed_cents == 12_345_678
    assert CANARY not in report.model_dump_json()


def test_no_disclosure_is_unknown_never_zero() -> None:
    """Null stays None; a disclosed debt of nothing is no report at all."""
    assert report_of(changed(tax_debt_disclosure=None)).tax_debt_disclosed_cents is None
    assert why_not(Bureau(), asking(), line(changed(tax_debt_disclosure={"amount": "0.00"}))) == "schema"


def test_a_business_that_is_insolvent_comes_before_its_director() -> None:
    """Where both are, the report says business."""
    assert report_of(changed(insolvency={"business": True, "directors": True})).insolvency == "business"
    assert report_of(changed(insolvency={"business": False, "directors": False})).insolvency == "none"


def test_no_file_is_a_report_without_a_score() -> None:
    """A thin file has a bureau, a named score without a value, and nothing else."""
    report = report_of(NO_FILE, 404)
    assert (report.bureau, report.score_name, report.score, report.file_since) == (
        "made-up-bureau", "made-up-score", None, None,
    )  # fmt: skip
    assert (report.defaults, report.enquiries, report.tax_debt_disclosed_cents) == ((), (), None)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>Not Found</html>", "status"),
        ({"code": "not_found"}, "status"),
        ({}, "status"),
        ({"code": "no_file"}, "schema"),
        ({**NO_FILE, "subject": {"abn": OTHER_ABN}}, "schema"),
        ({**NO_FILE, "score": 500}, "schema"),
        ({**NO_FILE, "score": {"name": "made-up-score", "value": 5, "low": 0, "high": 9}}, "schema"),
    ],
)
def test_any_other_404_is_a_failure(body: object, why: str) -> None:
    """An address that is wrong never reads as "no file"."""
    assert why_not(Bureau(), asking(), line(body, 404)) == why


@pytest.mark.parametrize("field", sorted(REPORT.keys() - {"something_new"}))
def test_every_field_is_required(field: str) -> None:
    """A report that lacks a part is no report: nothing is assumed to be empty."""
    assert why_not(Bureau(), asking(), line({k: v for k, v in REPORT.items() if k != field})) == "schema"


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": {"abn": OTHER_ABN}},
        {"subject": {"abn": "123"}},
        {"score": 612},
        {"score": {"name": "x", "value": 612}},
        {"score": {"name": "x", "value": 1201, "low": 0, "high": 1200}},
        {"score": {"name": "x", "value": 612, "low": 1200, "high": 0}},
        {"score": {"name": "x", "value": 612.5, "low": 0, "high": 1200}},
        {"score": {"name": "x", "value": "612", "low": 0, "high": 1200}},
        {"score": {"name": "two words", "value": 612, "low": 0, "high": 1200}},
        {"currency": "NZD"},
        {"file_opened_on": "1.6.2018"},
        {"file_opened_on": 0},
        {"enquiries": [{"date": (TODAY + timedelta(days=2)).isoformat()}]},
        {"defaults": [{"date": "2024-02-03", "amount": 1200.5, "status": "paid"}]},
        {"defaults": [{"date": "2024-02-03", "amount": "-1.00", "status": "paid"}]},
        {"defaults": [{"date": "2024-02-03", "amount": "1e3", "status": "paid"}]},
        {"defaults": [{"date": "2024-02-03", "amount": "1.005", "status": "paid"}]},
        {"defaults": [{"date": "2024-02-03", "amount": "٣.00", "status": "paid"}]},
        {"defaults": [{"date": "2024-02-03", "amount": "1000000000.01", "status": "paid"}]},
        {"defaults": [{"date": "2024-02-03", "amount": "1.00", "status": "unknown"}]},
        {"defaults": None},
        {"defaults": REPORT["defaults"][:1] * 501},
        {"court_actions": REPORT["court_actions"][:1] * 501},
        {"enquiries": REPORT["enquiries"] * 2_001},
        {"ppsr_registrations": REPORT["ppsr_registrations"][:1] * 2_001},
        {"trade_payments": {"days_beyond_terms": 1_001}},
        {"insolvency": {"business": "no", "directors": False}},
    ],
)
def test_what_is_out_of_shape_is_refused(fields: dict[str, Any]) -> None:
    """Somebody else's report, a bare score, a rounded amount, tomorrow's enquiry and too long a list are no report."""
    assert why_not(Bureau(), asking(), line(changed(**fields))) == "schema"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 5_000])
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    """Bytes that are no JSON say so."""
    assert why_not(Bureau(), asking(), line(body)) == "malformed"


@given(st.one_of(st.binary(max_size=200), st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists)))
def test_garbage_is_only_ever_a_failed_source(body: object) -> None:
    """Nothing but SourceFailed comes out, whatever came in."""
    assert why_not(Bureau(), asking(), line(body)) in ("schema", "malformed")


@given(
    field=st.sampled_from(sorted(REPORT)), value=st.none() | st.integers() | st.text(max_size=9) | st.lists(st.none())
)
def test_a_report_with_one_part_spoilt_is_refused_or_read(field: str, value: object) -> None:
    """One field of another type never raises anything but SourceFailed."""
    assert why_not(Bureau(), asking(), line(changed(**{field: value}))) in ("schema", None)


def test_today_in_sydney_is_no_date_in_the_future() -> None:
    """An enquiry of the Australian day that UTC has not reached yet is taken."""
    tomorrow = (AS_OF.date() + timedelta(days=1)).isoformat()
    assert len(report_of(changed(enquiries=[{"date": tomorrow}])).enquiries) == 1
