"""A judgement in tables on the screen.

It does: print. It does not: compute or choose. The rule it keeps: a comparison is printed with its power, an estimate
of what is not known with its bounds.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from training.commands.screen import table, whole_dollars

if TYPE_CHECKING:
    from training.evaluation import Judgement, Rival, Slice, Swap


def tell_rivals(judgement: "Judgement", otherwise: str = "prefer the simpler model") -> None:
    """Each rival's figures and the comparison, and plainly whether the model has won."""
    rows = [(judgement.model, judgement.figures), *((rival.name, rival.figures) for rival in judgement.rivals)]
    table(
        "beside it, on the same examples",
        [
            (name, _range(f.auc, f.auc_low, f.auc_high), _number(f.ks), _number(f.brier), _number(f.log_loss),
             _number(f.calibration_slope, 2))
            for name, f in rows
        ],
        ("model", "AUC", "KS", "Brier", "log loss", "slope"),
    )  # fmt: skip
    for sentence in judgement.verdicts:
        click.echo(sentence)
    unbeaten = [rival.name for rival in judgement.rivals if rival.contest.verdict != "better"]
    if unbeaten:
        click.echo(f"{judgement.model} does NOT beat {' and '.join(unbeaten)} on these examples: {otherwise}")


def tell_all(judgement: "Judgement", most: int = 12) -> None:
    """Bands, vintages, segments, drift, profit and fairness."""
    table(
        "score bands, safest first",
        [
            (f"{b.pd_from:.2%} to {b.pd_to:.2%}", f"{b.points_from:.0f} to {b.points_to:.0f}", f"{b.rows:,}",
             f"{b.mean_pd:.2%}", f"{b.bad_rate:.2%}", f"{b.bad_rate_low:.2%} to {b.bad_rate_high:.2%}")
            for b in judgement.bands
        ],
        ("PD", "points", "examples", "said", "happened", "95 %"),
    )  # fmt: skip
    _slices("by vintage", judgement.vintages)
    for name in dict.fromkeys(s.by for s in judgement.segments):
        _slices(f"by {name}", [s for s in judgement.segments if s.by == name][:most])
    drifts = [*filter(None, (judgement.score_drift,)), *judgement.feature_drift[:most]]
    if drifts:
        table("drift since training", [(d.name, f"{d.psi:.3f}", d.reading) for d in drifts], ("column", "PSI", ""))
    if earned := judgement.profit:
        table(
            f"under the prices of {earned.policy}, a year of the reference line, cents an applicant",
            [
                ("approved", f"{earned.approval_rate:.1%}, bad rate {_number(earned.bad_rate_approved)}"),
                ("expected profit", f"{earned.expected_cents:,.0f}"),
                ("realised profit", f"{earned.realised_cents:,.0f}"),
                ("best in hindsight", f"{earned.best_cents:,.0f} at {earned.best_approval_rate:.1%} approved"),
                ("expected maximum profit", f"{earned.emp:.4f} of a dollar, rejecting {earned.emp_rejected:.1%}"),
            ],
        )
    for found in judgement.fairness:
        table(
            f"fairness by {found.attribute}",
            [
                (g.group, f"{g.rows:,}", f"{g.approval_rate:.1%}", _range(g.impact_ratio, g.impact_low, g.impact_high),
                 f"{g.bad_rate:.1%}", _number(g.observed_to_predicted, 2), "below 0.8" if g.alarm else "")
                for g in found.groups[:most]
            ],
            ("group", "examples", "approved", "impact ratio", "bad", "seen / said", ""),
        )  # fmt: skip


def tell_swap(rival: "Rival", swap: "Swap") -> None:
    """Whom the model takes in and leaves out in the rival's place, with the bounds."""
    groups = (("both approve", swap.both), ("swapped in", swap.swap_in), ("swapped out", swap.swap_out),
        ("neither", swap.neither))  # fmt: skip
    table(
        f"in place of {rival.name}, each approving {swap.approval_rate:.1%}",
        [
            (name, f"{g.rows:,}", f"{g.share:.1%}", _number(g.bad_rate), _number(g.champion_pd),
             _number(g.challenger_pd))
            for name, g in groups
        ],
        ("group", "examples", "share", "bad rate", f"PD, {rival.name}", "PD, challenger"),
    )  # fmt: skip
    if b := swap.bounds:
        known = (
            f"bad rate {b.best_bad_rate:.4f}, all outcomes known; profit {whole_dollars(b.best_cents)} a line"
            if not b.unknown_share
            else f"{b.unknown_share:.0%} with an outcome not known: bad rate {b.best_bad_rate:.4f} at best, "
            f"{b.worst_bad_rate:.4f} at worst (by its own PD {b.estimate_bad_rate:.4f}); profit "
            f"{whole_dollars(b.best_cents)} to {whole_dollars(b.worst_cents)} a line"
        )
        multiple = "" if b.break_even_multiple is None else f", {b.break_even_multiple:.2f} times what the PD says"
        click.echo(f"swapped in, {known}; it stops paying at a bad rate of {b.break_even_bad_rate:.4f}{multiple}")


def _slices(title: str, slices: "Iterable[Slice]") -> None:
    table(
        title,
        [
            (s.value, f"{s.rows:,}", f"{s.bads:,}", f"{s.mean_pd:.2%}", f"{s.bad_rate:.2%}",
             _range(s.auc, s.auc_low, s.auc_high, 3))
            for s in slices
        ],
        ("", "examples", "bad", "said", "happened", "AUC"),
    )  # fmt: skip


def _number(figure: float | None, digits: int = 4) -> str:
    return "-" if figure is None else f"{figure:.{digits}f}"


def _range(figure: float | None, low: float | None, high: float | None, digits: int = 4) -> str:
    if low is None or high is None:
        return _number(figure, digits)
    return f"{_number(figure, digits)} ({low:.{digits}f} to {high:.{digits}f})"
