"""Signs of tampering: each is found, an honest file has none, and they only ever weigh."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fpdf import FPDF
from PIL import Image

from api.checks import check
from api.checks.authenticity import COMPARED_SIGNS, SIGNS, WEIGHTS, judged, moment, score
from api.checks.reading import Reading, Row
from api.checks.reading.pdf import Traces
from api.checks.subject import Subject
from api.checks.table import OF_KIND
from api.checks.values import Checked, CheckResult, Expectation, Kind, Verdict
from tests.support.checking import TODAY, typed, verdicts
from tests.support.papers import paper

MADE = datetime(2026, 10, 1, 9, 30, tzinfo=UTC)


def page(draw: Callable[[FPDF], None], producer: str = "Statement Composer 7.2") -> bytes:
    """A page with a column of amounts, and whatever is drawn besides."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(MADE)
    pdf.set_producer(producer)
    pdf.add_page()
    for line in range(8):
        text(pdf, 190, 40 + 6 * line, f"1,{line}00.00")
    draw(pdf)
    return bytes(pdf.output())


def text(pdf: FPDF, right: float, y: float, words: str, font: str = "helvetica") -> None:
    """Words that end at a place."""
    pdf.set_font(font, size=9)
    pdf.text(right - pdf.get_string_width(words), y, words)


def checked(data: bytes, kind: Kind = "bank_statement") -> dict[str, Verdict]:
    """The verdicts on a PDF."""
    found = examined(data, kind)
    return {each.name: each.verdict for each in found.results}


def examined(data: bytes, kind: Kind = "bank_statement") -> Checked:
    return check(data, "application/pdf", Expectation(kind=kind, today=TODAY, legal_name="Hakea Joinery Pty Ltd"))


def white(pdf: FPDF) -> None:
    pdf.set_text_color(255, 255, 255)
    text(pdf, 100, 120, "9,999.00")
    pdf.set_text_color(0, 0, 0)


def over(pdf: FPDF) -> None:
    text(pdf, 190, 46, "8,700.00")


def other_font(pdf: FPDF) -> None:
    text(pdf, 190, 94, "7,000.00", "times")


@pytest.mark.parametrize(
    ("draw", "producer", "sign"),
    [
        (white, "", "hidden_text"), (over, "", "overlaid_digits"), (other_font, "", "fonts"),
        (lambda pdf: None, "Sejda 5.4 (sejda.com)", "producer"), (lambda pdf: None, "iLovePDF", "producer"),
        (lambda pdf: None, "Adobe Photoshop 25.0", "producer"), (lambda pdf: None, "Microsoft® Word 2021", "producer"),
        (lambda pdf: pdf.set_creation_date(datetime(2027, 1, 1, tzinfo=UTC)), "", "dates"),
    ],
)  # fmt: skip
def test_each_sign_is_found_and_no_other(draw: Callable[[FPDF], None], producer: str, sign: str) -> None:
    """One thing done to a page warns in one sign; the same page without it warns in none."""
    names = {each.name for each in SIGNS}
    found = checked(page(draw, producer or "Statement Composer 7.2"))
    assert {name for name, verdict in found.items() if name in names and verdict != "pass"} == {sign}
    clean = checked(page(lambda pdf: None))
    assert {name for name, verdict in clean.items() if name in names and verdict != "pass"} == set()


def test_a_program_to_write_with_is_usual_for_an_agreement() -> None:
    """What warns for a bank statement passes for a partnership agreement, an invoice or a deed."""
    data = page(lambda pdf: None, "Microsoft® Word 2021")
    assert checked(data, "partnership_agreement")["producer"] == "pass"
    assert checked(data, "supplier_invoice")["producer"] == "pass"


def test_a_later_save_is_seen_in_the_file_s_end_and_in_its_days() -> None:
    """An incremental save by an editor warns three times: who, how often, when."""
    resaved = paper("bank_statement", "resaved")
    found = {each.name: each for each in check(resaved.data, resaved.media_type, resaved.subject).results}
    assert [found[name].verdict for name in ("producer", "saves", "dates")] == ["warn"] * 3
    assert "5 hours" in found["dates"].says


def test_a_picture_tells_the_program_that_wrote_it() -> None:
    """A photograph that was saved by a program for pictures warns; one that names a camera's does not."""
    for software, verdict in (("Adobe Photoshop 25.0", "warn"), ("HDR+ 1.0", "pass")):
        kept, tags = io.BytesIO(), Image.Exif()
        tags[0x0131] = software
        Image.new("L", (60, 40), 255).save(kept, "JPEG", exif=tags)
        expectation = Expectation(kind="identity", today=TODAY, legal_name="A")
        found = {each.name: each.verdict for each in check(kept.getvalue(), "image/jpeg", expectation).results}
        assert found["software"] == verdict
        assert "producer" not in found


def test_what_a_file_says_of_itself_is_not_repeated() -> None:
    """Only the name of a known program is told: whatever else stands there may be anything."""
    told = examined(page(lambda pdf: None, "Sejda for Jane Person TFN 123 456 782")).model_dump_json()
    assert "Sejda" in told
    assert "Jane" not in told
    assert "123 456 782" not in told


@pytest.mark.parametrize(
    ("stamp", "when"),
    [
        ("D:20260801093000Z", datetime(2026, 8, 1, 9, 30, tzinfo=UTC)),
        ("D:20260801093000+10'00'", datetime(2026, 7, 31, 23, 30, tzinfo=UTC)),
        ("D:20260801093000-05'30", datetime(2026, 8, 1, 15, 0, tzinfo=UTC)),
        ("D:20260801093000", datetime(2026, 8, 1, 9, 30, tzinfo=UTC)),
        ("D:20261301093000Z", None), ("yesterday", None), ("", None),
    ],
)  # fmt: skip
def test_a_stamp_is_read_in_its_own_time(stamp: str, when: datetime | None) -> None:
    """Offsets count, and what is no moment is none."""
    assert moment(stamp) == when


def test_text_that_is_not_what_is_seen_is_told() -> None:
    """An amount of the text is compared with what was read from the picture at its place."""
    rows = typed("bank_statement", "Rent   1,200.00\n\nWages   3,400.00").rows

    def seen(words: str) -> tuple[Row, ...]:
        return typed("bank_statement", words).rows

    def verdict(pictures: tuple[Row, ...]) -> str:
        reading = Reading(rows, 1, 1, "text", True, Traces(), pictures=((1, pictures),))
        subject = Subject(reading, rows, Expectation(kind="bank_statement", today=TODAY, legal_name="A"))
        return verdicts(subject, COMPARED_SIGNS)["text_and_picture"]

    assert verdict(seen("Rent   1,200.00\n\nWages   3,400.00")) == "pass"
    assert verdict(seen("Rent   1,200.00\n\nWages   9,400.00")) == "warn"
    assert verdict(()) == "unread"
    blurred = tuple(
        Row(1, tuple(replace(line, confidence_bps=4_000) for line in row.lines)) for row in seen("Rent   1,999.00")
    )
    assert verdict(blurred) == "unread"


def result(name: str, verdict: Verdict) -> CheckResult:
    return CheckResult(name=name, verdict=verdict, confidence_bps=10_000, says="")


def test_the_score_falls_with_what_is_found_and_never_below_nothing() -> None:
    """Nothing found is 100; a sign takes its weight; a doubt from a scan takes half; all of them leave 0."""
    assert score([result(name, "pass") for name in WEIGHTS]) == 100
    assert score([result("producer", "warn"), result("age", "fail")]) == 75
    assert score([result("running_balance", "warn")]) == 80
    assert score([result("running_balance", "fail")]) == 60
    assert score([result(name, "unread") for name in WEIGHTS]) == 100
    assert score([result(name, "fail") for name in WEIGHTS]) == 0


def test_the_score_warns_and_never_fails() -> None:
    """However much weighs, the result is a warning: nobody is declined by it."""
    assert judged([result(name, "fail") for name in WEIGHTS]).verdict == "warn"
    assert judged([result("dates", "warn")]).verdict == "pass"


def test_every_weight_is_of_a_check_that_exists() -> None:
    """A weight under a name that no check has would never count."""
    names = {each.name for checks in OF_KIND.values() for each in checks} | {each.name for each in SIGNS}
    assert WEIGHTS.keys() <= names | {"also_seen"}
