"""Identity papers: machine-readable lines as published, misread ones, names and days that differ."""

from datetime import date

import pytest

from api.checks.kinds import zone
from api.checks.kinds.identity import CHECKS
from api.checks.values import Person
from tests.support.checking import results, typed, values, verdicts

ANNA = Person(given_names="Anna Maria", family_name="Eriksson", born=date(1974, 8, 12))
# The specimen of ICAO 9303 part 4.
FIRST = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
SECOND = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
PASSPORT = f"""
Passport
Surname             ERIKSSON
Given names         ANNA MARIA
Date of birth       12 AUG 1974
Date of expiry      15 APR 2012

{FIRST}
{SECOND}
"""
LICENCE = """
DRIVER LICENCE
Anna Maria ERIKSSON
12 LANTERN ST
Date of Birth       12 Aug 1974
Expiry Date         1 Mar 2027
"""
WHEN_NEW = date(2010, 5, 1)


def passport(text: str = PASSPORT, scanned: bool = False, today: date = WHEN_NEW, who: Person = ANNA) -> dict[str, str]:
    """The verdicts on a passport."""
    return verdicts(typed("identity", text, people=(who,), today=today, scanned=scanned), CHECKS)


def test_the_published_specimen_passes_on_a_day_before_its_expiry() -> None:
    """All five check digits agree, the lines say what is printed, and name and day of birth are the person's."""
    found = results(typed("identity", PASSPORT, people=(ANNA,), today=WHEN_NEW), CHECKS)
    assert {result.verdict for result in found.values()} == {"pass"}
    assert found["mrz"].says == "5 of 5 check digits agree, and the lines say what is printed."
    assert values(found.values()).items() >= {
        "name": "ANNA MARIA ERIKSSON", "expires_on": "2012-04-15", "matches": "yes",
    }.items()  # fmt: skip


@pytest.mark.parametrize("place", [9, 19, 27, 42, 43])
def test_each_check_digit_is_worked_out(place: int) -> None:
    """One digit more, wherever it stands, and the lines do not pass."""
    wrong = SECOND[:place] + str((int(SECOND[place]) + 1) % 10) + SECOND[place + 1 :]
    assert passport(PASSPORT.replace(SECOND, wrong))["mrz"] == "fail"
    assert passport(PASSPORT.replace(SECOND, wrong), scanned=True)["mrz"] == "warn"


def test_an_empty_personal_number_may_have_a_filler_for_its_check_digit() -> None:
    """Part 4 allows both nought and filler there."""
    head = "L898902C36UTO7408122F1204159" + "<" * 14
    for digit in "0<":
        summed = head[:10] + head[13:20] + head[21:] + digit
        text = PASSPORT.replace(SECOND, head + digit + zone.check_digit(summed))
        assert passport(text)["mrz"] == "pass"


def test_what_pictures_confuse_is_undone_where_only_one_of_them_can_stand() -> None:
    """An O among digits is a nought, a nought in a country an O; a line that is short is not read at all."""
    misread = SECOND.replace("UTO7408122F1204159", "UT074O8I22F12O4159")
    assert passport(PASSPORT.replace(SECOND, misread), scanned=True)["mrz"] == "pass"
    spaced = f"{SECOND[:20]} {SECOND[20:]}"
    assert passport(PASSPORT.replace(SECOND, spaced), scanned=True)["mrz"] == "pass"
    assert passport(PASSPORT.replace(SECOND, SECOND[:-2]), scanned=True)["mrz"] == "unread"


@pytest.mark.parametrize(("printed", "other"), [
    ("15 APR 2012", "15 APR 2015"), ("12 AUG 1974", "12 AUG 1979"), ("ERIKSSON\n", "LINDQVIST\n"),
])  # fmt: skip
def test_print_that_differs_from_the_lines_is_found(printed: str, other: str) -> None:
    """The check digits agree, but a day or a name was printed anew."""
    text = PASSPORT.replace(f"  {printed}", f"  {other}", 1)
    assert passport(text)["mrz"] == "fail"
    assert passport(text, scanned=True)["mrz"] == "warn"


def test_an_expired_passport_fails_and_one_that_expires_today_too() -> None:
    """It has to be valid after today."""
    assert passport(today=date(2012, 4, 14))["expiry"] == "pass"
    assert passport(today=date(2012, 4, 15))["expiry"] == "fail"
    assert passport(today=date(2012, 4, 16))["expiry"] == "fail"


def test_days_that_were_not_read_are_taken_from_the_lines() -> None:
    """Without its printed days and names a passport still says them, in the century that fits."""
    found = results(typed("identity", f"Passport\n{FIRST}\n{SECOND}", people=(ANNA,), today=WHEN_NEW), CHECKS)
    assert {result.verdict for result in found.values()} == {"pass"}
    assert values(found.values())["expires_on"] == "2012-04-15"


def test_a_label_without_its_value_does_not_take_the_next_label_for_it() -> None:
    """The family name was not read: what stands under its label is another label, and the lines give the name."""
    text = PASSPORT.replace("Surname             ERIKSSON", "Surname")
    found = results(typed("identity", text, people=(ANNA,), today=WHEN_NEW, scanned=True), CHECKS)
    assert (found["name"].verdict, found["mrz"].verdict) == ("pass", "pass")
    assert values(found.values())["name"] == "ANNA MARIA ERIKSSON"


def test_another_persons_passport_fails_by_name_and_day_and_does_not_match() -> None:
    """And the day of birth is in no finding."""
    other = Person(given_names="Tran", family_name="Volkovski", born=date(1980, 1, 2))
    found = results(typed("identity", PASSPORT, people=(other,), today=WHEN_NEW), CHECKS)
    assert (found["name"].verdict, found["birth"].verdict, found["mrz"].verdict) == ("fail", "fail", "pass")
    assert values(found.values())["matches"] == "no"
    assert not [each for result in found.values() for each in result.found if "1974" in each.value]


def test_a_misread_day_of_birth_is_no_answer() -> None:
    """In a scan a day that differs warns, and whether the paper matches is left to a person."""
    text = LICENCE.replace("12 Aug 1974", "12 Aug 1971")
    found = results(typed("identity", text, people=(ANNA,), scanned=True), CHECKS)
    assert found["birth"].verdict == "warn"
    assert "matches" not in values(found.values())


def test_a_licence_passes_whole() -> None:
    """It has no label for the name and no machine-readable lines; a day in the line of the name is not shown."""
    found = results(typed("identity", LICENCE.replace("ERIKSSON", "ERIKSSON 12 Aug 1974"), people=(ANNA,)), CHECKS)
    assert {result.verdict for result in found.values()} == {"pass"}
    assert values(found.values())["name"] == "Anna Maria ERIKSSON"


def test_the_same_day_of_birth_under_another_name_does_not_match() -> None:
    """Both have to be the person's."""
    found = results(typed("identity", LICENCE.replace("ERIKSSON", "VOLKOVSKI"), people=(ANNA,)), CHECKS)
    assert (found["name"].verdict, found["birth"].verdict) == ("warn", "pass")
    assert "matches" not in values(found.values())


def test_without_a_person_nothing_is_compared() -> None:
    """Nor where the application states no day of birth."""
    assert passport(who=Person(given_names="Anna", family_name="Eriksson"))["birth"] == "unread"
    assert verdicts(typed("identity", LICENCE), CHECKS) == {
        "name": "unread", "birth": "unread", "expiry": "pass", "mrz": "pass",
    }  # fmt: skip


def test_hidden_digits_are_not_taken_for_check_digits() -> None:
    """Where redaction hid a part of the line it is not read."""
    assert passport(PASSPORT.replace("L898902C3", "•••••••••"))["mrz"] == "unread"
