"""`creditline-train evaluate` and `compare`: a draft or a release judged on any examples with the same inputs.

It does: read options, print, keep the record as JSON. It does not: compute. The rule it keeps: two models are compared
on the very same examples.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from training.commands import screen
from training.commands.sources import Source, source_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from training.data import Dataset
    from training.evaluation import Judgement
    from training.evaluation.segments import Segments

_WHEN = (
    click.option("--json", "record", type=screen.NEW_FILE, help="Keep the whole record here."),
    click.option("--to", "end", type=screen.DAY, help="Last day to judge on."),
    click.option("--from", "start", type=screen.DAY, help="First day to judge on."),
)


@click.command()
@click.argument("model", type=screen.FOLDER)
@source_options
@_WHEN[2]
@_WHEN[1]
@screen.judging_options
@_WHEN[0]
def evaluate(
    model: Path, source: Source,
    start: datetime | None, end: datetime | None, segments: tuple[str, ...], policy: Path, record: Path | None,
) -> None:  # fmt: skip
    """Judge a draft or a release on any examples with the same inputs."""
    from training.commands.telling import tell_all
    from training.publishing import figures

    data = source.load()
    labels = source.segments(segments, data)
    told = _judged({"": model}, data, (start, end), labels, policy)
    screen.table(told.examples, figures(told.figures))
    tell_all(told)
    _kept(told, record)


@click.command()
@click.argument("champion", type=screen.FOLDER)
@click.argument("challenger", type=screen.FOLDER)
@source_options
@_WHEN[2]
@_WHEN[1]
@screen.judging_options
@click.option("--approval-rate", type=click.FloatRange(0.01, 1), help="At which to swap.  [default: by the policy]")
@_WHEN[0]
def compare(  # noqa: PLR0913, PLR0917 - one parameter an option
    champion: Path, challenger: Path, source: Source,
    start: datetime | None, end: datetime | None, segments: tuple[str, ...], policy: Path,
    approval_rate: float | None, record: Path | None,
) -> None:  # fmt: skip
    """Judge a challenger in place of a champion: rank, money, and whom it swaps in and out."""
    from training.commands.telling import tell_rivals, tell_swap

    data = source.load()
    labels = source.segments(segments, data)
    told = _judged({"": challenger, "champion": champion}, data, (start, end), labels, policy, approval_rate)
    tell_rivals(told, "keep the champion")
    for rival in told.rivals:
        if rival.swap:
            tell_swap(rival, rival.swap)
    _kept(told, record)


def _judged(
    folders: "Mapping[str, Path]", data: "Dataset", when: tuple[datetime | None, datetime | None],
    labels: "Segments", policy: Path, approval_rate: float | None = None,
) -> "Judgement":  # fmt: skip
    """The model under the empty name, judged beside the others on the examples of a span."""
    from training.data import checked
    from training.evaluation import Beside, judge
    from training.fitting import span
    from training.fitting.stored import stored

    try:
        part = checked(span(data, screen.day(when[0]), screen.day(when[1])))
        scored = {name: stored(folder, data.names).pd_of(part) for name, folder in folders.items()}
        model = folders[""].name
        low = int(data.time.searchsorted(part.time[0], side="left"))
        beside = Beside(
            rivals={name: pd for name, pd in scored.items() if name},
            segments={name: of[low : low + len(part.y)] for name, of in labels.items()},
            prices=screen.prices_of(policy), approval_rate=approval_rate,
        )  # fmt: skip
        return judge(part, scored[""], model, beside)
    except (ValueError, OSError, KeyError) as error:
        raise click.ClickException(str(error)) from None


def _kept(told: "Judgement", record: Path | None) -> None:
    from training.whole import write_file

    if record is None:
        return
    if record.exists():
        raise click.ClickException(f"{record} exists: give another name")
    try:
        write_file(record, told.model_dump_json(indent=1).encode() + b"\n")
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"record in {record}")
