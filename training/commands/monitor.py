"""`creditline-train monitor`: is a release in service still what it was when it was made.

It does: read options, print what moved, keep the record. It does not: compute. The rules it keeps: it ends with 3 where
an alarm stands, so that whoever runs it at night can mail its words; the folder is replaced whole, as each run tells
all there is.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from training.commands import screen

if TYPE_CHECKING:
    from engine.release import Baselines
    from models.watching import Period, Watch
    from training.monitor import Rows

ALARM = 3
_MOST_LINES = 24
_OURS = {".json", ".svg", ".prom"}


@click.command()
@click.option("--export", type=screen.FILE, help="Decisions as `creditline export` writes them.")
@click.option("--performance", type=screen.FILE, help="What became of them (Parquet or CSV).")
@click.option("--definitions", type=screen.FILE, help="What counts as bad, and within which window (TOML).")
@click.option("--release", help="The release that decided.  [default: the champion]")
@click.option("--root", type=screen.FOLDER, help="Where releases are kept.  [default: models/]")
@click.option("--trust", type=screen.FILE, help="The trust root.  [default: TRUST.json beside CHAMPION]")
@click.option("--described-by", type=screen.FILE, help="Instead of an export: the description of a table (TOML).")
@click.option("--table", type=screen.FILE, help="The table, where it does not lie beside its description.")
@click.option("--draft", type=screen.FOLDER, help="The draft that scores the table.")
@click.option("--segment", "segments", multiple=True, help="A column of the table to look at apart; may be repeated.")
@click.option("--from", "start", type=screen.DAY, help="First day to watch.")
@click.option("--to", "end", type=screen.DAY, help="Last day to watch.")
@click.option("--by", type=click.Choice(["month", "week"]), default="month", show_default=True)
@click.option("--reference-to", type=screen.DAY,
    help="Rates and mixes are held against decisions up to here.  [default: the first 300, whole periods]")  # fmt: skip
@click.option("--out", type=screen.FOLDER, help="Keep monitor.json, metrics.prom and pictures here.")
def monitor(  # noqa: PLR0913, PLR0917 - one parameter an option
    export: Path | None, performance: Path | None, definitions: Path | None, release: str | None, root: Path | None,
    trust: Path | None, described_by: Path | None, table: Path | None, draft: Path | None, segments: tuple[str, ...],
    start: datetime | None, end: datetime | None, by: str, reference_to: datetime | None, out: Path | None,
) -> None:  # fmt: skip
    """Watch a release: has what it decides on moved since training, and is it still right.

    Ends with 0 where nothing stands, 3 where an alarm stands, and 1 or 2 where it could not look.
    """
    from models import ReleaseRejected
    from training.monitor import Plan, watch
    from training.monitor.keeping import write

    if out is not None and out.exists() and any(each.suffix not in _OURS for each in out.iterdir()):
        raise click.ClickException(f"{out} holds other files: give a folder of its own")
    try:
        with screen.spinner("reading"):
            if export is not None and described_by is None:
                name, rows, baselines = _decided(export, (performance, definitions), release, root, trust)
            elif described_by is not None and draft is not None and export is None:
                name, rows, baselines = _scored(described_by, table, draft, segments)
            else:
                raise click.UsageError("give --export, or --described-by with --draft")
        with screen.spinner("watching"):
            plan = Plan(name, datetime.now(UTC), by, screen.day(reference_to))
            told = watch(rows.between(screen.day(start), screen.day(end)), baselines, plan)
        if out is not None:
            write(out, told)
    except (ValueError, OSError, ReleaseRejected) as error:
        raise click.ClickException(str(error)) from None
    _tell(told)
    if out is not None:
        click.echo(f"record and pictures in {out}")
    if told.standing:
        sys.exit(ALARM)


def _decided(
    export: Path, later: tuple[Path | None, Path | None], release: str | None, root: Path | None, trust: Path | None
) -> "tuple[str, Rows, Baselines | None]":
    import models
    from training.data.performance import read_definitions
    from training.monitor import from_decisions

    performance, definitions = later
    if (performance is None) != (definitions is None):
        raise click.UsageError("--performance and --definitions go together")
    trusted, where = models.read_trust(trust) if trust else None, root or models.ROOT
    held = models.load(release, where, trust=trusted) if release else models.champion(where, trust=trusted)
    by = None if definitions is None else read_definitions(definitions)
    return held.name, from_decisions(export, held, performance, by), held.manifest.baselines


def _scored(
    described_by: Path, table: Path | None, draft: Path, segments: tuple[str, ...]
) -> "tuple[str, Rows, Baselines]":

    from training.data import described_table, read_description
    from training.fitting.stored import stored
    from training.folder import told_in
    from training.monitor import from_watched_table, stored_baselines

    described = read_description(described_by)
    model = stored(draft, tuple(described.columns))
    baselines = stored_baselines(told_in(draft))
    if baselines is None:
        raise ValueError(f"{draft} keeps no baselines: fit it again")
    path = described_table(described_by, described, table)
    return draft.name, from_watched_table(path, described, model, baselines, segments), baselines


def _tell(told: "Watch") -> None:
    against = "training" if told.baseline == "training" else "the first decisions: the release tells no baselines"
    click.echo(f"{told.release}: {told.decisions:,} applications, {told.start} to {told.end}")
    click.echo(f"score and features against {against}; {told.series} series tested")
    for what, count in sorted(told.left_out.items()):
        click.echo(f"  left out: {what}, {count:,}")
    head = (told.by, "n", "PSI", "most moved", "approved", "referred", "overridden", "bads/expected")
    lines = [_line(each) for each in told.periods[-_MOST_LINES:]]
    shown = [i for i in range(len(head)) if any(line[i] for line in lines)]
    screen.table("", [[line[i] for i in shown] for line in lines], [head[i] for i in shown])
    for alarm in told.alarms:
        click.echo(("ALARM  " if alarm.standing else "passed ") + alarm.sentence)
    if not told.alarms:
        click.echo("no alarm")


def _line(period: "Period") -> tuple[str, ...]:
    worst = max(period.features, key=lambda each: each.psi - each.noise, default=None)
    o, known = period.outcomes, period.calibration
    rates = (None, None, None) if o is None else (o.approved, o.referred, o.overridden)
    score = "too few" if period.score.reading == "too few" else f"{period.score.psi:.2f}"
    return (
        period.name, f"{period.decisions:,}", score,
        "" if worst is None or worst.reading != "moved" else f"{worst.name} {worst.psi:.2f}",
        *("" if rate is None else f"{rate.share:.0%}" for rate in rates), "" if known is None else f"{known.ratio:.2f}",
    )  # fmt: skip
