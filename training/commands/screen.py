"""What the commands share: kinds of options, prices, and tables and bars on the screen.

It does: draw, and read what an option names. It does not: compute. The rules it keeps: progress goes to the error
stream alone; what is wrong with a file is one line that names it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from training.evaluation.profit import Prices

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
TABLE = click.Path(exists=True, path_type=Path)  # a file, or a folder of Parquet files
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


@contextmanager
def spinner(label: str) -> Iterator[None]:
    """A sign of life while something works whose length nobody knows."""
    from rich.console import Console

    with Console(stderr=True).status(label):
        yield


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


def whole_dollars(cents: float, sign: bool = False) -> str:
    """Cents as whole dollars, -$1,234; with `sign` also +$1,234."""
    dollars = round(cents / 100)
    mark = "-" if dollars < 0 else "+" if sign and dollars > 0 else ""
    return f"{mark}${abs(dollars):,}"
