"""Whether the totals of a table are those of the lines above them.

It does: hold each total against the run of amounts that ends right above it, and let the total stand for that run from
there on. It does not: know which lines a total ought to have. The rule it keeps: a total agrees where some run gives
it, so that headings, notes and figures above the table do no harm.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.checks.reading import Row


@dataclass(frozen=True, slots=True)
class Amount:
    """One line's amount; `rounded` where it is written in whole dollars."""

    row: Row
    cents: int
    total: bool
    rounded: bool = False


@dataclass(frozen=True, slots=True)
class Cast:
    """How many totals were compared, and the rows of those that no run above them gives."""

    compared: int
    broken: tuple[Row, ...]


def cast(amounts: Iterable[Amount]) -> Cast:
    """Every total against what stands above it; the first amount of all has nothing above it."""
    above: list[Amount] = []
    compared, broken = 0, []
    for each in amounts:
        if each.total and above:
            compared += 1
            size = _run(above, each)
            if size:
                del above[-size:]
            else:
                broken.append(each.row)
        above.append(each)
    return Cast(compared, tuple(broken))


def _run(above: Sequence[Amount], total: Amount) -> int:
    """How many amounts right above give the total; 0 where none do."""
    summed = 0
    for size, each in enumerate(reversed(above), 1):
        summed += each.cents
        if abs(summed - total.cents) <= slack(size, total.rounded):
            return size
    return 0


def slack(count: int, rounded: bool) -> int:
    """Cents by which a sum of so many amounts may miss: each whole dollar hides half a dollar at most."""
    return count // 2 * 100 if rounded else 0
