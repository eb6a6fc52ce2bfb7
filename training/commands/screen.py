"""What the commands share: the options that name examples, and tables and bars on the screen.

It does: read examples by the options, and print. It does not: compute. The rule it keeps: what is wrong with a file
is one line that names it.
"""

import os
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from training.dataset import Dataset
    from training.evaluation.profit import Prices
    from training.evaluation.segments import Segments

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])
JOBS = min(os.cpu_count() or 1, 8)
POLICY = Path(__file__).parents[1] / "policy.toml"


def bar(label: str, total: int | None) -> Any:
    """A progress bar on the error stream, and its total."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True), total


def table(title: str, rows: Sequence[Sequence[str]], head: Sequence[str] = ()) -> None:
    """Rows under a title; without a head, label and figure."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, title_justify="left", show_header=bool(head), box=None, padding=(0, 2))
    for name in head:
        shown.add_column(name, justify="left" if name == head[0] else "right")
    for row in rows:
        shown.add_row(*row)
    Console().print(shown)


def data_options(command: Any) -> Any:
    """The options that name examples: a market, or a described table."""
    for option in (
        click.option("--jobs", type=click.IntRange(1, 64), default=JOBS, show_default=True),
        click.option("--table", type=FILE, help="The table, where it does not lie beside its description."),
        click.option("--described-by", type=FILE, help="Description of a table (TOML)."),
        click.option("--market", type=FILE, help="A market file."),
    ):
        command = option(command)
    return command


def judging_options(command: Any) -> Any:
    """The options of what a model is judged by."""
    for option in (
        click.option("--policy", type=FILE, default=POLICY, help="Prices for profit.  [default: the draft policy]"),
        click.option(
            "--segment", "segments", multiple=True, help="A column of the table to judge by; may be repeated."
        ),
    ):
        command = option(command)
    return command


def load(market: Path | None, table: Path | None, described_by: Path | None, jobs: int) -> "Dataset":
    """The examples that the options name; one line of error where they cannot be read."""
    from training.dataset import count_closed, from_market, from_table

    if (market is None) == (described_by is None):
        raise click.UsageError("give --market, or --described-by (with --table where the table lies elsewhere)")
    try:
        if described_by is not None:
            return from_table(described_by, table)
        assert market is not None
        progress, total = bar("deriving features", count_closed(market))
        with progress:
            task = progress.add_task("rows", total=total)
            return from_market(market, jobs, lambda done: progress.advance(task, done))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None


def segments_of(
    market: Path | None, table: Path | None, described_by: Path | None, names: Sequence[str], data: "Dataset"
) -> "Segments":
    """The labels to judge by: a market's own, or the named columns of a table."""
    import tomllib

    from training.dataset import TableDescription
    from training.evaluation.segments import of_market, of_table

    try:
        if market is not None:
            return of_market(market, data)
        assert described_by is not None
        described = TableDescription.model_validate(tomllib.loads(described_by.read_text()))
        return of_table(table or described_by.parent / described.table, described, names, data) if names else {}
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None


def prices_of(policy: Path) -> "Prices":
    """The newest prices of a policy file."""
    from engine.policy import PolicyBook
    from training.evaluation.profit import Prices

    try:
        return Prices.of(PolicyBook.parse(policy.read_text()).on(date.max))
    except (ValueError, OSError) as error:
        raise click.ClickException(f"{policy}: {error}") from None


def day(moment: datetime | None) -> date | None:
    """The day of an option, None where it was not given."""
    return moment.date() if moment else None
