"""The business's own numbers in a document: ABN and ACN.

It does: find and compare them. It does not: look them up. The rule it keeps: a number that only looks like an ABN is
one only with its check digits.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from api.checks.reading import Row
from api.checks.subject import Answer, Subject, failing, unread
from api.checks.values import Finding
from engine.values import parse_abn, parse_acn

_NUMBER: Final = re.compile(r"(?<![\d•])\d(?:[ .-]{0,2}\d){8,10}(?![\d•])")
_ABN_LABEL: Final = re.compile(r"(?i)\bA\.?B\.?N\b|business number")
_ACN_LABEL: Final = re.compile(r"(?i)\bA\.?C\.?N\b|company number")
_REACH: Final = 30
_ABN_DIGITS: Final = 11
_ACN_DIGITS: Final = 9


def business_numbers(rows: tuple[Row, ...]) -> Iterator[tuple[str, str, bool, Finding]]:
    """Every ABN and ACN: which of the two, its digits, whether its check digits agree, and where.

    Eleven digits without a label count as an ABN only where they pass, nine as an ACN only where labelled.
    """
    for row in rows:
        text = row.text
        for found in _NUMBER.finditer(text):
            digits = re.sub(r"\D", "", found[0])
            before = text[max(0, found.start() - _REACH) : found.start()]
            for what, label, size, parse in (
                ("abn", _ABN_LABEL, _ABN_DIGITS, parse_abn),
                ("acn", _ACN_LABEL, _ACN_DIGITS, parse_acn),
            ):
                named = bool(label.search(before))
                good = len(digits) == size and _passes(parse, digits)
                if len(digits) == size and (named or (good and what == "abn")):
                    yield what, digits, good, row.find(what, digits, *found.span())


def _passes(parse: Callable[[object], str], digits: str) -> bool:
    try:
        return parse(digits) == digits
    except ValueError:
        return False


def abn(subject: Subject) -> Answer:
    """The business's ABN stands in the document, and no other in its place."""
    return _number(subject, "abn", subject.expectation.abn, "ABN")


def acn(subject: Subject) -> Answer:
    """The company's ACN stands in the document, or an ABN that ends in it."""
    return _number(subject, "acn", subject.expectation.acn, "ACN")


def _number(subject: Subject, what: str, expected: str | None, title: str) -> Answer:
    if expected is None:
        return Answer("unread", f"The application states no {title} to compare with.")
    found = list(business_numbers(subject.rows))
    ours = [finding for name, digits, _, finding in found if name == what and digits == expected]
    others = [(good, finding) for name, digits, good, finding in found if name == what and digits != expected]
    if what == "acn" and not others:
        ours += [finding for name, digits, good, finding in found if name == "abn" and good and digits[2:] == expected]
    if ours:
        return Answer("pass", f"The {title} is the application's.", ours[:1])
    if not others:
        return unread(f"An {title}")
    says = f"An {title} is there, but it is not the application's."
    if not any(good for good, _ in others):
        says = f"The {title} in the document fails its check digits."
        return Answer(failing(subject), says, [finding for _, finding in others])
    return Answer("fail", says, [finding for _, finding in others])
