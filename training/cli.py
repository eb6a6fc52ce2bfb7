"""The command line of the risk team's desk: `creditline-train`.

It does: read arguments, show progress, print what came out. It does not: compute. The rule it keeps: a
command never overwrites a file unless it is told to.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from training.commands import releasing, scorecard, signing

if TYPE_CHECKING:
    from training.dataset import Dataset

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Simulate a market, train, evaluate and publish releases."""


@main.command()
@click.option("--businesses", type=click.IntRange(1, 1_000_000), default=30_000, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=7, show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The market file.")
@click.option("--jobs", type=click.IntRange(1, 64), default=min(os.cpu_count() or 1, 8), show_default=True)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def simulate(businesses: int, seed: int, out: Path, jobs: int, force: bool) -> None:
    """Make a synthetic market of small businesses that apply for a line."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from training.simulate import write_market
    from training.simulate.report import tables

    if out.exists() and not force:
        raise click.ClickException(f"{out} exists; --force replaces it")
    columns = (TextColumn("making businesses"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("simulate", total=businesses)
        summary = write_market(
            out,
            count=businesses,
            seed=seed,
            jobs=jobs,
            force=force,
            progress=lambda made: bar.advance(task, made),
        )
    console = Console()
    for table in tables(summary):
        console.print(table)
    click.echo(f"{out}  content sha256 {summary.content_sha256}")


def _bar(label: str, total: int | None) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True), total


def _table(title: str, rows: list[tuple[str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2))
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _load(market: Path | None, table: Path | None, described_by: Path | None, jobs: int) -> "Dataset":
    """The examples that the options name; one line of error where they cannot be read."""
    from training.dataset import count_closed, from_market, from_table

    if (market is None) == (described_by is None):
        raise click.UsageError("give --market, or --described-by (with --table where the table lies elsewhere)")
    try:
        if described_by is not None:
            return from_table(described_by, table)
        assert market is not None
        progress, total = _bar("deriving features", count_closed(market))
        with progress:
            task = progress.add_task("rows", total=total)
            return from_market(market, jobs, lambda done: progress.advance(task, done))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _data_options(command: Any) -> Any:
    for option in (
        click.option("--jobs", type=click.IntRange(1, 64), default=min(os.cpu_count() or 1, 8), show_default=True),
        click.option("--table", type=_FILE, help="The table, where it does not lie beside its description."),
        click.option("--described-by", type=_FILE, help="Description of a table (TOML)."),
        click.option("--market", type=_FILE, help="A market file."),
    ):
        command = option(command)
    return command


@main.command()
@_data_options
@click.option("--train-from", type=_DAY, help="Leave out older examples.")
@click.option("--train-to", type=_DAY, required=True, help="Last day to learn from.")
@click.option("--validate-to", type=_DAY, required=True, help="Last day for early stopping and calibration.")
@click.option("--test-to", type=_DAY, help="Last day to judge on.  [default: the newest]")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=7, show_default=True)
@click.option("--out", type=_FOLDER, required=True, help="Folder for the draft.")
def fit(  # noqa: PLR0913, PLR0917 - one parameter an option
    market: Path | None, table: Path | None, described_by: Path | None, jobs: int, train_from: datetime | None,
    train_to: datetime, validate_to: datetime, test_to: datetime | None, seed: int, out: Path,
) -> None:  # fmt: skip
    """Fit and calibrate a model, judge it out of time, and keep it as a draft."""
    from training.fitting import MOST_TREES, Split
    from training.fitting import fit as fit_model
    from training.publishing import figures, write_draft

    data = _load(market, table, described_by, jobs)
    split = Split(
        train_from=train_from.date() if train_from else None, train_to=train_to.date(),
        validate_to=validate_to.date(), test_to=test_to.date() if test_to else None,
    )  # fmt: skip
    progress, total = _bar("growing trees", MOST_TREES)
    try:
        with progress:
            task = progress.add_task("trees", total=total)
            fitted = fit_model(data, split, seed, lambda tree: progress.update(task, completed=tree))
        write_draft(out, fitted, data, split)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    _table(f"{data.description}: {fitted.trees} trees", [])
    _table("validation", figures(fitted.validation))
    _table("test, out of time", figures(fitted.test))
    click.echo(f"draft in {out}")


@main.command()
@click.argument("draft", type=_FOLDER)
@_data_options
@click.option("--from", "start", type=_DAY, help="First day to judge on.")
@click.option("--to", "end", type=_DAY, help="Last day to judge on.")
def evaluate(
    draft: Path, market: Path | None, table: Path | None, described_by: Path | None, jobs: int,
    start: datetime | None, end: datetime | None,
) -> None:  # fmt: skip
    """Judge a draft on any examples with the same inputs."""
    import json

    from engine.scoring import Calibration
    from training.evaluation import evaluate as judge
    from training.fitting import pds, raw_scores
    from training.publishing import DRAFT_FILE, figures

    data = _load(market, table, described_by, jobs)
    data = data.between(start.date() if start else None, end.date() if end else None)
    try:
        told = json.loads((draft / DRAFT_FILE).read_bytes())
        if told["features"] != list(data.names):
            raise ValueError("the draft was fitted on other inputs than these examples have")
        raw = raw_scores((draft / "model.txt").read_text(), data.x)
        evaluation = judge(data.y, pds(Calibration.model_validate(told["calibration"]), raw), data.weight)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    _table(data.description, figures(evaluation))


@main.command()
@click.option("--market", type=_FILE, required=True)
@click.option("--release", default=None, help="[default: the champion]")
@click.option("--root", type=_FOLDER, default=None)
@click.option("--jobs", type=click.IntRange(1, 64), default=min(os.cpu_count() or 1, 8), show_default=True)
def outcomes(market: Path, release: str | None, root: Path | None, jobs: int) -> None:
    """Decide a whole market under a release: outcomes, limits, rules, bad rates."""
    import models
    from training.backtest import decide_market, summary
    from training.dataset import count_all

    try:
        progress, total = _bar("deciding", count_all(market))
        with progress:
            task = progress.add_task("rows", total=total)
            found = decide_market(market, release, root or models.ROOT, jobs, lambda done: progress.advance(task, done))
    except (models.ReleaseRejected, OSError) as error:
        raise click.ClickException(str(error)) from None
    for title, rows in summary(found):
        _table(title, rows)


@main.command()
@click.option("--market", type=_FILE, help="A market file.")
@click.option("--export", type=_FILE, help="Decisions as `creditline export` writes them, one a line.")
@click.option("--count", type=click.IntRange(40, 600), default=350, show_default=True, help="Businesses to take.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file of comparables.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def comparables(market: Path | None, export: Path | None, count: int, out: Path, force: bool) -> None:
    """Sample de-identified businesses, by which the service tells what connecting a bank usually gives."""
    from training.comparables import from_export, from_market, write_comparables

    if market is not None and export is None:
        candidates = from_market(market)
    elif export is not None and market is None:
        candidates = from_export(export)
    else:
        raise click.UsageError("give either --market or --export")
    try:
        written = write_comparables(out, candidates, count, force)
    except FileExistsError:
        raise click.ClickException(f"{out} exists; --force replaces it") from None
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    kind = "synthetic" if written.synthetic else "de-identified"
    click.echo(f"{out}  {written.businesses} {kind} businesses in {written.cells} cells, {written.size:,} bytes")
    click.echo(f"sha256 {written.sha256}")


@main.command()
def features() -> None:
    """Print the feature catalogue as the page docs/features.md."""
    from training.catalogue import page

    click.echo(page(), nl=False)


releasing.register(main)
signing.register(main)
scorecard.register(main)

if __name__ == "__main__":
    main()
