"""A document from bytes to what is kept: every kind, no secret, and the generated papers as a whole."""

import re
from datetime import date
from typing import get_args

import pytest
from fpdf import FPDF

from api.checks import check
from api.checks.reading import read
from api.checks.table import FIRST, OF_KIND, checks_of
from api.checks.values import Checked, Expectation, Kind, Person
from benchmarks.papers.measure import measure
from engine.verification.documents import KINDS, RETURN_REASONS
from tests.support.checking import ABN, ACN, TODAY
from tests.support.papers import ELECTRONIC, paper, papers

TFN, OTHER_TFN = "123456782", "876543210"
ALL: tuple[Kind, ...] = get_args(Kind)
LABELS = (
    "Name", "Account name", "Account holder", "ABN", "ACN", "Supplier", "Trustee", "Director", "Partner", "Status",
    "Owner", "Bill to", "Surname", "Given names", "Period", "As at", "Date of birth", "Expiry Date", "Total",
    "Closing balance", "Opening balance", "BSB", "Account number", "Overdue", "Sales", "Net profit", "Page 1 of 1",
)  # fmt: skip


def expected(kind: Kind, **more: object) -> Expectation:
    """What a document of that kind is compared with."""
    told: dict[str, object] = {
        "today": TODAY, "legal_name": "Hakea Joinery Pty Ltd", "abn": ABN, "acn": ACN,
        "people": (Person(given_names="Ada", family_name="Marlowe", born=date(1980, 1, 1)),), **more,
    }  # fmt: skip
    return Expectation(kind=kind, **told)  # type: ignore[arg-type]


def planted() -> bytes:
    """Two tax file numbers at a label, then behind every label that any check looks for, and in the file itself."""
    pdf = FPDF(format="A4")
    pdf.set_producer(f"Sejda {TFN}")
    pdf.set_title(f"TFN {TFN}")
    pdf.set_author(OTHER_TFN)
    for font in ("helvetica", "times"):
        pdf.add_page()
        pdf.set_font(font, size=8)
        pdf.text(20, 15, f"TFN 123 456 782   Tax file number {OTHER_TFN}")
        for place, label in enumerate(LABELS):
            pdf.text(20, 24 + 8 * place, f"{label}: 123 456 782 Hakea {OTHER_TFN}")
            pdf.text(110, 24 + 8 * place, f"1 Jul 2026   {TFN}   1,200.00   3,400.00")
        pdf.set_text_color(255, 255, 255)
        pdf.text(20, 280, f"hidden {TFN}")
        pdf.set_text_color(0, 0, 0)
    return bytes(pdf.output())


def strings(checked: Checked) -> list[str]:
    """Every string that is kept."""
    return [text for each in checked.results for text in (each.says, *(found.value for found in each.found))]


@pytest.mark.parametrize("kind", ALL)
def test_a_tax_file_number_is_kept_by_no_check_of_any_kind(kind: Kind) -> None:
    """Planted behind every label, hidden, and in the file's own words, it is in no string; every sight is painted."""
    checked = check(planted(), "application/pdf", expected(kind))
    for text in strings(checked):
        assert TFN not in re.sub(r"\D", "", text)
        assert OTHER_TFN not in re.sub(r"\D", "", text)
    assert TFN not in checked.model_dump_json()
    # On each page: two at their labels, three behind each label beside it, and one that is not seen.
    assert len(checked.redactions) >= 2 * (2 + 2 * len(LABELS))
    assert checked.redactions_complete


@pytest.mark.parametrize("kind", ALL)
def test_the_business_s_own_numbers_are_never_painted_over(kind: Kind) -> None:
    """ABN and ACN stand beside words of the tax office, and stay: nothing is hidden on such a page."""
    pdf = FPDF(format="A4")
    pdf.add_page()
    pdf.set_font("helvetica", size=9)
    for place, words in enumerate(
        ("Australian Taxation Office", f"ABN {ABN}", f"Number {ACN}", ABN, ACN, "98 900 000 008")
    ):
        pdf.text(20, 30 + 9 * place, words)
    assert check(bytes(pdf.output()), "application/pdf", expected(kind)).redactions == ()


def test_every_kind_has_checks_of_its_own_and_every_reason_is_one_that_is_told() -> None:
    """The table has the eleven kinds; names are not told twice; a check's reason is in the applicant's list."""
    assert OF_KIND.keys() == KINDS.keys()
    for kind in ALL:
        document = paper(kind)
        checks = checks_of(kind, document.media_type, read(document.data, document.media_type, document.subject))
        names = [each.name for each in checks]
        assert len(set(names)) == len(names) > len(FIRST) + 5
        assert {each.reason for each in checks} - {None} <= RETURN_REASONS.keys()


def test_a_document_that_other_applications_had_warns() -> None:
    """Nothing but the count that the store makes tells it, and it takes from the score."""
    document = paper("company_extract")
    seen = document.subject.model_copy(update={"also_seen": 2})
    once, again = (check(document.data, document.media_type, told) for told in (document.subject, seen))
    [result] = [each for each in again.results if each.name == "also_seen"]
    assert (result.verdict, "2 other" in result.says) == ("warn", True)
    assert (once.authenticity, again.authenticity) == (100, 80)


def test_nothing_is_read_of_a_file_that_is_none() -> None:
    """Every check of the kind is unread, nothing passes that would have to be seen, and no copy is called safe."""
    checked = check(b"%PDF-1.4 nothing", "application/pdf", expected("bank_statement"))
    verdicts = {each.name: each.verdict for each in checked.results}
    assert {verdicts[each.name] for each in OF_KIND["bank_statement"]} == {"unread"}
    assert verdicts["readable"] == "unread"
    assert (checked.reader, checked.electronic, checked.redactions_complete) == ("none", False, False)


def test_sixty_papers_are_judged_as_they_are() -> None:
    """Of made-up papers in every variant none that is wrong passes, none that is right warns, and no secret is kept."""
    found = measure(papers(11, 60, ELECTRONIC), check, lambda words: None)
    assert found.readings == []
    assert found.unasked == set()
    assert (found.leaks, found.bare) == (0, 0)
    assert sum(each.papers for each in found.variants.values()) == 60
    assert found.variants.keys() == set(ELECTRONIC)
