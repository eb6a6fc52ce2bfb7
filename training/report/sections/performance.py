"""How good the model is: rank, level, by part, over time, in money."""

from itertools import groupby

from engine.values import DIVISIONS
from training.evaluation.curves import Walk
from training.evaluation.judgement import Judgement, Slice
from training.evaluation.profit import Profit
from training.evaluation.stability import Drift
from training.report import figures
from training.report.blocks import Block, Figure, Heading, Prose, Section, Table, table
from training.report.content import Report
from training.report.formats import cents, count, interval, number, percent, percents

_MOST_PARTS, _MOST_DRIFTS = 24, 20
NO_FIGURES = Prose(("Not told: there are no figures of performance. The summary says what would give them.",))


def discrimination(report: Report) -> Section:
    """Does it rank."""
    told = report.judgement
    if told is None:
        return Section("discrimination", "Discrimination", (NO_FIGURES,))
    f = told.figures
    rows = [
        ("AUC", number(f.auc), interval(f.auc_low, f.auc_high), "share of pairs ranked rightly; 0.5 is a coin"),
        ("standard error of the AUC", number(f.auc_error), "", "DeLong"),
        ("Gini", number(f.gini), "", "2 × AUC − 1"),
        ("KS", number(f.ks), interval(f.ks_low, f.ks_high), "largest gap between shares of bads and goods rejected"),
        ("H-measure", number(f.h_measure), "", "0 useless, 1 perfect, with the same costs for every model"),
        ("average precision", number(f.average_precision), interval(f.average_precision_low, f.average_precision_high),
         f"a coin reaches the bad rate, {percent(f.bad_rate)}"),
    ]  # fmt: skip
    blocks: list[Block] = [
        Prose((
            f"Judged on {told.examples}, {told.span[0]} to {told.span[1]}: {count(f.rows)} examples, {count(f.bads)} "
            f"bad. Every rate is weighted; intervals are 95 %, from {f.resamples} bootstrap resamples stratified by "
            f"outcome (seed {told.seed}).",
        )),
        table("Rank", "figure|value|95 % interval|what it is", "tnnt", rows),
    ]  # fmt: skip
    if report.walk is not None:
        at = report.walk.widest
        blocks += [
            Figure(
                "ROC and gains",
                "Two curves of share of bads rejected, against goods and against all applicants rejected. At the "
                f"widest gap {percent(at.bads, 1)} of bads and {percent(at.goods, 1)} of goods are rejected.",
                figures.roc_and_gains, report.walk,
            ),
            Figure(
                "Kolmogorov-Smirnov: what a cut-off rejects",
                "Shares of bads and goods rejected as the cut-off falls. They lie furthest apart at a PD of "
                f"{percent(at.pd)}, where {percent(at.rejected, 1)} of applicants are rejected.",
                figures.separation, report.walk,
            ),
        ]  # fmt: skip
    return Section("discrimination", "Discrimination", tuple(blocks))


def cut_offs(walk: Walk) -> Table:
    """About every twentieth of the walk, and the widest."""
    cuts, wanted = walk.cuts, [i / 20 for i in range(1, 21)]
    shown = {min((abs(cut.rejected - share), i) for i, cut in enumerate(cuts))[1] for share in wanted}
    shown |= {i for i, cut in enumerate(cuts) if cut == walk.widest}
    rows = [cuts[i] for i in sorted(shown)]
    return table(
        "What a cut-off rejects", "reject from a PD of|applicants|goods|bads|gap", "nnnnn",
        [(percent(c.pd), percent(c.rejected, 1), percent(c.goods, 1), percent(c.bads, 1),
            number(c.bads - c.goods, 3)) for c in rows],
        "The marked row is the Kolmogorov-Smirnov point.", [i for i, c in enumerate(rows) if c == walk.widest],
    )  # fmt: skip


def calibration(report: Report) -> Section:
    """Is the height of the PDs right."""
    told = report.judgement
    if told is None:
        return Section("calibration", "Calibration", (NO_FIGURES,))
    f = told.figures
    rows = [
        ("mean PD", percent(f.mean_pd), ""), ("bad rate seen", percent(f.bad_rate), ""),
        ("Brier score", number(f.brier), interval(f.brier_low, f.brier_high)),
        ("Brier score of the bad rate alone", number(f.brier_of_rate), ""),
        ("log loss", number(f.log_loss), interval(f.log_loss_low, f.log_loss_high)),
        ("calibration slope (1 is right)", number(f.calibration_slope), ""),
        ("calibration intercept (0 is right)", number(f.calibration_intercept), ""),
    ]  # fmt: skip
    outside = [i for i, b in enumerate(told.bands) if not b.bad_rate_low <= b.mean_pd <= b.bad_rate_high]
    blocks: tuple[Block, ...] = (
        table("Level", "figure|value|95 % interval", "tnn", rows),
        Figure(
            "Reliability: what was said and what happened",
            f"Bad rate seen against mean PD of {len(told.bands)} bands, with 95 % intervals; in "
            f"{len(told.bands) - len(outside)} of them the line of equality passes through the interval. The table "
            "below holds every point.",
            figures.reliability, told.bands,
        ),
        table(
            "Score bands, safest first", "PD from|PD to|points|examples|bad|share|mean PD|bad rate|95 % interval",
                "nnnnnnnnn",
            [
                (percent(b.pd_from), percent(b.pd_to), f"{number(b.points_from, 0)} to {number(b.points_to, 0)}",
                    count(b.rows),
                 count(b.bads), percent(b.share, 1), percent(b.mean_pd), percent(b.bad_rate),
                     percents(b.bad_rate_low, b.bad_rate_high))
                for b in told.bands
            ],
            "Wilson intervals. Marked: the mean PD lies outside the interval.", outside,
        ),
    )  # fmt: skip
    return Section("calibration", "Calibration", blocks)


def parts(report: Report) -> Section:
    """By grade, vintage and segment."""
    told = report.judgement
    if told is None:
        return Section("parts", "By grade, vintage and segment", (NO_FIGURES,))
    blocks: list[Block] = []
    if report.grades:
        blocks += [Heading("By grade of the policy"), _slices("Grades", report.grades)]
    blocks += [Heading("By vintage"), *_drawn("vintage", told.vintages)]
    for name, group in groupby(told.segments, key=lambda s: s.by):
        blocks += [Heading(f"By {name}"), *_drawn(name, tuple(group))]
    if not told.segments:
        blocks.append(Prose(("No labels to judge by were given, so nothing is told by segment.",)))
    return Section("parts", "By grade, vintage and segment", tuple(blocks))


def _drawn(name: str, slices: tuple[Slice, ...]) -> list[Block]:
    shown = _largest(slices)
    most = f", the {_MOST_PARTS} largest" if len(slices) > _MOST_PARTS else ""
    return [
        Figure(
            f"Level and rank by {name}{most}",
            f"Bad rate seen with its interval beside the mean PD, and AUC with its interval, of {len(shown)} parts. "
            "The table below holds every point.",
            figures.slices_over, shown,
        ),
        _slices(f"By {name}", slices),
    ]  # fmt: skip


def named(by: str, value: str) -> str:
    """A label as a reader knows it: a division of industry by letter and name."""
    return f"{value} {DIVISIONS[value][0]}" if by == "industry" and value in DIVISIONS else value


def _largest(slices: tuple[Slice, ...]) -> tuple[Slice, ...]:
    """The heaviest parts, in the order of all."""
    kept = sorted(slices, key=lambda s: -s.share)[:_MOST_PARTS]
    return tuple(s for s in slices if s in kept)


def _slices(caption: str, slices: tuple[Slice, ...]) -> Table:
    outside = [i for i, s in enumerate(slices) if not s.bad_rate_low <= s.mean_pd <= s.bad_rate_high]
    return table(
        caption, "|examples|bad|share|mean PD|bad rate|95 % interval|AUC|95 % interval", "tnnnnnnnn",
        [
            (named(s.by, s.value), count(s.rows), count(s.bads), percent(s.share, 1), percent(s.mean_pd),
                percent(s.bad_rate),
             percents(s.bad_rate_low, s.bad_rate_high), number(s.auc, 3), interval(s.auc_low, s.auc_high, 3))
            for s in slices
        ],
        "Marked: the mean PD lies outside the interval of what happened." if outside else "", outside,
    )  # fmt: skip


def stability(report: Report) -> Section:
    """Has the population moved."""
    told = report.judgement
    found = _drifts(told) if told else ()
    if not found:
        return Section(
            "stability", "Stability", (Prose(("Not told: there was nothing to compare the judged examples with.",)),)
        )
    shown = found[:_MOST_DRIFTS]
    blocks: tuple[Block, ...] = (
        Prose((
            f"Population stability index (PSI) of score and inputs against {report.baseline}, in bins of the older "
            "examples; missing is a bin. The usual marks are 0.1 (stirred) and 0.25 (moved).",
        )),
        Figure(
            f"PSI, the {len(shown)} most moved" if len(found) > len(shown) else "PSI",
            f"Bars of PSI; {sum(d.reading == 'moved' for d in found)} of {len(found)} moved, "
            f"{sum(d.reading == 'stirred' for d in found)} stirred. The table below holds the figures.",
            figures.drifts, shown,
        ),
        table(
            "PSI of score and inputs", "|PSI|missing then|missing now|reading", "tnnnt",
            [(d.name, number(d.psi, 4), percent(d.missing_before, 1), percent(d.missing_after, 1),
                d.reading) for d in shown],
            "The appendix holds every input." if len(found) > len(shown) else "",
            [i for i, d in enumerate(shown) if d.reading == "moved"],
        ),
    )  # fmt: skip
    return Section("stability", "Stability", blocks)


def _drifts(told: Judgement) -> tuple[Drift, ...]:
    return (*filter(None, (told.score_drift,)), *told.feature_drift)


def earning(report: Report) -> tuple[tuple[str, Profit], ...]:
    """Each model's money, this one's first; none where there are no prices."""
    told = report.judgement
    if told is None or told.profit is None:
        return ()
    rivals = (*told.rivals, *filter(None, (report.change.rival if report.change else None,)))
    return ((report.identity.name, told.profit), *((rival.name, rival.profit) for rival in rivals if rival.profit))


def profit(report: Report) -> Section:
    """What it earns under the price grid."""
    told, named = report.judgement, earning(report)
    if told is None or told.profit is None:
        return Section("profit", "Profit", (NO_FIGURES if told is None else Prose(("No prices were given.",)),))
    rows = [
        (name, percent(p.approval_rate, 1), percent(p.bad_rate_approved), cents(p.expected_cents),
            cents(p.realised_cents),
         cents(p.best_cents), percent(p.best_approval_rate, 1), number(p.roi), number(p.emp),
             percent(p.emp_rejected, 1))
        for name, p in named
    ]  # fmt: skip
    best = max(range(len(named)), key=lambda i: named[i][1].realised_cents)
    blocks: tuple[Block, ...] = (
        Prose((
            f"A year of the reference line of {told.profit.policy} at the price of each grade, before tax and for "
            "each applicant: expected by the PDs, realised by what happened. Best is hindsight: the approval rate "
            "at which the realised profit was largest. EMP is the expected maximum profit of a dollar of exposure "
            "over lending to all, for losses whose mean is the policy's loss given default. It is the money of "
            "lines of one size, not of a book.",
            "Prices follow each model's own PDs, and nobody here walks away from a price: a model that puts more "
            "applicants into dearer grades realises more, whether or not it ranks better. Read the ranks in the "
            "sections on discrimination and challengers first.",
        )),
        Figure(
            "Realised profit by approval rate",
            f"Profit an applicant as more are approved, of {len(named)} models; by the policy's grades "
            f"{named[best][0]} realises most, {cents(named[best][1].realised_cents)}.",
            figures.money, named,
        ),
        table(
            "Profit an applicant",
            "model|approved|bad of those|expected|realised|best|best at|return|EMP|EMP rejects", "tnnnnnnnnn", rows,
        ),
        table(
            f"Prices of {told.profit.policy}: what a reference line leaves in a year",
                "grade|PD up to|good line|bad line", "tnnn",
            [(p.grade, percent(p.pd_most), cents(p.good_cents), cents(p.bad_cents)) for p in report.prices],
        ),
    )  # fmt: skip
    return Section("profit", "Profit", blocks)
