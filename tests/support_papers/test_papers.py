"""The generator of made-up documents keeps its own promises; what the checks make of them is measured elsewhere."""

import io
import re
from collections.abc import Iterator
from datetime import date

import pypdfium2
import pytest
from PIL import Image

from api.checks.values import Person
from engine.values import parse_abn, parse_acn
from engine.verification.documents import KINDS, parse_value
from tests.support.papers import ELECTRONIC, MARK, SCANNED, WRITERS, Paper, paper, papers, possible
from tests.support.papers.kinds.identities import zone

PAPERS = list(papers(5, 240, ELECTRONIC))
SCANS = list(papers(5, 12, SCANNED))


def texts(each: Paper) -> Iterator[str]:
    """The text of every page."""
    with pypdfium2.PdfDocument(each.data) as file:
        for page in file:
            yield page.get_textpage().get_text_range()


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_the_same_seed_gives_the_same_papers_to_the_byte() -> None:
    """Two runs with one seed are equal in bytes and truth, scans with their noise as well; another seed differs."""
    again = [*papers(5, 240, ELECTRONIC), *papers(5, 12, SCANNED)]
    assert again == [*PAPERS, *SCANS]
    assert [each.data for each in papers(6, 5, ELECTRONIC)] != [each.data for each in PAPERS[:5]]


def test_two_hundred_and_forty_papers_hold_every_kind_layout_and_variant() -> None:
    """Every possible paper is among the first 240, and none is of a kind that nobody is asked for."""
    wanted = {(k, layout, v) for k, all_ in WRITERS.items() for layout in all_ for v in ELECTRONIC
              if possible(k, layout, v)}  # fmt: skip
    assert {(each.kind, each.layout, each.variant) for each in PAPERS} == wanted
    assert WRITERS.keys() == KINDS.keys()


def test_every_page_of_every_paper_says_that_it_is_made_up() -> None:
    """The mark is on each page, also on those of an edited file."""
    for each in PAPERS:
        assert all(MARK in text for text in texts(each)), each.title


def test_scans_open_as_pictures_without_text() -> None:
    """A scan is a JPEG, or a PDF that holds pictures alone."""
    for each in SCANS:
        if each.media_type == "image/jpeg":
            assert Image.open(io.BytesIO(each.data)).size[0] > 600, each.title
        else:
            assert not "".join(texts(each)), each.title
    assert {each.media_type for each in SCANS} == {"image/jpeg", "application/pdf"}


def test_what_is_printed_is_in_the_text_and_is_the_truth() -> None:
    """Every print is read from the page by a reader that is not ours, and reads as the field's true value."""
    for each in PAPERS:
        text = squeezed("".join(texts(each)))
        for name, printed in each.prints.items():
            assert squeezed(printed) in text, (each.title, name)
            value = each.truth[name]
            if isinstance(value, int):
                digits = re.sub(r"\D", "", printed)
                assert abs(value) == int(digits) * (1 if "." in printed else 100), (each.title, name)
            elif name.endswith(("abn", "acn")):
                assert squeezed(printed) == value


def test_truths_are_fields_of_their_kind() -> None:
    """Every truth but the names of numbers is a field that a reviewer records, in its unit."""
    for each in PAPERS:
        fields = {field.name: field for field in KINDS[each.kind].fields}
        for name, value in each.truth.items():
            if name not in fields:
                assert name == "abn", (each.title, name)
            elif fields[name].unit in {"date", "text"}:
                assert parse_value(each.kind, name, str(value)) == value
            else:
                assert isinstance(value, bool) == (fields[name].unit == "bool"), (each.title, name)


def test_a_clean_paper_has_nothing_wrong_but_what_its_words_say() -> None:
    """Clean papers and clean scans ought to pass every check; a deed may forbid borrowing."""
    for each in [*PAPERS, *SCANS]:
        if each.variant in {"clean", "tax_number", "scanned", "low_resolution", "scanned_tax_number"}:
            assert each.wrong <= {"may_borrow"}, each.title
        else:
            assert each.wrong - {"may_borrow"}, each.title


def test_variants_share_their_applicant_and_day() -> None:
    """What a variant changes is not whom it is compared with, so that pairs differ in one thing."""
    for variant in ("altered", "expired", "resaved", "scanned"):
        assert paper("bank_statement", variant, seed=3).subject == paper("bank_statement", seed=3).subject
    assert paper("tax_account", "duplicate", seed=3).data == paper("tax_account", seed=3).data


def test_an_altered_statement_differs_in_one_amount() -> None:
    """The altered statement's text is the clean one's but for a single row."""
    clean, altered = (
        "\n".join(texts(paper("bank_statement", variant, "running", seed=8))).splitlines()
        for variant in ("clean", "altered")
    )  # fmt: skip
    assert len(clean) == len(altered)
    assert sum(one != other for one, other in zip(clean, altered, strict=True)) == 1


def test_a_missing_page_is_missed_by_its_number() -> None:
    """The second page is gone, and the others count it."""
    said = " ".join(texts(paper("bank_statement", "pages_missing", "running", seed=3)))
    whole = len(list(texts(paper("bank_statement", "clean", "running", seed=3))))
    numbers = [(str(number), str(whole)) for number in range(1, whole + 1) if number != 2]
    assert re.findall(r"Page (\d) of (\d)", said) == numbers


@pytest.mark.parametrize("kind", ["bank_statement", "company_extract"])
def test_a_resaved_paper_ends_twice_and_names_its_editor(kind: str) -> None:
    """An incremental save leaves two ends, another producer and a change after the making."""
    clean, resaved = paper(kind, seed=4), paper(kind, "resaved", seed=4)  # type: ignore[arg-type]
    assert (clean.data.count(b"%%EOF"), resaved.data.count(b"%%EOF")) == (1, 2)
    assert resaved.data.startswith(clean.data)
    with pypdfium2.PdfDocument(clean.data) as before, pypdfium2.PdfDocument(resaved.data) as after:
        assert before.get_metadata_dict()["Producer"] != after.get_metadata_dict()["Producer"]
        assert after.get_metadata_dict()["ModDate"] > after.get_metadata_dict()["CreationDate"]


def test_numbers_have_right_check_digits_unless_they_are_meant_to_be_wrong() -> None:
    """What applications declare passes our own parsers, and every canary stands on its paper."""
    for each in PAPERS:
        assert parse_abn(each.subject.abn) == each.subject.abn
        assert each.subject.acn is None or parse_acn(each.subject.acn) == each.subject.acn
        for canary in each.canaries:
            assert canary in squeezed("".join(texts(each)))
        assert bool(each.canaries) == (each.variant == "tax_number")


def test_the_passport_zone_is_the_published_example() -> None:
    """The specimen of ICAO 9303: number L898902C3, born 1974-08-12, expiring 2012-04-15, without its optional data."""
    who = Person(given_names="Anna Maria", family_name="Eriksson", born=date(1974, 8, 12))
    first, second = zone(who, "L898902C3", date(2012, 4, 15))
    assert first == "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
    assert second.startswith("L898902C36UTO7408122<1204159")
    assert (len(first), len(second)) == (44, 44)
