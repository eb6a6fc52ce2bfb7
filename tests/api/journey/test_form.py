"""The form page by page: prefilled from the register, walked by every kind of business, and nothing typed is lost."""

import json
import re
from datetime import timedelta

import pytest

from api.applicants import drafts
from api.applicants.limits import BEGUN
from api.store import queries as store
from tests.support.applying import ABN, EMAIL, ME, PAGES, SECOND, Browser, Fields, House, forms_of, text_of

BIDI = "\u202eLtd\u200b"
OTHERS = {f"other1-{name}": value for name, value in {"director": "yes", "share": "quarter"}.items()}


def typed(place: House, browser: Browser) -> dict[str, str]:
    """What is kept of this browser's form."""
    draft = place.run(drafts.load(place.lobby, browser.visit.draft_id))
    assert draft is not None
    return draft.answers


def stated(place: House, application_id: str) -> dict[str, object]:
    """What became of it."""
    row = place.look(lambda connection: store.get_application(connection, application_id))
    assert row is not None
    found: dict[str, object] = json.loads(row.body)
    return found


# -- the register --------------------------------------------------------------------------------------------


def test_a_number_brings_the_business(lone: House) -> None:
    """Name, kind, state, GST and the month of its beginning are shown to be confirmed, and only the rest is asked."""
    browser = lone.browser()
    browser.get("/apply")
    browser.answer("abn", abn=ABN)
    told = text_of(browser.shown)
    for words in ("BANKSIA HOMEWARES PTY LTD", "37 955 501 005", "Company", "Registered", "VIC"):
        assert words in told
    form = browser.form("/apply/business")
    assert (form.values["since-month"], form.values["since-year"]) == ("2", "2018")
    assert set(form.choices) == {"industry", "staff"}
    assert lone.register.asked == ["37955501005"]


def test_a_number_that_nobody_has_is_told_and_keeps_nothing(lone: House) -> None:
    """The words name the remedy, what was typed stands there, and neither draft nor visit was made."""
    lone.register.says = "unknown"
    browser = lone.browser()
    browser.get("/apply")
    reply = browser.answer("abn", abn=ABN)
    assert reply.status_code == 422
    assert browser.faults == {"abn": "No business has this ABN. Check it on an invoice or a tax document"}
    assert browser.form("/apply").values["abn"] == ABN
    assert browser.token is None


def test_a_register_that_is_away_is_no_no(lone: House) -> None:
    """The questions are asked instead, and the application goes on without it."""
    lone.register.says = "away"
    browser = lone.browser()
    usual = {"entity": "company", "legal-name": "BANKSIA HOMEWARES PTY LTD", "state": "VIC", "gst": "yes"}
    application_id = browser.apply(business={**usual, "since-month": "2", "since-year": "2018"})
    business = stated(lone, application_id)["business"]
    assert isinstance(business, dict)
    assert (business["acn"], business["state"], business["gst_registered"]) == ("955501005", "VIC", True)


def test_a_register_that_comes_back_is_asked_again(lone: House) -> None:
    """The same number once more asks again where it was away, and not where it had answered."""
    browser = lone.browser()
    lone.register.says = "away"
    browser.get("/apply")
    browser.answer("abn", abn=ABN)
    lone.register.says = "known"
    for _ in range(3):
        browser.get("/apply")
        browser.answer("abn", abn=ABN)
    assert len(lone.register.asked) == 2
    assert "BANKSIA HOMEWARES PTY LTD" in browser.shown


def test_another_number_takes_nothing_of_the_first_business_along(lone: House) -> None:
    """Its name, state, age, bank and statements are forgotten; what is about the person and the wish stays."""
    browser = lone.browser()
    browser.fill_in(bank={"bank": "connect"})
    assert typed(lone, browser)["bank-connection"] == "sandbox-37955501005"
    lone.register.changes = {"entity_name": "SAMPLE, CARA", "entity_type_code": "IND", "acn": None, "state": None}
    browser.get("/apply")
    browser.answer("abn", abn="51 824 753 556")
    now = typed(lone, browser)
    assert (now["abn"], now["register-name"], now["bank-connection"]) == ("51824753556", "SAMPLE, CARA", "")
    assert now.get("register-state", "") == now.get("register-acn", "") == ""
    assert (now["amount"], now["me-given"]) == ("40,000", "Ann")
    assert "BANKSIA" not in browser.shown


def test_one_network_looks_up_so_many_numbers(lone: House) -> None:
    """Whoever tries numbers one after the other waits, in words."""
    for _ in range(BEGUN.most):
        lone.browser().send("POST", "/apply", data={"abn": ABN})
    browser = lone.browser()
    assert browser.send("POST", "/apply", data={"abn": ABN}).status_code == 429
    assert "Too many tries" in text_of(browser.shown)
    assert lone.browser("198.51.100.3").send("POST", "/apply", data={"abn": ABN}).status_code == 303


# -- every kind of business ----------------------------------------------------------------------------------


KINDS: dict[str, tuple[dict[str, object], dict[str, Fields], str]] = {
    "company": ({}, {}, ABN),
    "company, two directors": (
        {}, {"you": {"others": "1", "me-share": "half"}, "others": {**SECOND, **OTHERS}}, ABN,
    ),
    "sole trader": (
        {"entity_type_code": "IND", "entity_name": "SAMPLE, ANN", "acn": None}, {"you": {}}, "51 824 753 556",
    ),
    "trust": ({"entity_type_code": "DIT", "entity_name": "BANKSIA TRUST", "acn": None}, {}, "51 824 753 556"),
    "partnership": (
        {"entity_type_code": "PTR", "entity_name": "SAMPLE & SPECIMEN", "acn": None},
        {"you": {"others": "1", "me-share": "half"}, "others": {**SECOND, "other1-share": "half"}}, "51 824 753 556",
    ),
    "something else": (
        {"entity_type_code": "OIE", "entity_name": "BANKSIA CLUB", "acn": None},
        {"business": {"entity": "other", "legal-name": "BANKSIA CLUB", "gst": "yes"}}, "51 824 753 556",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_business_gets_to_a_decision(lone: House, kind: str) -> None:
    """By the pages as they are, in at most eight pages and twelve typed fields (a date counts as one)."""
    record, changes, abn = KINDS[kind]
    lone.register.changes = record
    told = {slug: {name: value for name, value in PAGES[slug].items() if _fits(kind, name)} for slug in PAGES}
    browser = lone.browser()
    seen, boxes = [], 0
    browser.get("/apply")
    for _ in range(12):
        if (slug := browser.slug) == "check":
            break
        answers = {**told.get(slug, {}), **changes.get(slug, {}), **({"abn": abn} if slug == "abn" else {})}
        seen.append(slug)
        boxes += len({re.sub(r"-(day|month|year)$", "", name) for name in answers if name in _texts(browser)})
        browser.answer(slug, **answers)
        assert browser.slug != slug, (slug, browser.faults)
    browser.agree()
    application_id = browser.application_id
    business = stated(lone, application_id)["business"]
    assert isinstance(business, dict)
    assert business["entity_type"] == kind.partition(",")[0].replace("something else", "other").replace(" ", "_")
    if "two" not in kind and kind != "partnership":
        assert len(seen) + 1 <= 8
        assert boxes <= 12


def _texts(browser: Browser) -> set[str]:
    return set(re.findall(r'<input id="([^"]+)"[^>]*type="(?:text|email|tel)"', browser.shown))


def _fits(kind: str, name: str) -> bool:
    shared = {"me-share", "others"} if kind != "sole trader" else set()
    runs = {"me-director"} if kind.startswith(("company", "trust")) else set()
    return name not in {"me-share", "others", "me-director"} or name in shared | runs


def test_what_an_answer_leads_to_is_asked_before_it_is_missed(lone: House) -> None:
    """Without a script, further questions come on the same page without an error; left empty, they are one."""
    browser = lone.browser()
    browser.fill_in(money={"turnover": ""})
    browser.get("/apply/money")
    reply = browser.post("/apply/money", turnover="960,000", lenders="2", overdue="yes")
    assert (reply.status_code, browser.faults) == (200, {})
    assert {"repayments", "overdue-amount"} <= set(browser.form("/apply/money").values)
    browser.post("/apply/money")
    assert set(browser.faults) == {"repayments", "overdue-amount", "plan"}
    browser.post("/apply/money", **{"repayments": "900", "overdue-amount": "2,000", "plan": "no"})
    assert browser.slug == "you"


# -- nothing typed is lost -----------------------------------------------------------------------------------


WRONG: dict[str, Fields] = {
    "business": {"industry": "cafe", "since-month": "13", "since-year": "20 19"},
    "need": {"amount": "lots & <b>more</b>"},
    "money": {"turnover": "about a million", "lenders": "0", "overdue": "no"},
    "you": {**ME, "me-given": BIDI, "me-born-day": "31", "me-born-month": "2", "me-mobile": "12", "me-email": "ann@"},
}


@pytest.mark.parametrize("slug", WRONG)
def test_what_is_wrong_is_kept_and_told_twice_in_the_same_words(lone: House, slug: str) -> None:
    """At the top and beside the box, in one wording; the boxes hold what was typed, now and when one comes back."""
    browser = lone.browser()
    browser.fill_in(**{slug: {**PAGES[slug], **WRONG[slug]}})
    assert browser.slug == slug
    assert browser.faults
    for _ in range(2):
        values = browser.form(f"/apply/{slug}").values
        for name, value in WRONG[slug].items():
            assert " ".join(values.get(name, "").split()) == " ".join(_visible(value).split()), name
        browser.get(f"/apply/{slug}")
    assert 'aria-invalid="true"' not in browser.shown, "a page that is only looked at accuses nobody"


def _visible(text: str) -> str:
    return text.replace("\u202e", "[U+202E]").replace("\u200b", "[U+200B]") if BIDI in text else text


def test_the_title_says_that_there_is_an_error(lone: House) -> None:
    """Whoever hears the page hears it first, and every link of the summary leads to a box of the page."""
    browser = lone.browser()
    browser.fill_in(need={"amount": "", "purpose": ""})
    assert "<title>Error: " in browser.shown
    assert set(browser.faults) == {"amount", "purpose"}
    for box in browser.faults:
        assert f'id="{box}"' in browser.shown


def test_a_correction_from_the_last_page_leads_back_to_it(lone: House) -> None:
    """Change leads to the box and back to the last page, also after a mistake on the way."""
    browser = lone.browser()
    browser.fill_in()
    assert '/apply/need?then=check#amount"' in browser.shown
    browser.get("/apply/need?then=check")
    browser.post("/apply/need", amount="41,250")
    assert browser.faults
    browser.post("/apply/need", amount="41,500")
    assert browser.slug == "check"
    assert "$41,500" in text_of(browser.shown)


def test_a_correction_that_opens_questions_leads_to_them(lone: House) -> None:
    """From one owner to two: the second person is asked for before the last page comes back."""
    browser = lone.browser()
    browser.fill_in()
    browser.get("/apply/you?then=check")
    browser.post("/apply/you", others="1", **{"me-share": "half"})
    assert browser.slug == "others"


@pytest.mark.parametrize("then", ["https://evil.example", "//evil.example", "/apply", '"><script>', "check2"])
def test_nobody_is_led_elsewhere(lone: House, then: str) -> None:
    """What stands in an address as the way to go on is believed for the last page alone."""
    browser = lone.browser()
    browser.fill_in()
    browser.get(f"/apply/need?then={then}")
    assert "evil" not in browser.shown
    reply = browser.send("POST", "/apply/need", data={"csrf": browser.csrf, "amount": "40,000", "then": then})
    assert reply.headers["location"] == "/apply/money"


def test_pages_ahead_lead_to_the_first_that_is_open(lone: House) -> None:
    """A page cannot be looked at before those before it are answered."""
    browser = lone.browser()
    browser.get("/apply")
    browser.answer("abn", abn=ABN)
    for path in ("/apply/need", "/apply/money", "/apply/you", "/apply/bank", "/apply/check", "/apply/others"):
        assert browser.get(path).headers["location"] == "/apply/business", path


def test_whoever_is_away_for_long_is_told_how_to_come_back(lone: House) -> None:
    """After a day without use the page says so and takes the cookie away; the mailed link leads back to the answers."""
    browser = lone.browser()
    browser.fill_in()
    link = lone.link(EMAIL, "/apply/resume/")
    lone.clock.advance(timedelta(days=1).total_seconds())
    reply = browser.get("/apply/check")
    assert reply.status_code == 401
    assert "You have been away for a while" in text_of(browser.shown)
    assert browser.token is None
    browser.get(link)
    browser.post("/apply/resume")
    assert browser.slug == "check"
    assert "$40,000" in text_of(browser.shown)


def test_a_signed_in_person_without_a_form_begins_one(lone: House) -> None:
    """A step that belongs to no form leads to the beginning, and nobody is signed out by it."""
    lone.browser().apply()
    browser = lone.browser()
    browser.sign_in()
    assert browser.get("/apply/need").headers["location"] == "/apply"
    browser.get("/my")
    assert browser.post_once("/sign-out").status_code == 303


def test_a_mail_program_that_opens_links_does_nothing(lone: House) -> None:
    """Looking at a link, however often, opens no visit and uses nothing up."""
    lone.browser().fill_in()
    link = lone.link(EMAIL, "/apply/resume/")
    robot = lone.browser()
    for _ in range(3):
        assert robot.get(link).status_code == 200
    assert robot.token is None
    person = lone.browser()
    person.get(link)
    assert person.post("/apply/resume").status_code == 200
    assert person.token is not None


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 5_000, "%00", "..%2f..", "<script>"])
def test_a_link_of_nobody_s_making_is_told_kindly(lone: House, token: str) -> None:
    """The page of any link can be looked at; pressing its button with a wrong one leads to words."""
    browser = lone.browser()
    if browser.get(f"/apply/resume/{token}").status_code == 200:
        assert browser.post("/apply/resume").status_code == 410
        assert "works no longer" in text_of(browser.shown)
        assert "<script>" not in browser.shown.replace("<script src", "")


# -- bad input -----------------------------------------------------------------------------------------------


def begun(place: House) -> Browser:
    """Somebody with a form."""
    browser = place.browser()
    browser.fill_in()
    return browser


@pytest.mark.parametrize("slug", ["abn", "unknown", "ABN", "need%20", "%00", "a" * 300])
def test_a_page_that_there_is_not_is_not_found(lone: House, slug: str) -> None:
    """By GET and by POST, in words."""
    browser = begun(lone)
    for method in ("GET", "POST"):
        data = {"csrf": _csrf(lone, browser)} if method == "POST" else None
        reply = browser.send(method, f"/apply/{slug}", data=data)
        expected = {404, 405} if slug != "abn" or method == "POST" else {200}
        assert reply.status_code in expected, (method, reply.status_code)
        assert slug == "abn" or "Page not found" in text_of(browser.shown)


def test_missing_fields_are_empty_answers(lone: House) -> None:
    """A form that was cut short keeps what was there, and is asked for nothing twice."""
    browser = begun(lone)
    reply = browser.send("POST", "/apply/you", data={"csrf": browser.csrf})
    assert reply.status_code == 303
    assert typed(lone, browser)["me-given"] == "Ann"
    reply = browser.send("POST", "/apply/you", data={"csrf": browser.csrf, "me-given": ""})
    assert reply.status_code == 422


def test_fields_that_nobody_asked_for_are_not_kept(lone: House) -> None:
    """Neither what the register says nor anything of another page can be typed in."""
    browser = begun(lone)
    planted = {"register-name": "EVIL", "register": "away", "abn": "1", "turnover": "9", "consent-authority": "yes",
               "bank-connection": "sandbox-99", "statements": "[]", "linked": "x"}  # fmt: skip
    browser.send("POST", "/apply/need", data={"csrf": browser.csrf, "amount": "50,000", **planted})
    now = typed(lone, browser)
    assert now["amount"] == "50,000"
    assert "EVIL" not in str(now)
    assert (now["turnover"], now["register"], now.get("consent-authority")) == ("960,000", "known", None)
    assert "sandbox-99" not in str(now)


@pytest.mark.parametrize(
    "value", ["x" * 60_000, "\u202e" * 9_000, "😀" * 8_000, "\x00" * 1_000, "'; DROP TABLE draft; --"]
)
def test_huge_and_hostile_text_is_told_like_any_other(lone: House, value: str) -> None:
    """It is cut, kept and shown as text; nothing else changes, and the page is still a page."""
    browser = begun(lone)
    reply = browser.send("POST", "/apply/you", data={"csrf": browser.csrf, "me-given": value})
    assert reply.status_code in {422, 303, 413}
    if reply.status_code == 422:
        assert len(reply.content) < 60_000
        assert "\u202e" not in reply.text
    assert browser.get("/apply/you").status_code == 200


@pytest.mark.parametrize("path", ["/apply", "/apply/need", "/sign-in", "/sign-in/code", "/confirm", "/apply/resume"])
@pytest.mark.parametrize("size", [70_000, 12_000_000])
def test_a_body_that_is_too_large_is_refused(lone: House, path: str, size: int) -> None:
    """Above what a form may be, to the byte or by megabytes: in words, and nothing was changed."""
    browser = begun(lone)
    reply = browser.send("POST", path, data={"csrf": browser.csrf, "abn": "x" * size})
    assert reply.status_code == 413
    assert "That is too large" in text_of(browser.shown)


@pytest.mark.parametrize(
    "body", [b"a=%ff", b"a=1&a=2", b"\xff\xfe", b"&".join(b"f%d=" % n for n in range(201)), b"csrf=%ED%A0%80"]
)
def test_what_is_no_form_is_refused(lone: House, body: bytes) -> None:
    """Broken encodings, a field given twice, and more fields than any form has."""
    browser = begun(lone)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = browser.send("POST", "/apply/need", content=body, headers=headers)
    assert reply.status_code == 400
    assert forms_of(reply.text) == []


def test_another_kind_of_body_is_no_form(lone: House) -> None:
    """JSON with the token in its header is a form without fields; without it, it is refused."""
    browser = begun(lone)
    body = {"content": b'{"amount": "1"}', "headers": {"Content-Type": "application/json"}}
    assert browser.send("POST", "/apply/need", **body).status_code == 403
    told = {
        **body,
        "headers": {"Content-Type": "application/json", "X-CSRF-Token": browser.csrf or _csrf(lone, browser)},
    }
    assert browser.send("POST", "/apply/need", **told).status_code == 303
    assert typed(lone, browser)["amount"] == "40,000"


def _csrf(place: House, browser: Browser) -> str:
    return browser.visit.csrf
