"""Company extracts, trust deeds and partnership agreements, as their words differ from one maker to the next."""

from datetime import date
from typing import Any

import pytest

from api.checks.kinds import company_extract, partnership_agreement, trust_deed
from api.checks.values import Person
from tests.support.checking import results, typed, values, verdicts

PEOPLE = (
    Person(given_names="Priya", family_name="Nguyenford", born=date(1970, 1, 1)),
    Person(given_names="Olena Rose", family_name="Castellan"),
)
EXTRACT = """
Current company extract
Name: HAKEA JOINERY PTY LTD
ACN: 900 000 008
Extracted on        1 October 2026
Status:             Registered
Director
Name:               PRIYA NGUYENFORD
Address:            1 Kiln Court
Director
Name:               OLENA ROSE CASTELLAN
Secretary
Name:               TARIQ HADDADSON
Share information
"""
TABLE = """
Current company extract
ACN  900 000 008
Directors
Name                     Date of birth     Appointed
Nguyenford, Priya        1 Jan 1970        2 Mar 2020
Castellan, Olena Rose    3 May 1980        2 Mar 2020
Shareholders
Haddadson, Tariq: 100 shares
"""
DEED = """
DEED OF SETTLEMENT
Name of trust:      Nguyenford Family Trust
AND Hakea Joinery Pty Ltd ACN 900 000 008 of 1 Kiln Court (the Trustee)
1. The Trustee may borrow or raise money for the Trust.
Executed as a deed
"""
AGREEMENT = """
PARTNERSHIP AGREEMENT
Partnership name:   Nguyenford & Castellan
BETWEEN the Partners:
1. Priya Nguyenford of 1 Kiln Court
2. Olena Rose Castellan of 1 Kiln Court
1. The Partners of this agreement carry on business together.
Signed by the partners in the presence of
"""


def extract(text: str, scanned: bool = False) -> dict[str, str]:
    return verdicts(typed("company_extract", text, people=PEOPLE, scanned=scanned), company_extract.CHECKS)


def deed(text: str, scanned: bool = False, **expected: object) -> dict[str, str]:
    told = {"legal_name": "The trustee for Nguyenford Family Trust", "people": PEOPLE, **expected}
    return verdicts(typed("trust_deed", text, scanned=scanned, **told), trust_deed.CHECKS)


def agreement(text: str, scanned: bool = False) -> dict[str, str]:
    told = {"legal_name": "Nguyenford & Castellan", "people": PEOPLE}
    return verdicts(typed("partnership_agreement", text, scanned=scanned, **told), partnership_agreement.CHECKS)


def test_an_extract_with_cards_passes_and_says_what_is_recorded() -> None:
    """A secretary is no director, and registered and matching directors are told as yes."""
    found = results(typed("company_extract", EXTRACT, people=PEOPLE), company_extract.CHECKS)
    assert {result.verdict for result in found.values()} == {"pass"}
    assert values(found.values()).items() >= {
        "acn": "900000008", "as_of": "2026-10-01", "registered": "yes", "directors_match": "yes",
    }.items()  # fmt: skip


def test_directors_in_a_table_or_in_a_line_are_read() -> None:
    """Family name first in a table, or after the word itself; shareholders are none."""
    assert extract(TABLE)["directors"] == "pass"
    assert extract("Director: Priya Nguyenford\nDirector: Olena Rose Castellan\nSecretary: T Haddadson") == {
        "name": "warn", "acn": "unread", "status": "unread", "directors": "pass", "age": "unread",
    }  # fmt: skip


@pytest.mark.parametrize("text", [
    EXTRACT.replace("OLENA ROSE CASTELLAN", "TARIQ HADDADSON"),
    EXTRACT.replace("Secretary", "Director"),
    EXTRACT.replace("Director\nName:               OLENA ROSE CASTELLAN\n", ""),
])  # fmt: skip
def test_directors_do_not_match_where_one_is_missing_or_more(text: str) -> None:
    """Another one, one more, one less: each fails, and warns in a scan, where a name may have been misread."""
    assert extract(text)["directors"] == "fail"
    assert extract(text, scanned=True)["directors"] == "warn"
    found = results(typed("company_extract", text, people=PEOPLE, scanned=True), company_extract.CHECKS)
    assert "directors_match" not in values(found.values())


def test_former_directors_are_none() -> None:
    """What stands under ceased office holders is not counted."""
    assert extract(EXTRACT.replace("Secretary", "Former directors"))["directors"] == "pass"


@pytest.mark.parametrize(("status", "verdict"), [
    ("Registered", "pass"), ("REGD", "pass"), ("Deregistered", "fail"), ("External administration", "fail"),
    ("** Strike-off action in progress **", "fail"), ("Not registered", "fail"), ("Registeted", "fail"),
])  # fmt: skip
def test_the_status_has_to_be_registered(status: str, verdict: str) -> None:
    """In its own text letter by letter; deregistered is not registered."""
    assert (
        extract(EXTRACT.replace("Status:             Registered", f"Status:             {status}"))["status"] == verdict
    )


def test_a_status_misread_by_a_letter_passes_in_a_scan_but_deregistered_does_not() -> None:
    """One letter may be another, but two in front make it the opposite."""
    for status, verdict in (("Registeted", "pass"), ("Deregistered", "warn")):
        text = EXTRACT.replace("Status:             Registered", f"Status:             {status}")
        assert extract(text, scanned=True)["status"] == verdict


def test_an_extract_of_another_company_or_too_old_fails() -> None:
    """By name, by ACN, by its day; 30 days are allowed."""
    assert extract(EXTRACT.replace("HAKEA JOINERY", "WARATAH FREIGHT"))["name"] == "fail"
    assert extract(EXTRACT.replace("900 000 008", "912 345 674"))["acn"] == "fail"
    assert extract(EXTRACT.replace("1 October", "12 September"))["age"] == "pass"
    assert extract(EXTRACT.replace("1 October", "11 September"))["age"] == "fail"


def test_a_deed_passes_and_says_what_is_recorded() -> None:
    """The trust by its name, the trustee by its number, the power to borrow in its words."""
    told: dict[str, Any] = {"legal_name": "The trustee for Nguyenford Family Trust", "people": PEOPLE}
    found = results(typed("trust_deed", DEED, **told), trust_deed.CHECKS)
    assert {result.verdict for result in found.values()} == {"pass"}
    assert values(found.values()).items() >= {
        "name": "Nguyenford Family Trust", "trustee_matches": "yes", "may_borrow": "yes",
    }.items()  # fmt: skip


@pytest.mark.parametrize(("words", "verdict"), [
    ("The Trustee may, with or without security, borrow money.", "pass"),
    ("The Trustee has power to raise or borrow money.", "pass"),
    ("The Trustee is empowered to\nborrow money for the Trust.", "pass"),
    ("The Trustee must not borrow money.", "fail"),
    ("The Trustee shall\nnot at any time borrow.", "fail"),
    ("The Trustee has no power to borrow.", "fail"),
    ("The Trustee shall not have the\npower to borrow.", "fail"),
    ("The Trustee is prohibited from borrowing.", "fail"),
    ("The Trustee may borrow.\nA Trustee who is a minor may not borrow.", "warn"),
    ("The Trustee may invest the Trust Fund.", "unread"),
])  # fmt: skip
def test_words_that_allow_or_forbid_borrowing(words: str, verdict: str) -> None:
    """Also over two lines; both at once is for a person, neither is not read."""
    text = DEED.replace("1. The Trustee may borrow or raise money for the Trust.", words)
    assert deed(text)["may_borrow"] == verdict
    assert deed(text, scanned=True)["may_borrow"] == ("warn" if verdict == "fail" else verdict)


def test_a_person_may_be_the_trustee() -> None:
    """By name, at the label or in the definition."""
    text = DEED.replace("Hakea Joinery Pty Ltd ACN 900 000 008", "Priya Nguyenford")
    assert deed(text)["trustee"] == "pass"
    assert deed(text.replace("Priya", "Ottoline"))["trustee"] == "warn"


def test_a_trustee_with_another_number_fails_and_without_one_is_looked_at() -> None:
    """A company by another name may be ours; one with another number is not, unless a scan misread it."""
    text = DEED.replace("900 000 008", "912 345 674")
    assert (deed(text)["trustee"], deed(text, scanned=True)["trustee"]) == ("fail", "warn")
    assert deed(text, acn=None)["trustee"] == "warn"
    assert deed(text, acn=None, other_names=("Hakea Joinery Pty Ltd",))["trustee"] == "pass"
    assert deed("DEED\nThe Settlor gives")["trustee"] == "unread"


def test_a_settlor_is_no_trustee() -> None:
    """One of our people as settlor does not make the trustee ours."""
    text = DEED.replace("AND Hakea Joinery Pty Ltd ACN 900 000 008", "Priya Nguyenford (the Settlor)\nWaratah Pty Ltd")
    assert deed(text)["trustee"] == "warn"


def test_a_deed_without_a_place_of_signing_says_nothing_of_it() -> None:
    """The page may be missing."""
    assert deed(DEED.replace("Executed as a deed", ""))["signed"] == "unread"


def test_an_agreement_passes_and_says_what_is_recorded() -> None:
    """Partners are read from the list of parties, which ends at the first clause."""
    subject = typed("partnership_agreement", AGREEMENT, legal_name="Nguyenford & Castellan", people=PEOPLE)
    found = results(subject, partnership_agreement.CHECKS)
    assert {name: result.verdict for name, result in found.items()} == {
        "abn": "unread", "name": "pass", "partners": "pass", "signed": "pass",
    }  # fmt: skip
    assert values(found.values())["partners_match"] == "yes"


@pytest.mark.parametrize("text", [
    AGREEMENT.replace("2. Olena Rose Castellan", "2. Tariq Haddadson"),
    AGREEMENT.replace("2. Olena", "3. Tariq Haddadson of 1 Kiln Court\n2. Olena"),
    AGREEMENT.replace("2. Olena Rose Castellan of 1 Kiln Court\n", ""),
])  # fmt: skip
def test_partners_do_not_match_where_one_is_missing_or_more(text: str) -> None:
    """Though the partnership's own name holds both: that is no list of them."""
    assert agreement(text)["partners"] == "fail"
    assert agreement(text, scanned=True)["partners"] == "warn"
