"""The policy book: checked as a whole, dated, and priced so that the reference line pays."""

import tomllib
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from engine.application import LARGEST_CENTS
from engine.policy import PolicyBook, VerificationTerms
from engine.pricing import LOWEST_RATE_BPS, check_reference_line
from engine.verification.documents import DOCUMENT_KINDS
from tests.support.businesses import AS_OF, business
from tests.support.releases import policy_table, policy_text

BOOK = PolicyBook.parse(policy_text())
STARTS = [BOOK.effective_from, *(amendment.effective_from for amendment in BOOK.amendments)]


def amended(*amendments: dict[str, Any], **base: Any) -> PolicyBook:
    """The draft policy with its base changed and these amendments alone."""
    table = policy_table({path.replace("__", "."): value for path, value in base.items()})
    return PolicyBook.model_validate({**table, "amendments": amendments})


def amendment(day: str, **values: Any) -> dict[str, Any]:
    paths = {path.replace("__", "."): value for path, value in values.items()}
    return {"effective_from": date.fromisoformat(day), "why": "A test.", "set": paths}


def test_there_is_no_policy_before_its_book() -> None:
    """The day before the book begins is an error, its first day is not."""
    assert BOOK.on(BOOK.effective_from).name
    with pytest.raises(ValueError, match="no policy in force"):
        BOOK.on(BOOK.effective_from - timedelta(days=1))


def test_an_amendment_counts_from_its_day() -> None:
    """Each amendment holds from its own day on, on top of those before it; the base stays as it was."""
    book = amended(
        amendment("2026-03-01", screening__most_dishonours=3),
        amendment("2026-06-01", screening__most_lenders=1, screening__most_dishonours=2),
    )
    seen = {}
    for day in ("2023-01-01", "2026-02-28", "2026-03-01", "2026-05-31", "2026-06-01", "2030-01-01"):
        terms = book.on(date.fromisoformat(day)).screening
        seen[day] = (terms.most_dishonours, terms.most_lenders)
    assert list(seen.values()) == [(8, 4), (8, 4), (3, 4), (3, 4), (2, 1), (2, 1)]
    assert book.base == amended().base


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"screening__most_dishonor": 3}, "does not have"),
        ({"screenings__most_dishonours": 3}, "does not have"),
        ({"screening__most_dishonours__x": 3}, "does not have"),
        ({"most_dishonours": 3}, "does not have"),
        ({"screening__most_dishonours": -1}, "greater than or equal"),
        ({"screening__most_dishonours": "3"}, "valid integer"),
        ({"screening__most_dishonours": 3.0}, "valid integer"),
        ({"screening__most_amount_cents": 30_050_000}, "less than or equal"),
        ({"screening__least_amount_cents": 525_000}, "multiple"),
        ({"pricing__rates__A": [114, 114, 114, 114]}, "greater than or equal to 115"),
        ({"pricing__rates__A": [300, 300, 300, 300]}, "ceiling"),
        ({"pricing__rates__B": [120, 120, 120, 120]}, "cheaper"),
        ({"pricing__bands_cents": [2_000_000, 5_000_000, 10_000_000]}, "cover"),
        ({"grades": []}, "at least 1"),
        ({"screening": {}}, "Field required"),
    ],
)
def test_a_wrong_amendment_fails_when_the_book_is_read(values: dict[str, Any], rule: str) -> None:
    """A slip in next year's amendment is refused today and not on its day."""
    with pytest.raises(ValidationError, match=rule):
        amended(amendment("2099-01-01", **values))


def test_amendments_stand_in_order() -> None:
    """Two on one day, one before the other, or one before the book are refused."""
    early, late = amendment("2026-03-01", screening__most_lenders=3), amendment("2026-06-01")
    assert amended(early, late).on(date(2026, 6, 1)).screening.most_lenders == 3
    for wrong in ((late, early), (early, early), (amendment("2023-01-01"),), (amendment("2022-01-01"),)):
        with pytest.raises(ValidationError, match="in order"):
            amended(*wrong)


@pytest.mark.parametrize(
    ("base", "rule"),
    [
        ({"grades__B__pd_most_bps": 150}, "must exceed"),
        ({"grades__B__name": "Z"}, "exactly the policy's grades"),
        (
            {"screening__least_amount_cents": 5_000_000, "screening__most_amount_cents": 4_000_000},
            "inside the product's range",
        ),
        ({"limits__dscr_least_bps": 9_999}, "greater than or equal"),
        ({"screening__referred_divisions": ["T"]}, "pattern"),
        ({"guards__group_entities": 51}, "less than or equal to 50"),
        ({"guards__retype_refer": 4}, "before they lock"),
        ({"guards__sticky_days": 0}, "needs its window"),
        ({"guards__device_hours": 0}, "needs its window"),
    ],
)
def test_a_policy_is_coherent(base: dict[str, Any], rule: str) -> None:
    """Grades rise and are all priced, amounts lie in the product, cover is at least one, divisions exist."""
    with pytest.raises(ValidationError, match=rule):
        amended(**base)


def test_a_book_is_toml_and_nothing_unknown() -> None:
    """Text that is no TOML, another schema version, and unknown tables are refused as ValueErrors."""
    text = policy_text()
    wrong = (
        ("base = ", "Invalid value"),
        (text.replace("schema_version = 1", "schema_version = 2"), "schema_version"),
        (text + "\n[surprise]\nx = 1\n", "surprise"),
        (text.replace("[base.offer]", "[base.offers]"), "offers"),
    )
    for book, fault in wrong:
        with pytest.raises(ValueError, match=fault):
            PolicyBook.parse(book)


def test_a_book_is_what_its_text_says() -> None:
    """Reading the text and reading its table give the same terms on every day that matters."""
    other = PolicyBook.model_validate(tomllib.loads(policy_text()))
    assert [other.on(day) for day in STARTS] == [BOOK.on(day) for day in STARTS]


def test_grades_rise() -> None:
    """The grade table rises and names exactly the priced grades; a PD beyond the last has no grade."""
    for day in STARTS:
        policy = BOOK.on(day)
        names, worst = zip(*policy.grade_table, strict=True)
        assert names == policy.pricing.grades
        assert list(worst) == sorted(set(worst))
        assert worst[0] > 0
        assert worst[-1] < 1.0
        assert [policy.grade(g.name) for g in policy.grades] == list(policy.grades)
        with pytest.raises(KeyError):
            policy.grade("Z")


@pytest.mark.parametrize("day", STARTS, ids=str)
def test_every_grade_pays_at_the_reference_line(day: date) -> None:
    """In each version every rate covers the break-even of its grade's worst PD, and none is below 1.15 %."""
    policy = BOOK.on(day)
    worst = [(g.name, Decimal(g.pd_most_bps) / 10_000) for g in policy.grades]
    assert check_reference_line(policy.pricing, worst, policy.pricing.economics) == ()
    assert min(rate for row in policy.pricing.rates for rate in row.rates_bps) >= LOWEST_RATE_BPS == 115


def test_the_cheapest_rate_is_kept_for_low_risk() -> None:
    """1.15 % a month carries a PD of about 2.9 % at most, so only grades below that may have it."""
    for day in STARTS:
        policy = BOOK.on(day)
        for row in policy.pricing.rates:
            if min(row.rates_bps) == LOWEST_RATE_BPS:
                assert policy.grade(row.grade).pd_most_bps <= 290


def test_a_policy_from_before_there_were_guards_has_none() -> None:
    """Older releases still parse, and what they do not know of is off; the draft has every guard on."""
    table = policy_table()
    del table["base"]["guards"]
    old = PolicyBook.model_validate(table).on(AS_OF.date())
    assert set(old.guards.model_dump().values()) == {0}
    assert all(count > 0 for count in BOOK.on(AS_OF.date()).guards.model_dump().values())


def test_a_policy_from_before_there_was_verification_takes_the_strictest_terms() -> None:
    """Older releases still parse: nothing verifies itself, two approvers for any line, and no document lifts a cap."""
    table = policy_table()
    del table["base"]["verification"]
    terms = PolicyBook.model_validate(table).on(AS_OF.date()).verification
    assert terms == VerificationTerms()
    assert (terms.straight_through_most_cents, terms.machine_kinds, terms.sample_bps) == (0, (), 10_000)
    assert (terms.second_approver_above_cents, terms.tax_above_cents, terms.documents_verified_cents) == (0, 0, 0)


def test_the_terms_of_verification_belong_together() -> None:
    """What verifies itself needs no second approver; ages and machine kinds are of documents that there are."""
    for day in STARTS:
        policy = BOOK.on(day)
        terms = policy.verification
        assert terms.straight_through_most_cents <= terms.second_approver_above_cents
        assert terms.straight_through_most_cents <= policy.offer.statements_above_cents
        assert policy.limits.bank_connected_cents < terms.documents_verified_cents <= LARGEST_CENTS
        assert {*terms.machine_kinds, *terms.most_age_days} <= set(DOCUMENT_KINDS)
        assert 0 < terms.sample_bps < 10_000


def test_the_stories_live_after_the_last_amendment() -> None:
    """The tests' day is covered by the whole book, amendments included."""
    assert AS_OF.date() >= STARTS[-1]
    assert business()[1].as_of == AS_OF
