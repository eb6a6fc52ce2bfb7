"""Numbers that must not be kept: tax file numbers, Medicare numbers, payment card numbers.

It does: find them in rows of text, hide their digits in the text and say where to paint. It does not: hide ABNs, ACNs
or bank accounts. The rule it keeps: where a label says what a number is, it goes whether or not its check digits
agree, since a misread digit still leaves the rest; without a label it goes only where check digits and context agree.
A number that went once goes wherever else it stands.

Weights of the tax file number: australia's published check, sum of digit by weight divisible by 11, for nine digits
1 4 3 7 5 8 6 9 10; for eight digits the first eight of these or the older 10 7 8 4 6 3 5 1.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from stdnum import luhn

from api.checks.reading.lines import Line, Row, masked, rounded
from api.checks.values import MOST_REDACTIONS, Redaction

What = Literal["tax file number", "Medicare number", "payment card number"]

_NINE: Final = (1, 4, 3, 7, 5, 8, 6, 9, 10)
_EIGHT: Final = ((1, 4, 3, 7, 5, 8, 6, 9), (10, 7, 8, 4, 6, 3, 5, 1))
_MEDICARE: Final = (1, 3, 7, 9, 1, 3, 7, 9)
_RUN: Final = re.compile(r"\d(?:[\s.\-–_·,/|]{0,4}\d)*")
_GROUP: Final = re.compile(r"\d+")
_MOST_GROUPS: Final = 40  # of one run that are tried together
_LABELS: Final[tuple[tuple[What | None, re.Pattern[str]], ...]] = (
    ("tax file number", re.compile(r"(?i)\bT\s?\.?\s?[FE]\s?\.?\s?N\b|\btax\s*(?:file|flle|fi1e)|\bfile\s*n(?:o|um)")),
    ("Medicare number", re.compile(r"(?i)\bmedicare")),
    ("payment card number", re.compile(r"(?i)\b(?:credit|debit|payment|visa|mastercard|amex)?\s*card\s*n(?:o|um)")),
    # Labels of numbers that stay.
    (None, re.compile(
        r"(?i)\bA\.?B\.?N\b|\bA\.?C\.?N\b|\bA\.?R\.?B\.?N\b|\bbsb\b|\baccount\b|\bacc?t\b|\ba/c\b|\bphone|\btel\b"
        r"|\bmobile|\bfax\b|\bdirector\s*id|\binvoice|\bdocument\s*id|\bdin\b|\bcrn\b|\bbpay|\blicen[cs]e|\bcustomer"
        r"|\bref(?:erence)?\b|\bassessment\s*n|\bpassport"
    )),
)  # fmt: skip
_TAX_OFFICE: Final = re.compile(
    r"(?i)australian\s*taxation\s*office|\btax\s*(?:return|agent|file)|notice\s*of\s*assessment|\bato\b|\btfn\b"
    r"|activity\s*statement|payment\s*summary|superannuation"
)
_CARD_WORDS: Final = re.compile(r"(?i)\bcard\b|visa|mastercard|amex|eftpos")
# Letters that OCR reads for digits, in words that hold digits and such letters alone.
_ALIKE: Final = str.maketrans("OoQDlIiZzSsB", "000011122558")
_DIGITLIKE: Final = re.compile(r"\b(?=[A-Za-z]*\d)[\dOoQDlIiZzSsB]+\b")
_AMOUNT: Final = re.compile(r"\d,\d{3}\.\d{2}(?!\d)|\.\d{2}\s")  # money among the digits: no number of a person
_APART: Final = re.compile(r"[,.]|\s\s")  # what parts amounts and cells, and not the groups of one number
_REACH: Final = 60  # characters from a label to its number
_OVERLAP: Final = 60.0  # thousandths of the page that a label above may stand beside its number
_MEDICARE_DIGITS: Final = (10, 11)
_TFN_DIGITS: Final = (9, 8)
_CARD_DIGITS: Final = (16, 15, 14, 13, 19)


@dataclass(frozen=True, slots=True)
class Redacted:
    """Rows with hidden digits, and the places to paint; `numbers` are what was hidden, to be forgotten soon."""

    rows: tuple[Row, ...]
    places: tuple[Redaction, ...]
    numbers: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class _Hit:
    what: What
    start: int
    end: int
    digits: str


def is_tfn(digits: str) -> bool:
    """Whether eight or nine digits pass a check of tax file numbers."""
    ways = {9: (_NINE,), 8: _EIGHT}.get(len(digits), ())
    return any(sum(w * int(d) for w, d in zip(way, digits, strict=True)) % 11 == 0 for way in ways)


def is_medicare(digits: str) -> bool:
    """Whether ten digits, or eleven with the person's place on the card, are a Medicare number."""
    if len(digits) not in _MEDICARE_DIGITS or digits[0] not in "23456":
        return False
    return sum(w * int(d) for w, d in zip(_MEDICARE, digits[:8], strict=True)) % 10 == int(digits[8])


def is_card(digits: str) -> bool:
    """Whether the digits begin as a payment card's do and pass the Luhn check."""
    return len(digits) in _CARD_DIGITS and digits[0] in "3456" and bool(luhn.is_valid(digits))


@dataclass(frozen=True, slots=True)
class _Around:
    """What is known of the whole document: whether the tax office is named, what stays, what went elsewhere."""

    tax_office: bool
    keep: frozenset[str]
    gone: frozenset[str]


def redact(rows: Sequence[Row], keep: frozenset[str] = frozenset(), gone: frozenset[str] = frozenset()) -> Redacted:
    """Hide every such number; `keep` holds the business's own ABN and ACN, `gone` numbers hidden elsewhere."""
    tax_office = bool(_TAX_OFFICE.search("\n".join(row.text for row in rows)))
    found = _pass(rows, _Around(tax_office, keep, gone))
    if found.numbers - gone:  # what a label gave away may stand elsewhere without one
        found = _pass(rows, _Around(tax_office, keep, gone | found.numbers))
    return found


def _pass(rows: Sequence[Row], around: _Around) -> Redacted:
    places: list[Redaction] = []
    numbers: set[str] = set(around.gone)
    kept: list[Row] = []
    above: Row | None = None
    for row in rows:
        hits = _hits(row, above if above is not None and above.page == row.page else None, around)
        changed = row
        for hit in hits:
            changed = _hide(changed, hit)
            numbers.add(hit.digits)
            places += [
                Redaction(what=hit.what, page=row.page, box=rounded(line.shown(first, last), pad=2.0))
                for line, first, last in row.spans(hit.start, hit.end)
            ]
        kept.append(changed)
        above = row
    return Redacted(tuple(kept), _few(places), frozenset(numbers))


def _few(places: list[Redaction]) -> tuple[Redaction, ...]:
    """The places, or where they are too many to keep, every page that has any, whole."""
    if len(places) <= MOST_REDACTIONS:
        return tuple(places)
    pages = {each.page: each.what for each in places}
    return tuple(Redaction(what=what, page=page, box=(0, 0, 1000, 1000)) for page, what in pages.items())


def hide_in(text: str, gone: frozenset[str]) -> str:
    """One text without such numbers, nor those hidden elsewhere: the last look at whatever is about to be kept."""
    line = Line(1, (0.0, 0.0, 1000.0, 10.0), text, 10_000)
    [row] = redact([Row(1, (line,))], gone=gone).rows
    return row.text


def _hide(row: Row, hit: _Hit) -> Row:
    spans = {id(line): (first, last) for line, first, last in row.spans(hit.start, hit.end)}
    lines = (masked(line, *spans[id(line)]) if id(line) in spans else line for line in row.lines)
    return replace(row, lines=tuple(lines))


def _hits(row: Row, above: Row | None, around: _Around) -> list[_Hit]:
    text = _DIGITLIKE.sub(lambda word: word[0].translate(_ALIKE), row.text)
    if sum(letter.isdigit() for letter in text) < min(_TFN_DIGITS):
        return []
    hits: list[_Hit] = []
    for run in _RUN.finditer(text):
        groups = [(g.start() + run.start(), g.end() + run.start()) for g in _GROUP.finditer(run[0])][:_MOST_GROUPS]
        label = _label_before(text, run.start()) or _label_above(row, run.start(), above)
        named = label[0] if label else None
        for hit in _of_run(text, groups, label is not None, named, around):
            if not hits or hit.start >= hits[-1].end:
                hits.append(hit)
    return hits


def _sort_of(digits: str) -> What:
    """What a number that was hidden elsewhere is."""
    if is_card(digits):
        return "payment card number"
    return "Medicare number" if is_medicare(digits) else "tax file number"


def _label_before(text: str, start: int) -> tuple[What | None] | None:
    """What the nearest label before a number says it is; (None,) for numbers that stay, None without a label."""
    near = text[max(0, start - _REACH) : start]
    found = [(match.end(), what) for what, label in _LABELS for match in label.finditer(near)]
    return (max(found, key=lambda item: item[0])[1],) if found else None


def _label_above(row: Row, start: int, above: Row | None) -> tuple[What | None] | None:
    """The same for a label in the row above that stands over the number, or nearly."""
    if above is None:
        return None
    left, top, _, bottom = row.place(start, start + 1)
    for line in above.lines:
        close = top - line.box[3] < 2 * (bottom - top)
        if close and line.box[0] - _OVERLAP <= left <= max(line.box[2], line.box[0] + _OVERLAP):
            found = _label_before(line.text + " ", len(line.text) + 1)
            if found:
                return found
    return None


def _of_run(
    text: str,
    groups: list[tuple[int, int]],
    labelled: bool,
    named: What | None,
    around: _Around,
) -> Iterator[_Hit]:
    """The numbers to hide in one run of digit groups, from the left."""
    place = 0
    while place < len(groups):
        hit = None
        for end in range(len(groups), place, -1):
            part = groups[place:end]
            digits = "".join(text[first:last] for first, last in part)
            whole = len(part) == len(groups)
            written = text[part[0][0] : part[-1][1]]
            sizes = [last - first for first, last in part]
            if _AMOUNT.search(written):
                continue
            what = _what(digits, sizes, whole, labelled, named, around, text, written)
            if what and digits not in around.keep:
                hit = _Hit(what, part[0][0], part[-1][1], digits)
                break
        if hit:
            yield hit
            place = next((n for n, (first, _) in enumerate(groups) if first >= hit.end), len(groups))
        else:
            place += 1


def _what(
    digits: str,
    sizes: list[int],
    whole: bool,
    labelled: bool,
    named: What | None,
    around: _Around,
    text: str,
    written: str,
) -> What | None:
    """What a candidate is to be hidden as, if at all."""
    one_by_one = max(sizes) <= 1
    close = one_by_one or not _APART.search(written)
    if digits in around.gone:
        return named or _sort_of(digits)
    if named == "tax file number" and len(digits) in _TFN_DIGITS:
        return named
    if named == "Medicare number" and len(digits) in _MEDICARE_DIGITS:
        return named
    if named == "payment card number" and len(digits) in _CARD_DIGITS:
        return named
    if (
        close
        and is_card(digits)
        and (sizes in ([4, 4, 4, 4], [4, 6, 5], [16], [15]) or _CARD_WORDS.search(text) or one_by_one)
    ):
        # A labelled account number may look like a card by chance, once in ten; a card in groups of four does not.
        return None if labelled and named is None and whole and len(sizes) == 1 else "payment card number"
    if labelled and named is None:
        return None
    if close and is_medicare(digits) and sizes[:3] == [4, 5, 1]:
        return "Medicare number"
    if (
        close
        and around.tax_office
        and whole
        and is_tfn(digits)
        and (sizes in ([3, 3, 3], [9], [3, 3, 2]) or one_by_one)
    ):
        return "tax file number"
    return None
