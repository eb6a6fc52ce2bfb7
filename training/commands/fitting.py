"""`creditline-train fit`: from examples to a draft, beside its challengers.

It does: read options, run the search and the fit, print, keep the draft. It does not: compute. The rule it keeps: a
draft is replaced only where --force says so, and the place is looked at before hours are spent.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from training.commands import screen
from training.commands.cluster import ClusterOptions, Wanted, cluster_options, fit_there, require_none
from training.commands.sources import Audited, Source, source_options

if TYPE_CHECKING:
    from training.data import Dataset
    from training.fitting import Fitted, Found, Plan, Split, Weighting


@click.command()
@source_options
@click.option("--train-from", type=screen.DAY, help="Leave out older examples.")
@click.option("--train-to", type=screen.DAY, required=True, help="Last day to learn from.")
@click.option("--validate-to", type=screen.DAY, required=True, help="Last day for early stopping and calibration.")
@click.option("--test-to", type=screen.DAY, help="Last day to judge on.  [default: the newest]")
@click.option("--embargo-days", type=click.IntRange(0, 3_660), default=0, show_default=True,
    help="Days left out at the start of validation and of test.")  # fmt: skip
@click.option("--weighting", type=click.Choice(["sample", "balanced"]), default="sample", show_default=True,
    help="Learn by the examples' weights, or with goods and bads weighing alike.")  # fmt: skip
@click.option("--search-seconds", type=click.FloatRange(min=1), help="Search parameters first, for so long in all.")
@click.option("--search-trials", type=click.IntRange(1, 10_000), help="Search for so many trials in all.")
@click.option("--study", type=screen.NEW_FILE, help="The search's file, taken up if it exists.  [default: OUT.study]")
@screen.judging_options
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="LightGBM's threads.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=7, show_default=True)
@click.option("--waivers", type=screen.FILE, help="Who signed for inputs that betray the outcome (TOML).")
@click.option("--out", type=screen.FOLDER, required=True, help="Folder for the draft.")
@click.option("--force", is_flag=True, help="Replace the draft if there is one.")
@cluster_options
@click.option("--sample-rows", type=click.IntRange(100, 10_000_000), default=200_000, show_default=True,
    help="On a cluster: rows of each span, at most, that bins, challengers and figures come from.")  # fmt: skip
def fit(  # noqa: PLR0913, PLR0917 - one parameter an option
    source: Source, train_from: datetime | None, train_to: datetime, validate_to: datetime, test_to: datetime | None,
    embargo_days: int, weighting: "Weighting",
    search_seconds: float | None, search_trials: int | None, study: Path | None, segments: tuple[str, ...],
    policy: Path, threads: int, seed: int, waivers: Path | None, out: Path, force: bool,
    cluster: ClusterOptions | None, sample_rows: int,
) -> None:  # fmt: skip
    """Fit and calibrate a model beside its challengers, judge all out of time, and keep it as a draft."""
    import math

    from training.fitting import Plan, Recipe, Split

    if out.exists() and any(out.iterdir()) and not force:
        raise click.ClickException(f"{out} is not empty; --force replaces it")
    prices = screen.prices_of(policy)
    split = Split(
        train_from=screen.day(train_from), train_to=train_to.date(), validate_to=validate_to.date(),
        test_to=screen.day(test_to), embargo_days=embargo_days,
    )  # fmt: skip
    if cluster is not None:
        require_none([("a search", search_seconds or search_trials), ("--segment", segments)])
        wanted = Wanted(source, split, seed, Recipe(weighting, prices=prices), waivers, out, sample_rows)
        _tell(*fit_there(cluster, wanted), out)
        return
    audited = source.audited(waivers)
    data = source.load()
    labels = source.segments(segments, data)
    changed: dict[str, Any] = {"num_threads": threads}
    if search_seconds or search_trials:
        plan = Plan(
            seed=seed, seconds=search_seconds or math.inf, trials=search_trials or 10_000, weighting=weighting,
            embargo_days=embargo_days, threads=threads,
        )  # fmt: skip
        found = _searched(data, split, plan, study or out.with_name(f"{out.name}.study"))
        changed |= found.changed
    _fitted(data, split, seed, Recipe(weighting, changed, labels, prices), out, audited)


def _searched(data: "Dataset", split: "Split", plan: "Plan", study: Path) -> "Found":
    from training.fitting import search

    progress, _ = screen.bar("searching", None)
    try:
        with progress:
            task = progress.add_task("trials", total=None)
            found = search(split.parts(data)[0], study, plan, lambda n, _: progress.update(task, completed=n))
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    taken_up = f", {found.resumed} of them from runs before" if found.resumed else ""
    click.echo(
        f"search: {found.trials} trials{taken_up}, {found.seconds:.0f} s; AUC over time-ordered folds "
        f"{found.auc_unsearched:.4f} unsearched, {found.auc:.4f} best"
    )
    return found


def _fitted(
    data: "Dataset", split: "Split", seed: int, recipe: Any, out: Path, audited: Audited | None
) -> None:  # fmt: skip
    from training.audit import keep
    from training.fitting import MOST_TREES
    from training.fitting import fit as fit_model
    from training.publishing import write_draft

    progress, total = screen.bar("growing trees", MOST_TREES)
    try:
        with progress:
            task = progress.add_task("trees", total=total)
            fitted = fit_model(data, split, seed, lambda tree: progress.update(task, completed=tree), recipe)
        write_draft(out, fitted, data, split, recipe.prices)
        if audited is not None:
            keep(out, audited.report, audited.waivers)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    _tell(data.description, fitted, out)


def _tell(description: str, fitted: "Fitted", out: Path) -> None:
    from training.commands.telling import tell_rivals
    from training.publishing import figures

    click.echo(f"{description}: {fitted.trees} trees")
    screen.table("validation", figures(fitted.validation))
    screen.table("test, out of time", figures(fitted.test))
    tell_rivals(fitted.judgement)
    curves = fitted.curves
    click.echo(
        f"log loss out of time: line {curves.line:.4f} (used), isotonic {curves.isotonic:.4f}, beta {curves.beta:.4f}"
        + ("; a curve would gain: look at the raw score" if curves.bent else "")
    )
    click.echo(f"draft in {out}")
