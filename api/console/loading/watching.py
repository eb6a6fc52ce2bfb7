"""The monitor's record as a page shows it: words, tables and points of small drawings.

It does: choose, round and place numbers. It does not: read the file (api.watching does). The rule it keeps: a drawing
is made here, from numbers alone; nothing that the file says becomes markup.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from api.console.views.watching import (
    HEIGHT,
    WIDTH,
    AlarmLine,
    Chart,
    PeriodLine,
    SegmentLine,
    ShiftLine,
    Tone,
    Watched,
    WatchingView,
)
from models.watching import Damaged, Outcomes, Period, Rate, Segment, Shift, Watch

_OLD: Final = timedelta(days=8)
_PERIODS, _SHIFTS = 26, 20
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_HOURS: Final = 48  # beyond them an age is told in days
_EDGE: Final = 6.0  # left free around a drawing, so that dots are whole
_PSI_MARK, _RATIO_MARK, _MOST_RATIO = 0.2, 1.25, 4.0
_TONES: Final[dict[str, Tone]] = {"steady": "calm", "moved": "bad", "too few": "wait"}


def watching_view(held: Watch | Damaged, serving: str, now: datetime) -> WatchingView:
    """The page of a record, or of its absence."""
    if isinstance(held, Damaged):
        return WatchingView(None, held.why)
    newest = held.newest
    shifts = sorted(newest.features, key=lambda each: (each.reading != "moved", -(each.psi - each.noise)))
    of = "training" if held.baseline == "training" else "the first decisions, as the release tells no baselines"
    first = held.reference
    return WatchingView(Watched(
        release=held.release, serving=serving, made_at=held.made_at, age=_age(now - held.made_at),
        late=now - held.made_at > _OLD, source=held.source, start=held.start, end=held.end, decisions=held.decisions,
        against=f"{of} ({held.baseline_rows:,} rows)",
        rates_against="" if first is None else f"the first {first.decisions:,} decisions, up to {first.end}",
        left_out=tuple(sorted(held.left_out.items())), windows=held.windows, series=held.series, newest=newest.name,
        alarms=tuple(AlarmLine(each.sentence, each.standing) for each in held.alarms),
        charts=tuple(_charts(held.periods)), shifts=(_line(newest.score), *map(_line, shifts[:_SHIFTS])),
        segments=tuple(_segment(each) for each in sorted(held.segments, key=_in_order)),
        periods=tuple(_period(each) for each in reversed(held.periods[-_PERIODS:])),
    ))  # fmt: skip


def _age(span: timedelta) -> str:
    hours = int(span.total_seconds()) // 3600
    return "less than an hour" if hours < 1 else f"{hours} h" if hours < _HOURS else f"{hours // 24} days"


def _bps(share: float | None) -> int | None:
    return None if share is None else round(share * 1_000) * 10  # a tenth of a per cent says enough


def _rates(told: Outcomes | None) -> tuple[int | None, int | None, int | None]:
    if told is None:
        return None, None, None
    rates = (told.approved, told.referred, told.overridden)
    approved, referred, overridden = (None if rate is None else _bps(rate.share) for rate in rates)
    return approved, referred, overridden


def _line(shift: Shift) -> ShiftLine:
    missing, unseen = _bps(shift.missing) or 0, _bps(shift.unseen) or 0
    return ShiftLine(shift.name, shift.psi, shift.noise, missing, unseen, shift.reading)


def _in_order(each: Segment) -> tuple[str, int, str]:
    """By label, those that begin with a number by its size."""
    digits = _NUMBER.match(each.value)
    return each.by, int(digits[0]) if digits else 0, each.value


def _segment(each: Segment) -> SegmentLine:
    approved, referred, overridden = _rates(each.outcomes)
    return SegmentLine(
        each.by, each.value, each.decisions, _bps(each.share) or 0, _bps(each.share_before), approved,
        None if each.approved_before is None else _bps(each.approved_before.share), referred, overridden,
        None if each.score is None else _line(each.score), None if each.calibration is None else each.calibration.ratio,
    )  # fmt: skip


def _period(each: Period) -> PeriodLine:
    told, known = each.outcomes, each.calibration
    return PeriodLine(
        each.name, each.decisions, None if each.score.reading == "too few" else each.score.psi, *_rates(told),
        None if told is None else told.limit_mean_cents, 0 if known is None else known.closed,
        None if known is None else (known.ratio, known.low, known.high),
    )  # fmt: skip


# -- drawings ------------------------------------------------------------------------------------------------


def _charts(periods: Sequence[Period]) -> list[Chart]:
    scores = [each.score for each in periods]
    top = max(0.3, *(min(each.psi, 1.0) for each in scores))
    noise = [(i, 0.0, min(each.noise, top)) for i, each in enumerate(scores)]
    values = [(i, min(each.psi, top), _TONES[each.reading]) for i, each in enumerate(scores)]
    found = [_chart("PSI of the score", f"{scores[-1].psi:.2f}", periods, values, top, f"{top:.2f}", noise, _PSI_MARK)]
    told = [(i, each.outcomes) for i, each in enumerate(periods) if each.outcomes]
    for title, name in (("Approved", "approved"), ("Referred", "referred"), ("Overridden by people", "overridden")):
        rates: list[tuple[int, Rate]] = [(i, rate) for i, each in told if (rate := getattr(each, name)) is not None]
        if rates:
            top = min(1.0, 1.15 * max(rate.high for _, rate in rates))
            band = [(i, rate.low, min(rate.high, top)) for i, rate in rates]
            shares: list[tuple[int, float, Tone]] = [(i, rate.share, "calm") for i, rate in rates]
            found.append(_chart(title, f"{rates[-1][1].share:.1%}", periods, shares, top, f"{top:.0%}", band))
    limits: list[tuple[int, float, Tone]] = [
        (i, each.limit_mean_cents / 100, "calm") for i, each in told if each.limit_mean_cents is not None
    ]
    if limits:
        top = 1.15 * max(dollars for _, dollars, _ in limits)
        found.append(_chart("Average limit", f"${limits[-1][1]:,.0f}", periods, limits, top, f"${top:,.0f}"))
    known = [(i, each.calibration) for i, each in enumerate(periods) if each.calibration and each.calibration.telling]
    if known:
        top = min(_MOST_RATIO, max(2.0, *(each.high for _, each in known)))
        band = [(i, each.low, min(each.high, top)) for i, each in known]
        ratios: list[tuple[int, float, Tone]] = [
            (i, min(each.ratio, top), "bad" if each.low > _RATIO_MARK else "calm") for i, each in known
        ]
        words = f"{known[-1][1].ratio:.2f}"
        found.append(_chart("Bads over expected", words, periods, ratios, top, f"{top:.1f}", band, _RATIO_MARK))
    return found


def _chart(
    title: str, newest: str, periods: Sequence[Period], values: Sequence[tuple[int, float, Tone]], top: float,
    top_words: str, band: Sequence[tuple[int, float, float]] = (), mark: float | None = None,
) -> Chart:  # fmt: skip
    def x(i: int) -> float:
        return round(_EDGE + i * (WIDTH - 2 * _EDGE) / max(len(periods) - 1, 1), 1)

    def y(value: float) -> float:
        return round(HEIGHT - _EDGE - value / max(top, 1e-9) * (HEIGHT - 2 * _EDGE), 1)

    around = [(x(i), y(high)) for i, _, high in band] + [(x(i), y(low)) for i, low, _ in reversed(band)]
    return Chart(
        title, newest, " ".join(f"{x(i)},{y(value)}" for i, value, _ in values),
        tuple((x(i), y(value), tone) for i, value, tone in values), top_words, periods[0].name, periods[-1].name,
        " ".join(f"{a},{b}" for a, b in around), None if mark is None else y(mark),
        "" if mark is None else f"mark {mark:g}",
    )  # fmt: skip
