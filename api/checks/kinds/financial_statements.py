"""Financial statements: whose, of which year, turnover and profit, and whether the totals cast.

It does: read the column of the newest year, cast its totals, and hold turnover against what the application declares.
It does not: judge quality, or read the notes. The rule it keeps: what stands under the year counts, so numbers of
notes and the year before never get into a sum.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from api.checks import dating, naming, numbers
from api.checks.casting import Amount, cast, slack
from api.checks.kinds import statement
from api.checks.money import Money, money_in
from api.checks.reading import Row
from api.checks.subject import Answer, Check, Subject, failing, unread
from api.checks.values import Finding

_YEAR: Final = re.compile(r"\b20\d\d\b")
_HEAD: Final = re.compile(
    r"(?i)\b(?:20\d\d|\d{1,2}|notes?|account|years? ended|year|jan\w*|feb\w*|mar\w*|apr\w*|may|june?|july?|aug\w*"
    r"|sep\w*|oct\w*|nov\w*|dec\w*|to)\b|[-–$\s]"
)
_FAR: Final = 60.0  # thousandths of the page's width between the end of a year and of an amount under it
_TOTAL: Final = re.compile(r"(?i)^total\b")
_TURNOVER: Final = tuple(
    re.compile(rf"(?i)(?:{words})")
    for words in (
        r"total (?:trading |operating )?(?:income|revenue|sales|turnover)|turnover",
        r"(?:net )?sales(?: revenue)?|(?:trading |operating |sales )?(?:revenue|income)|(?:sales|fees|revenue) .*",
    )
)
_PROFIT: Final = re.compile(
    r"(?i)net (?:operating |trading )?(?:profit|income|surplus|earnings|loss)\b.*"
    r"|(?:profit|loss|surplus)\b.*\b(?:year|tax)\b.*"
)
_GROSS, _COST = re.compile(r"(?i)gross (?:profit|margin|loss)\b.*"), re.compile(r"(?i)(?:total )?cost of .*")
_SPENT: Final = re.compile(r"(?i)total (?:operating )?(?:expenses|expenditure|overheads)")
_OTHER, _TAX = re.compile(r"(?i)(?:total )?other income"), re.compile(r"(?i)(?:less )?income tax(?: expense)?")
_ASSETS, _DEBTS = re.compile(r"(?i)total assets"), re.compile(r"(?i)total liabilities")
_NET: Final = re.compile(r"(?i)net (?:assets|liabilities)\b.*")
_WITHIN: Final = 15  # per cent of the declared turnover
_PARTS: Final = 6  # that a profit is made of, at most


@dataclass(frozen=True, slots=True)
class _Figure:
    """A line's amount of the newest year."""

    label: str
    money: Money
    row: Row

    @property
    def amount(self) -> Amount:
        return Amount(self.row, self.money.cents, bool(_TOTAL.match(self.label)), not self.money.full)

    def find(self, field: str) -> Finding:
        return self.row.find(field, str(self.money.cents), self.money.start, self.money.end)


@lru_cache(maxsize=4)
def _figures(subject: Subject) -> tuple[_Figure, ...]:
    """Every line that has an amount under the newest year, in order."""
    found: list[_Figure] = []
    years: list[tuple[int, float]] = []
    for row in subject.rows:
        heads = list(_heads(row))
        if heads:
            years = heads
        elif years:
            money = _under_newest(row, years)
            label = re.sub(r"^\W+|\W+$", "", row.text[: next(money_in(row.text)).start]) if money else ""
            if money and re.search(r"[A-Za-z]{3}", label):
                found.append(_Figure(label, money, row))
    return tuple(found)


def _heads(row: Row) -> Iterator[tuple[int, float]]:
    """Years and where each ends, where the row is one of column heads alone."""
    if not _HEAD.sub("", row.text):
        for found in _YEAR.finditer(row.text):
            yield int(found[0]), row.place(*found.span())[2]


def _under_newest(row: Row, years: Sequence[tuple[int, float]]) -> Money | None:
    """The amount that ends under the newest year, if any is nearer to it than to another year."""
    newest = max(years)[1]
    found: list[tuple[float, Money]] = []
    for money in money_in(row.text):
        ends = row.place(money.start, money.end)[2]
        if all(abs(ends - newest) <= abs(ends - other) for _, other in years) and abs(ends - newest) <= _FAR:
            found.append((abs(ends - newest), money))
    return min(found, key=lambda each: each[0])[1] if found else None


def _first(subject: Subject, pattern: re.Pattern[str]) -> _Figure | None:
    return next((each for each in _figures(subject) if pattern.fullmatch(each.label)), None)


def _turnover(subject: Subject) -> _Figure | None:
    """A total of income before a single line of it."""
    return _first(subject, _TURNOVER[0]) or _first(subject, _TURNOVER[1])


def turnover(subject: Subject) -> Answer:
    """Turnover is about what the application declares."""
    read, declared = _turnover(subject), subject.expectation.turnover_12m_cents
    if read is None:
        return unread("Turnover")
    found = [read.find("turnover_cents")]
    if not declared:
        return Answer("pass", "Turnover is there; the application states none to compare with.", found)
    apart = abs(read.money.cents - declared) * 100
    if apart > _WITHIN * declared:
        says = f"Turnover is {apart // declared} % apart from what the application declares; {_WITHIN} % is usual."
        return Answer("warn", says, found)
    return Answer("pass", f"Turnover is within {_WITHIN} % of what the application declares.", found)


def profit(subject: Subject) -> Answer:
    """Net profit is what income less costs leaves."""
    read = [each for each in _figures(subject) if _PROFIT.fullmatch(each.label)]
    if not read:
        return unread("Net profit")
    net = next((each for each in read if "after" in each.label.lower()), read[0])
    found, sure = [net.find("profit_cents")], slack(_PARTS, not net.money.full)
    cents = {
        name: each.money.cents
        for name, each in (
            ("sales", _turnover(subject)), ("gross", _first(subject, _GROSS)), ("cost", _first(subject, _COST)),
            ("spent", _first(subject, _SPENT)), ("other", _first(subject, _OTHER)), ("tax", _first(subject, _TAX)),
        ) if each
    }  # fmt: skip
    if "spent" not in cents or not {"sales", "gross"} & cents.keys():
        return Answer("unread", "Net profit is there, but not all that makes it could be read.", found)
    made = _profits(cents)
    if not any(abs(each - net.money.cents) <= sure for each in made):
        return Answer(failing(subject), "Net profit is not what income less costs leaves.", found)
    return Answer("pass", "Net profit is what income less costs leaves.", found)


def _profits(cents: dict[str, int]) -> list[int]:
    """What may stand as net profit: of gross profit or of income, with or without other income, before or after tax."""
    spent, cost, tax, other = (abs(cents.get(name, 0)) for name in ("spent", "cost", "tax", "other"))
    bases = [cents["gross"]] if "gross" in cents else []
    bases += [cents["sales"], cents["sales"] - cost] if "sales" in cents else []
    return [base - spent + more - less for base in bases for more in (0, other) for less in (0, tax)]


def totals(subject: Subject) -> Answer:
    """Every total is the sum of lines above it, gross profit and net assets too."""
    figures = _figures(subject)
    done = cast(each.amount for each in figures)
    compared, broken = done.compared, list(done.broken)
    for whole, more, less in ((_GROSS, _TURNOVER[0], _COST), (_GROSS, _TURNOVER[1], _COST), (_NET, _ASSETS, _DEBTS)):
        parts = [_first(subject, pattern) for pattern in (whole, more, less)]
        made, plus, minus = parts
        if made is None or plus is None or minus is None:
            continue
        compared += 1
        left = plus.money.cents - abs(minus.money.cents)
        if abs(made.money.cents - left) > slack(2, not made.money.full):
            broken.append(made.row)
    if not compared:
        return unread("The totals")
    if broken:
        rows = [row.find("row", row.text) for row in broken]
        return Answer(failing(subject), f"{len(broken)} of {compared} totals are not the sum of their lines.", rows)
    return Answer("pass", f"All totals ({compared}) are the sums of their lines.")


CHECKS: Final = (
    Check("name", "It is the business's.",
          naming.business_name(r"name of (?:entity|company|business)|entity name|prepared for", "name"),
          "NAME_MISMATCH"),
    Check("abn", "The ABN is the application's.", numbers.abn, "ABN_MISMATCH"),
    Check("turnover", "Turnover against what the application declares.", turnover),
    Check("profit", "Net profit is what income less costs leaves.", profit, "TOTALS_DO_NOT_ADD"),
    Check("totals", "Totals are the sums of their lines.", totals, "TOTALS_DO_NOT_ADD"),
    Check("pages", "All pages that the page numbers speak of are there.", statement.pages, "PAGES_MISSING"),
    Check("age", "The year ended not too long ago.",
          dating.dated_at(r"years? ended|year ending|year to|as at", "end of the year", "period_to"), "TOO_OLD"),
)  # fmt: skip
