"""Repayments as a picture: a bar a month, what goes to the debt and what to interest, and the debt that is left.

It does: work out places in a box of whole units, for a template to draw as SVG. It does not: draw. The rule it keeps:
the table beside the picture has every figure of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

WIDTH: Final = 600
HEIGHT: Final = 220
_GAP: Final = 0.28  # of a bar's place


@dataclass(frozen=True, slots=True)
class Bar:
    """One month: left and width, the two parts from the bottom, and its number."""

    number: int
    x: float
    width: float
    principal_y: float
    principal: float
    interest_y: float
    interest: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars, the points of the line of what is left, and the highest payment and debt."""

    bars: tuple[Bar, ...]
    left: str
    most_payment_cents: int
    most_left_cents: int
    total_interest_cents: int


def repayments(schedule: Sequence[Mapping[str, Any]]) -> Chart:
    """The picture of a repayment schedule, month by month."""
    most = max(each["payment_cents"] for each in schedule)
    owed = schedule[0]["balance_cents"] + schedule[0]["principal_cents"]
    place = WIDTH / len(schedule)
    bars = []
    points = [f"0,{_up(owed, owed)}"]
    for index, each in enumerate(schedule):
        principal = each["principal_cents"] / most * HEIGHT
        interest = max(each["interest_cents"] / most * HEIGHT, 1.0)
        x, width = round(index * place + place * _GAP / 2, 1), round(place * (1 - _GAP), 1)
        top = HEIGHT - principal
        bars.append(
            Bar(each["number"], x, width, round(top, 1), round(principal, 1), round(top - interest, 1),
                round(interest, 1))
        )  # fmt: skip
        points.append(f"{round((index + 1) * place, 1)},{_up(each['balance_cents'], owed)}")
    return Chart(tuple(bars), " ".join(points), most, owed, sum(each["interest_cents"] for each in schedule))


def _up(cents: int, most: int) -> float:
    return round(HEIGHT - cents / most * HEIGHT, 1)
