"""The pictures, each drawn from a part of the record.

It does: draw with matplotlib. It does not: compute a figure that the record does not hold. The rule it keeps: an
interval is drawn wherever the record has one.
"""

from collections.abc import Sequence
from typing import Any

from training.evaluation.curves import Walk
from training.evaluation.errors import Band
from training.evaluation.explaining import Dependence, Importance
from training.evaluation.fairness import Fairness
from training.evaluation.judgement import Rival, Slice
from training.evaluation.profit import Profit
from training.evaluation.stability import Drift
from training.evaluation.swaps import Swap
from training.report.drawing import BLUE, DASHES, GREEN, INK, LINES, MARKS, RED, SOFT, as_percent, canvas

_STIRRED, _MOVED = 0.1, 0.25
_SHORT = 30
_ROUND_FROM = 1_000
Named = tuple[tuple[str, Any], ...]


def roc_and_gains(walk: Walk) -> Any:
    """ROC beside gains (CAP)."""
    figure, (roc, gains) = canvas(2, 3.3)
    goods, bads, all_ = ([0.0, *(getattr(cut, name) for cut in walk.cuts)] for name in ("goods", "bads", "rejected"))
    share = _bad_share(walk)
    roc.plot([0, 1], [0, 1], color=SOFT, linewidth=0.9, linestyle=DASHES[2])
    roc.plot(goods, bads, color=BLUE)
    roc.plot([walk.widest.goods], [walk.widest.bads], "o", color=RED, markersize=5)
    roc.annotate("KS", (walk.widest.goods, walk.widest.bads), xytext=(7, -9), textcoords="offset points", color=RED)
    roc.set(title="ROC", xlabel="share of goods rejected", ylabel="share of bads rejected")
    gains.plot([0, 1], [0, 1], color=SOFT, linewidth=0.9, linestyle=DASHES[2])
    gains.plot([0, share, 1], [0, 1, 1], color=GREEN, linewidth=1.1, linestyle=DASHES[1])
    gains.plot(all_, bads, color=BLUE)
    gains.annotate("perfect", (share, 1), xytext=(6, -11), textcoords="offset points", color=GREEN)
    gains.annotate("at random", (0.62, 0.62), xytext=(5, -10), textcoords="offset points", color=SOFT)
    gains.set(
        title="Gains (CAP)", xlabel="share of applicants rejected, riskiest first", ylabel="share of bads rejected"
    )
    for axes in (roc, gains):
        axes.set(xlim=(0, 1), ylim=(0, 1.02), aspect="equal")
        as_percent(axes.xaxis)
        as_percent(axes.yaxis)
    return figure


def _bad_share(walk: Walk) -> float:
    """The weight's share of bads, from the cut at which they lie furthest from the goods."""
    at, gap = walk.widest, walk.widest.bads - walk.widest.goods
    return (at.rejected - at.goods) / gap if gap else 0.0


def separation(walk: Walk) -> Any:
    """Bads and goods rejected as the cut-off falls."""
    figure, (axes,) = canvas(1, 2.6)
    pds = [cut.pd for cut in walk.cuts]
    for name, colour, dash in (("bads", RED, DASHES[0]), ("goods", BLUE, DASHES[1])):
        axes.plot(
            pds, [getattr(cut, name) for cut in walk.cuts], color=colour, linestyle=dash, label=f"{name} rejected"
        )
    at = walk.widest
    told = f"KS {at.bads - at.goods:.3f} at a PD of {100 * at.pd:.1f} %"
    axes.plot([at.pd, at.pd], [at.goods, at.bads], "_-", color=INK, linewidth=1.2, markersize=7, label=told)
    axes.set_xscale("log")
    axes.set(xlabel="cut-off: reject from this PD upwards (logarithmic)", ylabel="share rejected", ylim=(0, 1.02))
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    axes.xaxis.set_minor_formatter("")
    as_percent(axes.yaxis)
    axes.legend(loc="lower left")
    return figure


def reliability(bands: tuple[Band, ...]) -> Any:
    """What was said against what happened, band by band, with intervals."""
    figure, both = canvas(2, 3.3)
    most, least = 1.08 * max(b.bad_rate_high for b in bands), 0.5 * min(b.mean_pd for b in bands)
    most = max(most, 1.08 * max(b.mean_pd for b in bands))
    for axes, start, name in zip(both, (0.0, least), ("PD scale", "the same, logarithmic"), strict=True):
        axes.plot([start, most], [start, most], color=SOFT, linewidth=0.9, linestyle=DASHES[2])
        axes.vlines([b.mean_pd for b in bands], [max(b.bad_rate_low, start) for b in bands],
            [max(b.bad_rate_high, start) for b in bands], color=BLUE, linewidth=1.2)  # fmt: skip
        axes.plot([b.mean_pd for b in bands], [max(b.bad_rate, start) for b in bands], "o", color=BLUE, markersize=4.5)
        axes.set(title=name, xlabel="mean PD of the band", ylabel="bad rate seen, 95 % interval")
    both[0].annotate("as said", (0.86 * most, 0.86 * most), xytext=(2, -13), textcoords="offset points", color=SOFT)
    both[1].set(xscale="log", yscale="log")
    for axes, start in zip(both, (0.0, least), strict=True):
        axes.set(xlim=(start, most), ylim=(start, most))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_formatter("")
            axis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    return figure


def slices_over(slices: tuple[Slice, ...]) -> Any:
    """Bad rate beside PD, and AUC, of each slice in its order."""
    figure, (level, rank) = canvas(2, max(2.5, 0.9 + 0.19 * len(slices)))
    places = list(range(len(slices)))[::-1]
    seen = [s.bad_rate for s in slices]
    level.hlines(places, [s.bad_rate_low for s in slices], [s.bad_rate_high for s in slices], color=BLUE, linewidth=1.3)
    level.plot(seen, places, "o", color=BLUE, markersize=4.5, label="seen, 95 % interval", linestyle="")
    level.plot(
        [s.mean_pd for s in slices],
        places,
        "D",
        color=RED,
        markersize=4,
        label="mean PD",
        fillstyle="none",
        linestyle="",
    )
    level.set(title="Bad rate")
    level.set_xlim(left=0)
    as_percent(level.xaxis)
    known = [(place, s) for place, s in zip(places, slices, strict=True) if s.auc is not None]
    rank.hlines(
        [p for p, _ in known], [s.auc_low for _, s in known], [s.auc_high for _, s in known], color=GREEN, linewidth=1.3
    )
    rank.plot([s.auc for _, s in known], [p for p, _ in known], "s", color=GREEN, markersize=4)
    rank.axvline(0.5, color=SOFT, linewidth=0.9, linestyle=DASHES[2])
    rank.set(title="AUC, 95 % interval", xlim=(min(0.4, *(s.auc_low or 0 for _, s in known), 0.4), 1.0))
    for axes, names in ((level, [short(s.value) for s in slices]), (rank, [])):
        axes.set_yticks(places, names or [""] * len(places))
        axes.set_ylim(-0.7, len(places) - 0.3)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
    figure.legend(*level.get_legend_handles_labels(), loc="outside lower left", ncols=2)
    return figure


def drifts(found: tuple[Drift, ...]) -> Any:
    """PSI of score and inputs, the most moved first, against the usual marks."""
    figure, (axes,) = canvas(1, 0.8 + 0.2 * len(found))
    places = list(range(len(found)))[::-1]
    colours = {"steady": BLUE, "stirred": "#b45309", "moved": RED}
    axes.barh(places, [d.psi for d in found], color=[colours[d.reading] for d in found], height=0.62)
    most = max(1.15 * _MOVED, 1.12 * max(d.psi for d in found))
    for mark, name in ((_STIRRED, "stirred 0.1"), (_MOVED, "moved 0.25")):
        axes.axvline(mark, color=INK, linewidth=0.9, linestyle=DASHES[2])
        axes.annotate(
            name, (mark, 1), xycoords=("data", "axes fraction"), xytext=(3, 2), textcoords="offset points", fontsize=7.5
        )
    for place, each in zip(places, found, strict=True):
        axes.annotate(
            f"{each.psi:.3f}", (each.psi, place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=7.5
        )
    _named(axes, places, [d.name for d in found])
    axes.set(xlim=(0, most), xlabel="population stability index (PSI)")
    return figure


def money(named: tuple[tuple[str, Profit], ...]) -> Any:
    """Realised profit an applicant by approval rate, of each model, with the policy's own place on it."""
    figure, (axes,) = canvas(1, 3.0)
    for i, (name, earned) in enumerate(named):
        rates, dollars = [0.0, *(r for r, _ in earned.curve)], [0.0, *(c / 100 for _, c in earned.curve)]
        axes.plot(
            rates,
            dollars,
            color=LINES[i % 5],
            linestyle=DASHES[i % 5],
            label=short(name),
            linewidth=2.2 if i == 0 else 1.4,
        )
        if earned.approval_rate:
            axes.plot(
                [earned.approval_rate], [earned.realised_cents / 100], MARKS[i % 5], color=LINES[i % 5], markersize=6
            )
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set(
        xlabel="approval rate, safest first (mark: by the policy's grades)",
        ylabel="dollars an applicant",
        xlim=(0, 1.01),
    )
    as_percent(axes.xaxis)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.legend(loc="best")
    return figure


def contests(rivals: tuple[Rival, ...]) -> Any:
    """Difference in AUC to each rival with its interval, and what so many bads could have shown."""
    figure, (axes,) = canvas(1, 0.95 + 0.42 * len(rivals))
    places = list(range(len(rivals)))[::-1]
    for place, rival in zip(places, rivals, strict=True):
        told = rival.contest
        axes.plot(
            [-told.detectable, told.detectable],
            [place, place],
            color="#cfd8e3",
            linewidth=9,
            solid_capstyle="butt",
            zorder=1,
        )
        axes.plot([told.low, told.high], [place, place], color=BLUE, linewidth=1.6, zorder=2)
        axes.plot([told.difference], [place], "o", color=BLUE, markersize=5, zorder=3)
    axes.axvline(0, color=INK, linewidth=0.9)
    _named(axes, places, [rival.name for rival in rivals])
    axes.set(
        xlabel="difference in AUC, 95 % interval: right of 0 the model is better (grey: too small to show)",
        ylim=(-0.6, len(places) - 0.4),
    )
    return figure


def swap_set(told: Swap) -> Any:
    """The four groups of a swap, by weight, with what went bad."""
    figure, (axes,) = canvas(1, 1.9)
    groups = (("both approve", told.both, BLUE), ("swapped in", told.swap_in, GREEN),
        ("swapped out", told.swap_out, RED),
        ("neither", told.neither, SOFT))  # fmt: skip
    for place, (_, group, colour) in zip((3, 2, 1, 0), groups, strict=True):
        axes.barh(place, group.share, color=colour, height=0.62)
        bad = "no outcome known" if group.bad_rate is None else f"{100 * group.bad_rate:.2f} % bad"
        text = f"{100 * group.share:.1f} % of applicants, {bad}" if group.rows else "nobody"
        axes.annotate(text, (group.share, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8)
    _named(axes, [3, 2, 1, 0], [name for name, _, _ in groups])
    axes.set_xlim(0, 1.6 * max(group.share for _, group, _ in groups))
    axes.set_xticks([share / 5 for share in range(6) if share / 5 <= 1.6 * max(group.share for _, group, _ in groups)])
    as_percent(axes.xaxis)
    return figure


def impact(told: Fairness) -> Any:
    """Adverse-impact ratio of each group with its interval, against four fifths."""
    figure, (axes,) = canvas(1, 0.95 + 0.2 * len(told.groups))
    places = list(range(len(told.groups)))[::-1]
    for place, group in zip(places, told.groups, strict=True):
        if group.impact_ratio is None:
            continue
        colour = RED if group.alarm else BLUE
        if group.impact_low is not None and group.impact_high is not None:
            axes.plot([group.impact_low, group.impact_high], [place, place], color=colour, linewidth=1.3)
        axes.plot([group.impact_ratio], [place], "X" if group.alarm else "o", color=colour, markersize=5.5)
    axes.axvline(0.8, color=INK, linewidth=0.9, linestyle=DASHES[2])
    axes.annotate(
        "four fifths",
        (0.8, 1),
        xycoords=("data", "axes fraction"),
        xytext=(3, 2),
        textcoords="offset points",
        fontsize=7.5,
    )
    _named(axes, places, [group.group for group in told.groups])
    axes.set(
        xlabel=f"approval rate over that of the {told.attribute} approved most often, 95 % interval",
        ylim=(-0.7, len(places) - 0.3),
    )
    return figure


def weights_of(found: tuple[Importance, ...]) -> Any:
    """Mean size of exact contributions, in points."""
    figure, (axes,) = canvas(1, 0.7 + 0.2 * len(found))
    places = list(range(len(found)))[::-1]
    axes.barh(places, [each.mean_points for each in found], color=BLUE, height=0.62)
    for place, each in zip(places, found, strict=True):
        axes.annotate(
            f"{each.mean_points:.2f}",
            (each.mean_points, place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
        )
    _named(axes, places, [each.name for each in found])
    axes.set(
        xlabel="mean size of the contribution, score points",
        xlim=(0, 1.1 * max(each.mean_points for each in found) or 1),
    )
    return figure


def answers(found: tuple[Dependence, ...]) -> Any:
    """The mean PD as one input alone moves, beside what those who were there did; a panel an input."""
    rows = -(-len(found) // 2)
    figure, panels = canvas(len(found), 0.35 + 1.95 * rows, rows=rows)
    for axes, told in zip(panels, found, strict=True):
        places = list(range(len(told.steps)))
        seen = [s.bad_rate for s in told.steps]
        axes.vlines(
            places,
            [s.bad_rate_low for s in told.steps],
            [s.bad_rate_high for s in told.steps],
            color=RED,
            linewidth=1.1,
        )
        axes.plot(
            places,
            seen,
            "D",
            color=RED,
            markersize=3.5,
            fillstyle="none",
            label="bad rate of those who were there, 95 % interval",
        )
        joined = [i for i, s in enumerate(told.steps) if s.value is not None]
        axes.plot(
            joined, [told.steps[i].answer for i in joined], "" if told.category else "-", color=BLUE, linewidth=1.3
        )
        axes.plot(
            places,
            [s.answer for s in told.steps],
            "o",
            color=BLUE,
            markersize=4,
            label="mean PD were all there (model)",
        )
        axes.set_xticks(
            places, [value_of(s.value) for s in told.steps], rotation=30, ha="right", rotation_mode="anchor", fontsize=7
        )
        axes.set_title(short(told.name) + (" (codes)" if told.category else ""))
        axes.set_ylim(bottom=0)
        axes.grid(visible=False, axis="x")
        as_percent(axes.yaxis)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def short(name: str) -> str:
    """A name that leaves room for what it names."""
    return name if len(name) <= _SHORT else f"{name[: _SHORT - 1]}…"


def value_of(value: float | None) -> str:
    """An input's value as a tick or a cell shows it."""
    return "missing" if value is None else f"{value:,.3g}" if abs(value) < _ROUND_FROM else f"{value:,.0f}"


def _named(axes: Any, places: Sequence[int], names: Sequence[str]) -> None:
    axes.set_yticks(places, [short(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(-0.6, len(places) - 0.4)
