"""Text with its places, from a PDF itself or from pictures; and what is said where nothing can be read."""

import io

import pypdfium2
import pytest
from fpdf import FPDF
from PIL import Image, ImageDraw

from api.checks import check
from api.checks.reading import Row, ocr, read, rows_of
from api.checks.reading.lines import Line, rounded
from api.checks.reading.ocr import joined_words
from api.checks.reading.picture import straightened
from api.checks.values import Expectation
from tests.support.checking import TODAY
from tests.support.papers import paper

EXPECTED = Expectation(kind="bank_statement", today=TODAY, legal_name="A")


def pdf_of(*pages: str, turn: int = 0) -> bytes:
    """Pages with one text each, a third of the way down; turned pages are drawn sideways and shown upright."""
    made = FPDF(format="A4")
    for words in pages:
        made.add_page()
        made.set_font("helvetica", size=10)
        with made.rotation(turn, 21, 99):
            made.text(21, 99, words)
    whole = pypdfium2.PdfDocument(bytes(made.output()))
    for page in whole:
        page.set_rotation(turn)
    kept = io.BytesIO()
    whole.save(kept)
    return kept.getvalue()


@pytest.fixture
def without_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any reader of pictures."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("api.checks.reading.ocr.find_spec", lambda name: None)


def test_text_stands_where_it_is_drawn() -> None:
    """A tenth of the width in and a third of the height down, to within a hundredth; two pages are two pages."""
    reading = read(pdf_of("Alpha Beta", "Gamma"), "application/pdf", EXPECTED)
    assert [(row.page, row.text) for row in reading.rows] == [(1, "Alpha Beta"), (2, "Gamma")]
    left, top, _, bottom = reading.rows[0].place(0, 5)
    assert left == pytest.approx(100, abs=10)
    assert top < 333 < bottom + 10
    assert reading.electronic
    assert reading.complete


@pytest.mark.parametrize(("turn", "place"), [(90, (667, 100)), (180, (900, 667)), (270, (333, 900))])
def test_a_turned_page_has_its_places_as_it_is_shown(turn: int, place: tuple[int, int]) -> None:
    """The first letter stands where a person sees it, whichever way the page is turned."""
    [row] = read(pdf_of("Alpha", turn=turn), "application/pdf", EXPECTED).rows
    assert row.text == "Alpha"
    left, top, right, bottom = row.place(0, 1)
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx(place, abs=25)


def test_the_part_of_a_row_is_found_again_in_the_row() -> None:
    """Places of parts lie inside the row's and one after another."""
    rows = rows_of([Line(1, (100, 10, 200, 20), "Total", 10_000), Line(1, (300, 11, 400, 21), "12.00", 10_000)])
    assert [row.text for row in rows] == ["Total  12.00"]
    assert rows[0].place(7, 12) == (300, 11, 400, 21)
    assert rows[0].find("total", "1200", 7, 12).box == (300, 11, 400, 21)
    assert rounded((-5, 2.2, 1200, 2.3)) == (0, 2, 1000, 3)


def test_what_cannot_be_opened_reads_as_nothing() -> None:
    """Rubbish, a cut picture and an empty file are no error here."""
    for data, media_type in (
        (b"%PDF-1.7 rubbish", "application/pdf"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"", "image/png"),
    ):
        reading = read(data, media_type, EXPECTED)  # type: ignore[arg-type]
        assert (reading.rows, reading.pages_read, reading.electronic) == ((), 0, False)


def test_a_time_that_is_over_leaves_pages_unread_and_says_so() -> None:
    """Pages that were not begun in time are counted as not read."""
    reading = read(paper("bank_statement").data, "application/pdf", EXPECTED.model_copy(update={"seconds": 0}))
    assert reading.pages_read == 0 < reading.pages
    assert not reading.complete


def test_text_laid_over_a_scan_is_not_the_document_s_own() -> None:
    """A page that is a picture is not electronic, whatever text a scanner laid over it."""
    picture = io.BytesIO()
    Image.new("L", (600, 850), 250).save(picture, "PNG")
    made = FPDF(format="A4")
    made.add_page()
    made.image(picture, x=0, y=0, w=210)
    made.set_font("helvetica", size=10)
    made.text(20, 50, "Closing balance 1,000,000.00")
    reading = read(bytes(made.output()), "application/pdf", EXPECTED)
    assert not reading.electronic


@pytest.mark.usefixtures("without_reader")
def test_without_a_reader_a_scan_is_not_read() -> None:
    """Nothing is read, the reader is said to be none, and the page counts as not read."""
    scan = paper("rates_notice", "scanned", seed=3)
    reading = read(scan.data, scan.media_type, scan.subject)
    assert (reading.rows, reading.reader, reading.pages_read, reading.electronic) == ((), "none", 0, False)
    checked = check(scan.data, scan.media_type, scan.subject)
    assert {each.verdict for each in checked.results if each.name in {"readable", "kind", "name", "age"}} == {"unread"}
    assert not checked.redactions_complete


@pytest.mark.skipif(ocr.reader() == "none", reason="neither tesseract nor rapidocr is installed")
def test_a_scan_askew_is_read_with_its_places() -> None:
    """The total of a scanned notice is read, and its place is where the electronic one has it, or near."""
    scan, whole = paper("rates_notice", "scanned", seed=3), paper("rates_notice", seed=3)

    def total(rows: tuple[Row, ...]) -> tuple[str, tuple[float, ...]]:
        [found] = [row for row in rows if row.text.startswith("Total")]
        return found.text.split()[-1], found.shown(0, len(found.text))

    read_by_ocr = read(scan.data, scan.media_type, scan.subject)
    amount, place = total(read_by_ocr.rows)
    truth, there = total(read(whole.data, whole.media_type, whole.subject).rows)
    assert amount == truth
    assert all(abs(one - other) < 40 for one, other in zip(place, there, strict=True))
    assert 0 < read_by_ocr.confidence_bps < 10_000


@pytest.mark.parametrize("degrees", [-4.0, 2.5, 0.0])
def test_a_picture_is_straightened_and_its_places_are_told_as_it_came(degrees: float) -> None:
    """The turn is found from lines alone to half a degree, and a place goes back to where it was."""
    image = Image.new("L", (900, 1200), 255)
    draw = ImageDraw.Draw(image)
    for line in range(20):
        draw.rectangle((100, 100 + 50 * line, 800, 112 + 50 * line), fill=0)
    askew = image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)
    straight = straightened(askew)
    assert straight.degrees == pytest.approx(-degrees, abs=0.5)
    wide, high = straight.image.size
    left, top, right, bottom = straight.place((wide / 2 - 5, high / 2 - 5, wide / 2 + 5, high / 2 + 5))
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((500, 500), abs=3)


def test_a_very_tall_picture_is_searched_in_a_small_one() -> None:
    """A strip of a pixel's width takes no memory to speak of."""
    assert straightened(Image.new("L", (1, 3_000), 255)).degrees == 0.0


def test_tesseract_s_words_are_joined_until_a_wide_gap() -> None:
    """Words close to each other are one line; a wide gap or another line of the page parts them; doubt is the least."""
    heads = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
    words = ((1, 10, 90, "Closing"), (1, 75, 80, "balance"), (1, 300, 96, "$1.00"), (2, 10, 95, "Page"))
    table = heads + "".join(
        f"5\t1\t1\t1\t{line}\t1\t{left}\t10\t60\t20\t{sure}\t{word}\n" for line, left, sure, word in words
    )
    assert [(text, sure) for _, text, sure in joined_words(table)] == [
        ("Closing balance", 8_000), ("$1.00", 9_600), ("Page", 9_500),
    ]  # fmt: skip
