"""The form as data: who is asked what, what the answers amount to, and that the wire accepts it for every business."""

import asyncio
import json
from datetime import UTC, date, datetime
from typing import Any, Literal

import pytest

from api.journey.form import consents, questions
from api.journey.form.fields import Wrong
from api.journey.form.industries import ANZSIC
from api.journey.form.submission import body_of
from api.journey.form.summary import summary
from api.journey.prefilling import looked_up
from api.sandbox.stories import Story, book
from api.wire import parse_submission
from engine.application import NATURAL_PERSON_ENTITIES, REQUIRED_CONSENTS
from engine.facts import Fact, RegisterRecord
from engine.values import division_of
from tests.support.applying import ME, PAGES, SECOND

AT = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)
TODAY = AT.date()
Answers = dict[str, str]
Kind = Literal["company", "sole_trader", "partnership", "trust", "other"]


def company(**changes: str) -> Answers:
    """Every answer of an ordinary company, as the form keeps them; changes by name with _ for -."""
    told = {name: value for page in PAGES.values() for name, value in page.items()}
    told |= {
        "abn": "37955501005", "register": "known", "register-name": "BANKSIA HOMEWARES PTY LTD",
        "register-entity": "company", "register-acn": "955501005", "register-state": "VIC", "register-gst": "yes",
        "since-month": "2", "since-year": "2018",
        **{each.name: "yes" for each in consents.asked("company", "later") if each.ask},
    }  # fmt: skip
    return told | {name.replace("_", "-"): value for name, value in changes.items()}


def unknown(kind: Kind, **changes: str) -> Answers:
    """The same of a business of which the register could tell nothing."""
    told = {name: value for name, value in company().items() if not name.startswith("register-")}
    told |= {"register": "away", "entity": kind, "legal-name": "Banksia", "state": "VIC", "gst": "yes"}
    if kind != "company":
        told["abn"] = "53004085616"
    if kind in NATURAL_PERSON_ENTITIES:
        told["consent-business-purpose"] = "yes"
    return told | {name.replace("_", "-"): value for name, value in changes.items()}


def slugs(answers: Answers) -> list[str]:
    """The pages that these answers lead through."""
    return [step.slug for step in questions.path_of(answers)]


def asked(slug: str, answers: Answers) -> set[str]:
    """What a page asks."""
    return {field.name for field in questions.BY_SLUG[slug].asked(answers)}


def faults(slug: str, answers: Answers) -> dict[str, str]:
    """What is wrong on a page."""
    return questions.BY_SLUG[slug].faults(answers, TODAY)


def sent(answers: Answers) -> dict[str, Any]:
    """The body, once the wire has accepted it."""
    body = body_of(answers, AT)
    parse_submission(body, TODAY)
    told: dict[str, Any] = json.loads(body)
    return told


# -- who is asked what ---------------------------------------------------------------------------------------


def test_what_the_register_told_is_not_asked() -> None:
    """With the register's answer a company confirms; without it the same questions are asked."""
    assert asked("business", company()) == {"since", "industry", "staff"}
    assert asked("business", unknown("company")) == {
        "entity", "legal-name", "state", "gst", "since", "industry", "staff",
    }  # fmt: skip
    assert asked("business", company(register_state="")) == {"state", "since", "industry", "staff"}


def test_a_kind_that_the_register_does_not_name_is_asked() -> None:
    """A fund or a co-operative is on the register, and what it is for this lender is asked."""
    assert "entity" in asked("business", company(register_entity=""))


@pytest.mark.parametrize(
    ("kind", "you", "pages"),
    [
        ("company", {"me-director", "me-share", "others"}, 7), ("trust", {"me-director", "me-share", "others"}, 7),
        ("partnership", {"me-share", "others"}, 7), ("other", {"me-share", "others"}, 7), ("sole_trader", set(), 7),
    ],
)  # fmt: skip
def test_every_kind_of_business_is_asked_its_own_questions(kind: Kind, you: set[str], pages: int) -> None:
    """Directors of companies and trusts, shares of what is shared, and nothing of either of a sole trader."""
    usual = {"me-given", "me-family", "me-born", "me-mobile", "me-email"}
    assert asked("you", unknown(kind, others="0")) == usual | you
    assert len(slugs(unknown(kind, others="0"))) == pages


@pytest.mark.parametrize("count", [1, 2, 3])
def test_other_people_are_asked_for_one_by_one(count: int) -> None:
    """As many people as were said, each with the same questions; a sole trader has none, whatever was said before."""
    answers = company(others=str(count))
    assert "others" in slugs(answers)
    named = {name.partition("-")[0] for name in asked("others", answers)}
    assert named == {f"other{place}" for place in range(1, count + 1)}
    assert "others" not in slugs(unknown("sole_trader", others=str(count)))


def test_a_number_of_people_that_is_none_names_nobody() -> None:
    """A number from elsewhere than the page's choices is no choice."""
    for told in ("4", "-1", "1e9", "x"):
        assert questions.others(company(others=told)) == 0
        assert faults("you", company(others=told)) == {"others": "Choose how many other people there are"}


def test_what_is_owed_is_asked_where_something_is() -> None:
    """Repayments where there are lenders, amount and plan where tax is overdue, and nothing of either otherwise."""
    assert asked("money", company()) == {"turnover", "lenders", "overdue"}
    assert asked("money", company(lenders="5")) == {"turnover", "lenders", "repayments", "overdue"}
    assert asked("money", company(overdue="yes")) == {"turnover", "lenders", "overdue", "overdue-amount", "plan"}


@pytest.mark.parametrize("kind", ["company", "sole_trader", "partnership", "trust", "other"])
@pytest.mark.parametrize("bank", ["connect", "upload", "later"])
def test_consents_are_those_that_the_law_and_the_data_want(kind: Kind, bank: str) -> None:
    """The declaration of purpose of natural persons alone, bank data where there is some, and each consent once."""
    kinds = [each.kind for each in consents.asked(kind, bank)]
    assert len(set(kinds)) == len(kinds)
    assert ("business_purpose" in kinds) == (kind in NATURAL_PERSON_ENTITIES)
    assert ("bank_data" in kinds) == (bank != "later")
    needed = {each.kind for each in consents.asked(kind, bank) if each.ask}
    assert needed >= REQUIRED_CONSENTS
    assert not {"direct_marketing", "consumer_credit", "identity_check"} & needed


def test_a_consent_that_is_needed_is_asked_for_in_words() -> None:
    """Each box that is needed and not ticked has words of its own; those that are optional have none."""
    unticked = {name: value for name, value in company().items() if not name.startswith("consent-")}
    assert faults("check", unticked) == {
        each.name: each.ask for each in consents.asked("company", "later") if each.ask
    }  # fmt: skip
    assert len(set(faults("check", unticked).values())) == len(REQUIRED_CONSENTS)


# -- answers that contradict each other ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "changes", "box", "words"),
    [
        ("business", {"since_month": "9", "since_year": "2026"}, "since-month", "still to come"),
        ("need", {"amount": "4,999"}, "amount", "from $5,000 to $300,000"),
        ("need", {"amount": "300,500"}, "amount", "from $5,000 to $300,000"),
        ("need", {"amount": "40,250"}, "amount", "such as $40,000 or $40,500"),
        ("need", {"amount": "40,000.01"}, "amount", "such as $40,000 or $40,500"),
        ("money", {"overdue": "yes", "overdue_amount": "0", "plan": "no"}, "overdue-amount", "or say that none is"),
        ("you", {"me_born_year": "2012"}, "me-born-day", "18 or older"),
        ("you", {"me_born_year": "2996"}, "me-born-day", "18 or older"),
        ("you", {"me_director": "no"}, "others", "at least one person with the role director"),
        ("bank", {"bank": "connect"}, "bank", "Connect the bank, or choose another way"),
        ("bank", {"bank": "upload"}, "bank", "Upload a statement, or choose another way"),
    ],
)  # fmt: skip
def test_answers_are_looked_at_together(slug: str, changes: Answers, box: str, words: str) -> None:
    """Where single answers can be read and do not fit, the box to go to is named with a remedy."""
    found = faults(slug, company(**changes))
    assert list(found) == [box]
    assert words in found[box]


@pytest.mark.parametrize(
    ("changes", "box", "words"),
    [
        ({"other1-share": "half"}, "other1-share", "more than the whole"),
        ({"other1-email": " ANN@banksia.example"}, "other1-email", "an e-mail address of their own"),
        ({"other1-born-year": "2020"}, "other1-born-day", "18 or older"),
        ({"other1-director": "no", "other1-share": "less"}, "other1-director", "a director, or owns a quarter or more"),
        ({"me-director": "no", "other1-director": "no", "me-share": "half", "other1-share": "half"}, "other1-director",
         "at least one person with the role director"),
    ],
)  # fmt: skip
def test_people_are_looked_at_together(changes: Answers, box: str, words: str) -> None:
    """Shares of more than the whole, one mailbox of two, minors, bystanders, and nobody who could sign."""
    usual = {**SECOND, "other1-director": "yes", "other1-share": "less", "others": "1"}
    assert faults("others", {**company(), **usual}) == {}
    found = faults("others", {**company(), **usual, **changes})
    assert list(found) == [box]
    assert words in found[box]


def test_nobody_becomes_a_director_by_being_named() -> None:
    """Who is said to be no director is not stated as one, so that nobody signs by mistake."""
    told = {**company(), **SECOND, "others": "1", "other1-director": "no", "other1-share": "less"}
    assert questions.roles("other1", told) == ("contact",)
    assert questions.roles("other1", {**told, "other1-share": "quarter"}) == ("owner",)
    assert questions.roles("other1", {**told, "other1-director": "yes"}) == ("director",)
    assert questions.roles("me", unknown("partnership", me_share="less")) == ("director", "contact")


def test_an_abn_that_ends_in_no_acn_is_no_company_s() -> None:
    """Somebody who calls a sole trader's number a company's is told on that page, not after the last one."""
    assert (
        "ends in its ACN"
        in faults("business", unknown("company", abn="53004085616") | {"abn": "51824753556"})["entity"]
    )
    assert faults("business", unknown("company", abn="37955501005")) == {}


# -- what becomes of the answers -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["company", "sole_trader", "partnership", "trust", "other"])
def test_the_wire_accepts_every_kind_of_business(kind: Kind) -> None:
    """A complete form of each kind is accepted as it is by the one reading of the interface."""
    answers = unknown(kind, others="0")
    assert questions.first_open(answers, TODAY).slug == "check"
    body = sent(answers)
    assert body["business"]["entity_type"] == kind
    assert (body["business"]["acn"] is not None) == (kind == "company")
    assert body["people"][0]["roles"][-1] == "contact"
    assert body["people"][0]["ownership_bps"] == 10_000


@pytest.mark.parametrize("kind", ["company", "partnership", "trust", "other"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_wire_accepts_other_people(kind: Kind, count: int) -> None:
    """Up to four people, each with roles and a share of their own."""
    answers = unknown(kind, others=str(count), me_share="quarter")
    for place in range(1, count + 1):
        answers |= {name.replace("other1", f"other{place}"): value for name, value in SECOND.items()}
        answers |= {f"other{place}-email": f"p{place}@x.example", f"other{place}-share": "quarter"}
        answers[f"other{place}-director"] = "yes"
    body = sent(answers)
    assert len(body["people"]) == count + 1
    assert sum(each["ownership_bps"] for each in body["people"]) == 2_500 * (count + 1)


def test_conditional_answers_are_sent_only_while_they_are_asked() -> None:
    """What was typed before an answer changed is kept, and not sent."""
    told = sent(company(lenders="0", repayments="5000", overdue="no", overdue_amount="7000", plan="yes"))["finances"]
    assert told == {
        "turnover_12m_cents": 96_000_000, "other_lenders": 0, "other_repayments_month_cents": 0,
        "overdue_tax_cents": 0, "tax_plan": None,
    }  # fmt: skip
    told = sent(company(lenders="5", repayments="5000", overdue="yes", overdue_amount="7,000", plan="no"))["finances"]
    assert (told["other_lenders"], told["other_repayments_month_cents"]) == (5, 500_000)
    assert (told["overdue_tax_cents"], told["tax_plan"]) == (700_000, False)


def test_consents_are_sent_with_version_and_moment_given_or_not() -> None:
    """Every consent that was shown is sent, under the version of its words; one that was not ticked is not given."""
    told = sent(company(consent_direct_marketing="", consent_identity_check="yes"))["consents"]
    given = {each["kind"]: each["given"] for each in told}
    assert given["identity_check"]
    assert not given["direct_marketing"]
    assert not given["consumer_credit"]
    assert {each["version"] for each in told} == {consents.VERSION}
    assert {each["at"] for each in told} == {AT.isoformat()}


def test_a_form_with_a_fault_has_no_body() -> None:
    """What could not be read is not sent, whoever asks for it."""
    with pytest.raises(Wrong):
        body_of(company(amount="lots"), AT)


def test_every_industry_has_a_code_that_exists() -> None:
    """Each choice stands for an ANZSIC 2006 class or division."""
    assert all(division_of(code) is not None for code in ANZSIC.values())
    assert len({*ANZSIC.values()}) == len(ANZSIC)


# -- the stories of the sandbox ------------------------------------------------------------------------------


def of_story(story: Story) -> Answers:
    """The form filled in by the people of a story, prefilled by what the register says on that day."""
    facts, body = story.facts(TODAY), story.submission(TODAY)
    record: Fact[RegisterRecord] | None = None if facts is None else facts.registry

    async def look_up(_abn: str, at: datetime, _until: float) -> Fact[RegisterRecord]:
        assert record is not None
        return record

    known = record is not None and "registry" not in story.fails
    told = asyncio.run(looked_up(look_up if known else None, story.abn, AT))
    business, finances = body["business"], body["finances"]
    since = date.fromisoformat(business["trading_since"])
    answers = {
        **company(), "register-name": "", "register-entity": "", "register-acn": "", "register-state": "",
        "register-gst": "", **told, "abn": story.abn, "entity": business["entity_type"],
        "legal-name": business["legal_name"], "state": business["state"],
        "gst": "yes" if business["gst_registered"] else "no", "since-month": str(since.month),
        "since-year": str(since.year), "amount": str(body["request"]["amount_cents"] // 100),
        "turnover": str(finances["turnover_12m_cents"] // 100), "lenders": str(finances["other_lenders"]),
        "repayments": str(finances["other_repayments_month_cents"] // 100), "others": "0",
        "bank": "connect" if story.connection else "later", "bank-connection": story.connection or "",
        "consent-bank-data": "yes", "consent-business-purpose": "yes",
    }  # fmt: skip
    person = body["people"][0]
    runs = "yes" if "director" in person["roles"] else "no"
    return answers | {"me-family": person["family_name"], "me-email": person["email"], "me-director": runs}


@pytest.mark.parametrize("name", [name for name in book() if name != "declared"])
def test_the_form_sends_what_a_caller_would(name: str) -> None:
    """For every story the form's body says of business, wish and money what the story's own body says."""
    story = book()[name]
    answers = of_story(story)
    assert questions.first_open(answers, TODAY).slug == "check", questions.first_open(answers, TODAY).faults(
        answers, TODAY
    )
    body, told = sent(answers), story.submission(TODAY)
    leave = {"anzsic", "trading_since", "legal_name"}
    assert _without(body["business"], leave) == _without(told["business"], leave)
    assert division_of(body["business"]["anzsic"]) == division_of(told["business"]["anzsic"])
    assert body["business"]["trading_since"][:7] == told["business"]["trading_since"][:7]
    assert body["request"] == _without(told["request"], {"supplier_id"})
    assert body["finances"] == {"tax_plan": None, **told["finances"]}
    assert body.get("bank_connection") == told["bank_connection"]
    assert [(each["roles"], each["ownership_bps"]) for each in body["people"]] == [
        (each["roles"], each["ownership_bps"]) for each in told["people"]
    ]


def _without(table: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in names}


# -- the summary ---------------------------------------------------------------------------------------------


def test_the_summary_has_every_answer_in_the_words_of_the_page() -> None:
    """Each question that was asked has a line: a choice in the words of its choice, money and dates as people write."""
    answers = {**company(lenders="2", repayments="1500", others="1"), **SECOND, "other1-director": "yes"}
    answers["other1-share"] = "less"
    lines = {line.box: line for part in summary(answers) for line in part.lines}
    asked_boxes = {
        field.boxes[0]
        for step in questions.path_of(answers) if step.slug != "check"
        for field in step.asked(answers)
    }  # fmt: skip
    assert asked_boxes <= set(lines)
    assert lines["amount"].words == "$40,000"
    assert lines["purpose"].words == "Stock"
    assert lines["me-born-day"].words == "29 February 1984"
    assert lines["since-month"].words == "February 2018"
    assert lines["repayments"].words == "$1,500"
    assert lines["other1-share"].words == "Less than a quarter, or nothing"
    assert "BANKSIA HOMEWARES PTY LTD" in {line.words for line in lines.values()}
    assert {line.slug for line in lines.values()} <= {step.slug for step in questions.STEPS}


def test_the_summary_says_what_is_missing() -> None:
    """An answer that cannot be read is "Not answered", never a guess and never an error."""
    lines = {line.box: line.words for part in summary({"abn": "x"}) for line in part.lines}
    assert set(lines.values()) == {"Not answered"}


def test_the_first_open_page_is_the_first_with_a_fault() -> None:
    """Pages are walked in order, and a change far back leads back there."""
    assert questions.first_open({}, TODAY).slug == "abn"
    assert questions.first_open(company(amount=""), TODAY).slug == "need"
    assert questions.first_open(company(others="2"), TODAY).slug == "others"
    assert questions.before(questions.BY_SLUG["abn"], company()) is None
    assert questions.after(questions.BY_SLUG["you"], company()).slug == "bank"
    assert questions.after(questions.BY_SLUG["you"], company(others="1")).slug == "others"
    assert ME["me-email"] == company()["me-email"]
