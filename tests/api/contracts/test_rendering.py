"""The text of a contract: every term, the same bytes each time, and no default template outside development."""

import hashlib
import html
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from api.contracts.rendering import FILES, MARK, OWN, as_html, load_template, render_contract
from api.contracts.signatories import Mandate, Party, mandate_of
from api.contracts.templating import TemplateRefused
from api.contracts.terms import PLACEHOLDERS, ContractTerms, Unnamed, day, dollars, terms_of, values_of
from engine.application import Application
from engine.canonical import canonical_bytes
from engine.decision import Offer, decide
from engine.pricing import NO_FEES, Fees, disclose
from tests.support.businesses import facts_of, story
from tests.support.contracting import an_application
from tests.support.releases import fake_release

MADE_AT = datetime(2026, 8, 3, 20, 0, tzinfo=UTC)  # the fourth already in Melbourne, still the third in London
PEOPLE = {"per_ann": ("owner", "director", "contact"), "per_ben": ("director", "guarantor")}
NAMES = {"per_ann": "Ann Sample", "per_ben": "Ben Sample"}


def offer_of(fees: Fees = NO_FEES) -> Offer:
    """The ordinary business's offer, under other fees if they are given."""
    told = story()
    application = Application.model_validate_json(canonical_bytes(an_application(PEOPLE)))
    offer = decide(application, facts_of(told), fake_release()).offer
    assert offer is not None
    draw = disclose(offer.worked_draw.draw_cents, offer.limit_cents, offer.monthly_rate_bps, 6, fees)
    return offer.model_copy(update={"fees": fees, "worked_draw": draw})


def terms(names: dict[str, str] | None = None, offer: Offer | None = None, **business: object) -> ContractTerms:
    """The terms of the ordinary business's line."""
    found = _terms(names or NAMES, offer or offer_of(), **business)
    assert isinstance(found, ContractTerms)
    return found


def _terms(names: dict[str, str], offer: Offer, **business: object) -> ContractTerms | Unnamed:
    application = Application.model_validate_json(canonical_bytes(an_application(PEOPLE, **business)))
    mandate = mandate_of(
        application.business.entity_type, (Party(each.ref, frozenset(each.roles)) for each in application.people)
    )
    assert isinstance(mandate, Mandate)
    return terms_of(
        application, offer, mandate, names, lender_name="Sample Lender Pty Ltd", contract_id="con_1", made_at=MADE_AT
    )


def test_the_default_template_shows_every_term_and_says_what_it_is() -> None:
    """Every placeholder of the table stands in it, each file is marked, and a contract from it still says so."""
    template = load_template(development=True)
    assert template.text.shown == set(PLACEHOLDERS)
    assert template.marked
    assert all(MARK in (OWN / name).read_text() for name in FILES)
    assert render_contract(terms(), template).text.startswith(MARK)


def test_every_placeholder_has_a_value_and_every_value_a_placeholder() -> None:
    """The table and the values are the same words, lists where the table says so."""
    values = values_of(terms(), "Complain to us.")
    assert values.keys() == PLACEHOLDERS.keys()
    assert {name for name, value in values.items() if isinstance(value, tuple)} == {
        name for name, each in PLACEHOLDERS.items() if each.lines
    }


def test_the_same_terms_give_the_same_bytes_and_any_change_gives_others() -> None:
    """The digest is of the UTF-8 text; one cent, one name or one letter of the template make another contract."""
    template = load_template(development=True)
    first, again = render_contract(terms(), template), render_contract(terms(), template)
    assert first == again
    assert first.sha256 == hashlib.sha256(first.body).hexdigest()
    assert first.body.decode() == first.text
    others = [
        render_contract(terms({**NAMES, "per_ann": "Anne Sample"}), template),
        render_contract(terms(offer=offer_of(Fees(minimum_monthly_fee_cents=1))), template),
        render_contract(terms(state="NSW"), template),
    ]
    assert len({each.sha256 for each in (first, *others)}) == 4


def test_the_terms_stand_in_the_text_in_words() -> None:
    """Names, numbers, rate with its annual equivalents, limit, days of the state, guarantors, who signs."""
    text = render_contract(terms(), load_template(development=True)).text
    offer = offer_of()
    monthly = offer.monthly_rate_bps
    effective = 100 * ((1 + monthly / 10_000) ** 12 - 1)  # by hand, in floats: right to two places
    for told in (
        "The lender is Sample Lender Pty Ltd.",
        "BANKSIA HOMEWARES PTY LTD (company), ABN 37 955 501 005, ACN 955 501 005.",
        "Made on 4 August 2026; to be signed by 1 September 2026",
        f"Credit limit: {dollars(offer.limit_cents)}",
        f"Interest: {monthly / 100:.2f} % a month on what is owed; {monthly * 12 / 100:.2f} % a year",
        f"{effective:.2f} % a year with it",
        "  - There are no fees.",
        f"(APR): {offer.worked_draw.apr_pct:.2f} %",
        "The law of Victoria governs",
        "guarantee what the borrower owes:\n  - Ben Sample\n",
        "  - Ann Sample, director\n  - Ben Sample, director and guarantor\n",
        "section 127(1), as stated by the applicant; and by every guarantor.",
    ):
        assert told in text, told


def test_days_are_those_of_the_governing_state() -> None:
    """One moment is another day in Perth than in Melbourne, across the change to summer time too."""
    assert (terms(state="VIC").dated, terms(state="WA").dated) == (date(2026, 8, 4), date(2026, 8, 4))
    late = offer_of().model_copy(update={"expires_at": datetime(2026, 10, 4, 13, 30, tzinfo=UTC)})
    ends = {state: terms(offer=late, state=state).sign_by.day for state in ("VIC", "QLD", "SA", "WA", "NT")}
    assert ends == {"VIC": 4, "QLD": 3, "SA": 4, "WA": 3, "NT": 3}
    assert day(date(2026, 10, 4)) == "4 October 2026"


def test_fees_stand_in_dollars_and_the_schedule_is_summed_up() -> None:
    """Each fee that is asked has a line; payments are told once, the last where it differs, the line fee besides."""
    fees = Fees(establishment_bps=100, line_fee_bps_month=10, draw_fee_bps=50, minimum_monthly_fee_cents=2_000)
    offer = offer_of(fees)
    values = values_of(terms(offer=offer), "x")
    limit = offer.limit_cents
    assert values["fees"] == (
        f"Establishment fee: {dollars(limit // 100)}, once, taken out of the first draw",
        "Draw fee: 0.50 % of each draw, taken out of it",
        f"Line fee: {dollars(max(limit // 1_000, 2_000))} each month, whether or not anything is drawn",
    )
    payments = [each.payment_cents for each in offer.worked_draw.schedule]
    assert values["draw_schedule"] == (
        f"5 monthly payments of {dollars(payments[0])}",
        f"then 1 monthly payment of {dollars(payments[-1])}",
        f"besides these the line fee of {dollars(max(limit // 1_000, 2_000))} each month",
    )
    assert payments[0] != payments[-1]


def test_a_contract_without_guarantors_says_that_nobody_is_asked() -> None:
    """The list of guarantors is left out where it would be empty, and an ACN where there is none."""
    alone = terms().model_copy(update={"guarantors": (), "acn": None})
    text = render_contract(alone, load_template(development=True)).text
    assert "Nobody is asked for a guarantee." in text
    assert "ACN" not in text


def test_a_person_who_was_erased_cannot_stand_in_a_contract() -> None:
    """The terms name whose name is missing, by reference."""
    assert _terms({"per_ann": "Ann Sample"}, offer_of()) == Unnamed("per_ben")


def test_a_hostile_name_stays_a_name() -> None:
    """Template marks in it do nothing, and characters that would turn or hide the text are written out."""
    text = render_contract(terms({**NAMES, "per_ann": "{{ limit }} \u202eevil"}), load_template(development=True)).text
    assert "  - {{ limit }} [U+202E]evil, director\n" in text


def test_the_view_for_pages_is_the_same_text_escaped() -> None:
    """Every character of the text is in the view, none of it as markup."""
    view = as_html("<script>&\n  indented\n")
    assert view.count("<") == 2
    inner = re.fullmatch(r'<pre class="contract">(.*)</pre>', view, re.DOTALL)
    assert inner is not None
    assert html.unescape(inner[1]) == "<script>&\n  indented\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A lender's own template: the default one without its marks."""
    for name in FILES:
        text = (OWN / name).read_text().replace(MARK, "The lender's own words.")
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_lenders_own_template_is_used_everywhere(folder: Path) -> None:
    """It needs no development; its digest covers both files and each file's name."""
    template = load_template(folder)
    assert not template.marked
    assert render_contract(terms(), template).text.startswith("The lender's own words.")
    (folder / "complaints.txt").write_text("Write to us.\n")
    assert load_template(folder).sha256 != template.sha256
    assert "Write to us." in render_contract(terms(), load_template(folder)).text


@pytest.mark.parametrize("name", FILES)
def test_a_marked_template_is_refused_outside_development(folder: Path, name: str) -> None:
    """The default one, and one in which a single file still carries the mark."""
    with pytest.raises(TemplateRefused, match="CREDITLINE_CONTRACT_TEMPLATE"):
        load_template()
    (folder / name).write_text((OWN / name).read_text())
    with pytest.raises(TemplateRefused, match="CREDITLINE_CONTRACT_TEMPLATE"):
        load_template(folder)


@pytest.mark.parametrize("term", sorted(name for name, each in PLACEHOLDERS.items() if each.required))
def test_a_template_without_a_required_term_is_refused(folder: Path, term: str) -> None:
    """Each required term is missed by name, wherever it was left out."""
    kept = [line for line in (folder / "contract.txt").read_text().split("\n") if not re.search(rf"\b{term}\b", line)]
    loops = {"fees", "guarantors", "draw_schedule", "draw_assumptions", "signatories"}
    text = "\n".join(kept)
    if term in loops or term == "acn":
        text = (folder / "contract.txt").read_text()
        text = text.replace(f"in {term} %}}", "in fees %}" if term != "fees" else "in signatories %}")
        text = text.replace("{% if acn %}, ACN {{ acn }}{% endif %}", "") if term == "acn" else text
    (folder / "contract.txt").write_text(text)
    with pytest.raises(TemplateRefused, match=rf"required terms are missing: .*\b{term}\b"):
        load_template(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("contract.txt", None), ("complaints.txt", None), ("contract.txt", b"\xff"), ("complaints.txt", b"\xff"),
        ("complaints.txt", b" \n"), ("complaints.txt", b"\x00"), ("complaints.txt", b"x" * 20_001),
        ("contract.txt", b"{{ limit }} {{ surprise }}"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_read_is_refused(folder: Path, name: str, content: bytes | None) -> None:
    """A missing file, other bytes than text, an empty or oversized text, an unknown placeholder: named by file."""
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(TemplateRefused, match=rf"^{re.escape(name)}"):
        load_template(folder)
