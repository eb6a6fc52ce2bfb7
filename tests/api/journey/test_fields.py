"""One answer read: what people write, and the words that they are told where it cannot be used."""

from datetime import date

import pytest

from api.journey.form import questions
from api.journey.form.fields import Field, Kind, Value, Wrong, cents_of, clean, is_adult

BIDI, INVISIBLE, ZERO = "\u202e", "\u200b", "\x00"


def read(kind: Kind, *typed: str, **more: object) -> Value | None:
    """What is read of an answer to a question called "It"."""
    asked = Field("it", "It", "Answer it", kind, **more)  # type: ignore[arg-type]
    return asked.value(dict(zip(asked.boxes, typed, strict=True)))


def wrong(kind: Kind, *typed: str, **more: object) -> str:
    """The words where it cannot be used."""
    with pytest.raises(Wrong) as refused:
        read(kind, *typed, **more)
    return refused.value.words


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("abn", ["37955501005"], "37955501005"), ("abn", [" 37 955 501 005 "], "37955501005"),
        ("abn", ["ABN: 37-955-501-005"], "37955501005"), ("abn", ["３７955501005"], "37955501005"),
        ("money", ["250000"], 25_000_000), ("money", ["$250,000.50"], 25_000_050),
        ("money", ["1 250 000"], 125_000_000),
        ("money", ["1.25m"], 125_000_000), ("money", ["80K"], 8_000_000), ("money", ["0"], 0),
        ("money", ["３００"], 30_000),
        ("count", ["0"], 0), ("count", [" 12 "], 12),
        ("day", ["29", "2", "1984"], date(1984, 2, 29)), ("day", ["01", "09", "1990"], date(1990, 9, 1)),
        ("month", ["3", "2019"], date(2019, 3, 1)),
        ("name", ["  Mary   Jane  O'Neil-Smith "], "Mary Jane O'Neil-Smith"), ("name", ["李小龍"], "李小龍"),
        ("text", ["12 Wattle St"], "12 Wattle St"),
        ("email", [" ann@shop.com.au "], "ann@shop.com.au"), ("email", ["a+b@x.y.example"], "a+b@x.y.example"),
        ("mobile", ["0491 570 006"], "+61491570006"), ("mobile", ["+61 491 570 006"], "+61491570006"),
        ("tick", ["yes"], True),
    ],
)  # fmt: skip
def test_what_people_write_is_read(kind: Kind, typed: list[str], value: Value) -> None:
    """Spaces, signs, figures with letters behind them and other usual ways of writing give one value."""
    assert read(kind, *typed) == value


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        ("abn", ["37955501006"], "Check the ABN: it has 11 digits, and these are not an ABN"),
        ("abn", ["955501005"], "Check the ABN: it has 11 digits, and these are not an ABN"),
        ("abn", ["x" * 254], "Check the ABN: it has 11 digits, and these are not an ABN"),
        ("abn", [f"37955501005{BIDI}"], "Check the ABN: it has 11 digits, and these are not an ABN"),
        ("money", ["a lot"], "It: write dollars in figures, such as 250,000"),
        ("money", ["-5"], "It: write dollars in figures, such as 250,000"),
        ("money", ["1,2,3"], "It: write dollars in figures, such as 250,000"),
        ("money", ["1e9"], "It: write dollars in figures, such as 250,000"),
        ("money", ["9" * 30], "It: write dollars in figures, such as 250,000"),
        ("money", ["999999999m"], "It: that is more than a billion dollars"),
        ("count", ["two"], "It: write a whole number in figures"),
        ("count", ["1.5"], "It: write a whole number in figures"),
        ("count", ["1000"], "It: write a whole number in figures"),
        ("count", ["²"], "It: write a whole number in figures"),
        ("day", ["31", "2", "1990"], "It: there is no such date"),
        ("day", ["29", "2", "1900"], "It: there is no such date"),
        ("day", ["0", "1", "1990"], "It: there is no such date"),
        ("day", ["1", "13", "1990"], "It: there is no such date"),
        ("day", ["1", "1", "90"], "It: write it in figures, such as 27 3 1986"),
        ("day", ["1", "May", "1990"], "It: write it in figures, such as 27 3 1986"),
        ("day", ["1", "1", "1899"], "It: check the year"), ("day", ["1", "1", "0000"], "It: there is no such date"),
        ("day", ["", "2", ""], "It: the day and the year is missing"),
        ("day", ["1" * 254, "1", "1990"], "It: there is no such date"),
        ("month", ["", "2019"], "It: the month is missing"), ("month", ["13", "2019"], "It: there is no such date"),
        ("name", ["---"], "Answer it"), ("name", [f"Ann{BIDI}"], "It: leave out characters that cannot be seen"),
        ("name", [f"An{INVISIBLE}n"], "It: leave out characters that cannot be seen"),
        ("name", [f"Ann{ZERO}"], "It: leave out characters that cannot be seen"),
        ("name", ["A" * 101], "It: write at most 100 characters"),
        ("text", ["\x1b[31m"], "It: leave out characters that cannot be seen"),
        ("email", ["ann"], "It: write it like name@example.com.au"),
        ("email", ["a@b"], "It: write it like name@example.com.au"),
        ("email", ["a b@c.example"], "It: write it like name@example.com.au"),
        ("email", ["zoë@shop.example"], "It: write it like name@example.com.au"),
        ("email", [f"ann{BIDI}@shop.example"], "It: write it like name@example.com.au"),
        ("email", ["a@shop.example,b@shop.example"], "It: write it like name@example.com.au"),
        ("mobile", ["02 9374 4000"], "It: write an Australian mobile number, such as 0491 570 006"),
        ("mobile", ["+1 212 555 0100"], "It: write an Australian mobile number, such as 0491 570 006"),
        ("mobile", ["0" * 254], "It: write an Australian mobile number, such as 0491 570 006"),
        ("tick", ["on"], "Answer it"), ("choice", ["other"], "Answer it"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_with_a_remedy(kind: Kind, typed: list[str], words: str) -> None:
    """The words name the field and what to do, and repeat nothing of what was typed."""
    told = wrong(kind, *typed, choices=(("a", "A", ""),))
    assert told == words
    assert all(part not in told for part in typed if len(part) > 5)


@pytest.mark.parametrize("kind", ["text", "abn", "money", "count", "day", "month", "name", "email", "mobile", "choice"])
def test_an_empty_answer_is_none_or_asked_for(kind: Kind) -> None:
    """Nothing but spaces is no answer: the question's own words where it is needed, None where it is not."""
    boxes = Field("it", "It", "Answer it", kind).boxes
    assert read(kind, *["  "] * len(boxes), required=False) is None
    assert wrong(kind, *[" \t"] * len(boxes)) == "Answer it"


def test_a_field_without_its_box_is_an_empty_answer() -> None:
    """A box that was not sent at all is like one left empty: a form that was cut short is no error of ours."""
    asked = Field("it", "It", "Answer it", "day")
    with pytest.raises(Wrong, match="Answer it"):
        asked.value({})


def test_a_year_is_a_year() -> None:
    """Dates that exist in no calendar but look like one are refused; money has at most two digits of cents."""
    assert cents_of("1.234") is None
    assert cents_of("1.5") == 150
    assert clean("  a \n b\t") == "a b"
    assert is_adult(date(2008, 8, 3), date(2026, 8, 3))
    assert not is_adult(date(2008, 8, 4), date(2026, 8, 3))
    assert is_adult(date(1984, 2, 29), date(2026, 2, 28))


def test_every_question_says_what_to_do_when_it_is_left_out() -> None:
    """Each question that is needed has words of its own for an empty answer, and a label without markup."""
    answers = {"others": "3", "lenders": "1", "overdue": "yes", "entity": "company"}
    for step in questions.STEPS[:-1]:
        for each in step.fields(answers):
            assert each.ask, each.name
            assert "<" not in each.label + each.hint + each.ask
            assert each.ask[0].isupper()
