"""Identity papers that nobody could take for real: a passport of Utopia and a licence of no state.

It does: draw the printed zone and, on the passport, its machine-readable lines with their check digits. It does not:
draw a photo. The rule it keeps: the country is UTO, which stands for no country.
"""

from datetime import date, timedelta
from itertools import cycle

from api.checks.values import Person
from tests.support.papers.draft import Draft
from tests.support.papers.writing import day

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def passport(draft: Draft) -> None:
    """The data page. Altered, the printed lines give another day of expiry than the check digits agree with."""
    who, expires = _whose(draft), _expiry(draft)
    number = f"{draft.rng.choice('LNPR')}{draft.rng.randrange(10_000_000):07d}"
    sheet = draft.sheet
    sheet.producer, sheet.step = "Scan Utility 4", 6.0
    sheet.page()
    sheet.line("UTOPIA - PASSPORT (made up)", size=13, bold=True)
    sheet.down()
    for label, value in (
        ("Type", "P"),
        ("Code of issuing state", "UTO"),
        ("Document No.", number),
        ("Surname", who.family_name.upper()),
        ("Given names", who.given_names.upper()),
        ("Nationality", "UTOPIAN"),
        ("Date of birth", day(who.born or draft.today).upper()),
        ("Sex", "X"),
        ("Date of issue", day(expires - timedelta(days=3652)).upper()),
        ("Date of expiry", day(expires).upper()),
    ):
        sheet.pair(label, value)
    draft.tell("name", f"{who.given_names} {who.family_name}")
    draft.tell("expires_on", expires.isoformat(), day(expires).upper())
    sheet.down(2)
    first, second = zone(who, number, expires)
    if draft.altered:
        draft.fail("mrz")
        second = second[:21] + f"{(int(second[21]) + 3) % 10}" + second[22:]
    for line in (first, second):
        sheet.text(18, line, font="courier", size=9.6)
        sheet.down()


def licence(draft: Draft) -> None:
    """The front of a licence, and what is usual on its back."""
    who, expires = _whose(draft), _expiry(draft)
    sheet = draft.sheet
    sheet.producer = "Scan Utility 4"
    sheet.page()
    sheet.line("DRIVER LICENCE", size=14, bold=True)
    sheet.line("State of Nowhere, Australia (made up)")
    sheet.down()
    name = f"{who.given_names} {who.family_name.upper()}"
    sheet.line(draft.tell("name", name, name), size=11, bold=True)
    for line in draft.shown.address:
        sheet.line(line.upper())
    sheet.pair("Licence No.", f"{draft.rng.randrange(100_000_000):09d}")
    sheet.pair("Licence class", "C")
    sheet.pair("Date of Birth", day(who.born or draft.today))
    sheet.pair("Expiry Date", draft.tell_day("expires_on", expires))
    sheet.down()
    sheet.line("Card number on the back: see reverse", size=7)


def _whose(draft: Draft) -> Person:
    draft.declared["people"] = draft.ours.people[:1]
    draft.tell("matches", draft.variant != "other_name")
    if draft.variant == "other_name":
        draft.fail("name", "birth")
    return draft.shown.people[0]


def _expiry(draft: Draft) -> date:
    days = draft.rng.randint(30, 3000)
    if draft.variant == "expired":
        draft.fail("expiry")
        return draft.today - timedelta(days=days // 2)
    return draft.today + timedelta(days=days)


def zone(who: Person, number: str, expires: date) -> tuple[str, str]:
    """The two lines of 44 of a passport (ICAO 9303 part 4), with a check digit after each number and one over all."""
    family = who.family_name.upper().replace("'", "").replace("-", "<").replace(" ", "<")
    names = f"P<UTO{family}<<{who.given_names.upper().replace(' ', '<')}"
    born = f"{who.born:%y%m%d}" if who.born else "000101"
    until = f"{expires:%y%m%d}"
    document = number.ljust(9, "<")
    optional = "<" * 14
    summed = (document, born, until, optional)
    digits = [_check(part) for part in summed]
    over_all = "".join(part + digit for part, digit in zip(summed, digits, strict=True))
    second = f"{document}{digits[0]}UTO{born}{digits[1]}<{until}{digits[2]}{optional}{digits[3]}{_check(over_all)}"
    return names.ljust(44, "<")[:44], second


def _check(text: str) -> str:
    """The check digit: values by 7, 3, 1 in turn, the last digit of the sum; a filler counts nothing."""
    values = (0 if letter == "<" else _ALPHABET.index(letter) for letter in text)
    return str(sum(value * weight for value, weight in zip(values, cycle((7, 3, 1)), strict=False)) % 10)


LAYOUTS = {"passport": passport, "licence": licence}
