"""Boards: a busy one, an empty one."""

from datetime import timedelta
from typing import Final

from api.console.views import AgeBand, BoardView, Choice, Forecast, Notice, Quality, StateCount, Workload
from tests.support.console_samples.shared import MINE, NOW, line

QUEUE: Final = (
    line(2, "Rosella Street Wholesale", 4_250_000, 25.2, escalated=True, order_reason="overdue"),
    line(3, "Wombat Hollow Furniture Co-operative Limited", 9_000_000, 22.6, state="claimed", owner="Tomasz Birch",
         claimable=False, order_reason="due in 1 h 24 min"),
    line(4, "Kookaburra Cycles", 2_600_000, 18.9, order_reason="earliest deadline"),
    line(5, "The Trustee for the Ironbark Unit Trust", 26_500_000, 18.7,
         order_reason="same quarter of an hour as the one before; a document may change more here"),
    line(6, "Paperbark Print & Pack", 6_000_000, 12.1, state="verified", stage="to approve", claimable=False),
    line(7, "Lyrebird Audio", 1_500_000, 9.0, snoozed_until=NOW + timedelta(minutes=45)),
    line(8, "Saltbush Catering", 3_150_000, 6.3, sampled=True, order_reason="control sample, due in 17 h 42 min"),
    line(9, "Mallee Fabrication Pty Ltd", 11_200_000, 2.2, state="approving", owner="Ines Okafor", claimable=False),
    line(10, "Quokka Kids' Clothing", 800_000, 0.4),
)  # fmt: skip
BOARD: Final = BoardView(
    at=NOW,
    counts=(
        StateCount("waiting", 14, 118_500_000),
        StateCount("open", 5, 38_500_000),
        StateCount("claimed", 2, 27_000_000),
        StateCount("verified", 1, 6_000_000),
        StateCount("approving", 1, 11_200_000),
    ),
    ages=(
        AgeBand("under 2 h", 0, 1),
        AgeBand("2 to 12 h", 2, 3),
        AgeBand("12 to 18 h", 12, 2),
        AgeBand("18 to 22 h", 18, 2),
        AgeBand("22 to 24 h", 22, 1),
        AgeBand("over 24 h", 24, 1),
    ),
    mine=(MINE,),
    lines=QUEUE,
    workload=(
        Workload("Maya Lindqvist", 1, 6, NOW + timedelta(hours=8.6), me=True),
        Workload("Tomasz Birch", 1, 4, NOW + timedelta(hours=1.4)),
        Workload("Ines Okafor", 1, 9, NOW + timedelta(hours=21)),
        Workload("Wilhelmina Featherstonehaugh-Nakamura", 0, 2),
    ),
    forecast=Forecast(9_130, "9 cases ahead, 2 people on, 25 minutes a case, as the last 30 days went."),
    quality=Quality(46, 5, 1, 0, 1_087, "Last 30 days; policy draws 10% at random."),
    stages=(Choice("verify", "Next to verify"), Choice("approve", "Next to approve")),
    more=12,
)
EMPTY_BOARD: Final = BoardView(
    at=NOW, counts=(StateCount("waiting", 0, 0), StateCount("open", 0, 0)), ages=(AgeBand("under 2 h", 0, 0),), mine=(),
    lines=(), workload=(), notice=Notice("Nothing is waiting for you.", "warn"),
)  # fmt: skip
