"""The page Watching: a release that moved in its last months, and one that hostile words try to break. Made up."""

from datetime import date, timedelta
from math import sin
from typing import Final

from api.console.loading.watching import watching_view
from models.watching import (
    Alarm,
    Calibration,
    Damaged,
    Outcomes,
    Period,
    Rate,
    Reading,
    Reference,
    Segment,
    Shift,
    Watch,
)
from tests.support.console_samples.shared import HOSTILE, NOW

_MONTHS: Final = 18
_NAMES: Final = ("bureau_score", "dishonours_90", "revenue_trend", "late_share", "trading_age_months", "lenders_seen")


def _shift(name: str, psi: float, mark: float, noise: float = 0.05) -> Shift:
    reading: Reading = "moved" if psi > mark else "steady"
    return Shift(name=name, psi=psi, noise=noise, missing=0.034, unseen=0.001, reading=reading)


def _rate(share: float, of: int = 640) -> Rate:
    return Rate(share=share, low=max(share - 0.03, 0), high=share + 0.03, of=of)


def _period(i: int) -> Period:
    psi = 0.03 + 0.02 * sin(i) ** 2 + (0.09 * (i - 13) if i > 13 else 0)
    ratio = 1 + 0.2 * sin(i / 2)
    return Period(
        name=f"{2025 + i // 12}-{1 + i % 12:02d}", start=date(2025 + i // 12, 1 + i % 12, 1), decisions=612 + 7 * i,
        score=_shift("score", psi, 0.2),
        features=tuple(_shift(name, psi * (1.4 - 0.2 * place), 0.25) for place, name in enumerate(_NAMES)),
        outcomes=Outcomes(
            approved=_rate(0.52 - (0.02 * (i - 13) if i > 13 else 0)), referred=_rate(0.11 + 0.01 * sin(i)),
            overridden=_rate(0.03), limit_mean_cents=6_150_000 + 40_000 * (i % 5),
        ),
        calibration=None if i > 6 else Calibration(
            closed=300, bads=14, observed=0.046 * ratio, expected=0.046, ratio=ratio, low=ratio * 0.6, high=ratio * 1.5
        ),
    )  # fmt: skip


RECORD: Final = Watch(
    release="synthetic-2026-11", made_at=NOW - timedelta(hours=7), source="decisions of export.jsonl", by="month",
    start=date(2025, 1, 1), end=date(2026, 6, 30), decisions=12_204,
    left_out={"decided by another release": 310, "outcome: too young": 4_100}, baseline="training",
    baseline_rows=29_400, reference=Reference(start=date(2025, 1, 1), end=date(2025, 1, 31), decisions=612),
    windows="bad from 90 days past due within 12 months", series=94, periods=tuple(map(_period, range(_MONTHS))),
    segments=tuple(
        Segment(
            by=by, value=value, decisions=900 + 130 * i, share=0.2 + 0.05 * i, share_before=0.22, outcomes=Outcomes(
                approved=_rate(0.5), referred=_rate(0.1), overridden=_rate(0.02)), approved_before=_rate(0.53),
            score=_shift("score", 0.05 + 0.1 * i, 0.2), calibration=None,
        )
        for by, values in (("region", ("NSW", "QLD", "VIC")), ("size", ("0", "1-4", "5-19")))
        for i, value in enumerate(values)
    ),
    alarms=(
        Alarm(kind="score", name="score", since=date(2026, 3, 1), fired=date(2026, 3, 24), rows=540, moved=0.24,
            mark=0.2, odds=1.4, before=None, now=None, standing=True),
        Alarm(kind="approval", name="as decided", since=date(2026, 5, 1), fired=date(2026, 5, 19), rows=430,
            moved=0.08, mark=0.05, odds=0.3, before=0.524, now=0.443, standing=True),
        Alarm(kind="feature", name="late_share", since=date(2025, 8, 1), fired=date(2025, 8, 20), rows=402, moved=0.27,
            mark=0.25, odds=0.2, before=None, now=None, standing=False),
    ),
)  # fmt: skip
WATCHING: Final = watching_view(RECORD, "synthetic-2026-11", NOW)
WATCHING_NONE: Final = watching_view(
    Damaged(True, "There is no monitor.json yet: `creditline-train monitor --out` writes it."), "synthetic-2026-11", NOW
)
WATCHING_OTHER: Final = watching_view(
    RECORD.model_copy(update={"alarms": (), "segments": (), "periods": RECORD.periods[:1]}),
    "another",
    NOW + timedelta(days=30),
)
WATCHING_HOSTILE: Final = watching_view(
    RECORD.model_copy(update={
        "release": HOSTILE, "windows": HOSTILE, "left_out": {HOSTILE: 1},
        "alarms": tuple(each.model_copy(update={"name": HOSTILE}) for each in RECORD.alarms),
        "segments": tuple(each.model_copy(update={"by": HOSTILE, "value": HOSTILE}) for each in RECORD.segments),
        "periods": tuple(each.model_copy(update={
            "score": each.score.model_copy(update={"name": HOSTILE}),
        }) for each in RECORD.periods),
    }), HOSTILE, NOW,
)  # fmt: skip
