"""`creditline-train backtest` and what prepares it: recorded decisions decided again.

It does: read options, show progress, print, keep the record as JSON. It does not: decide. The rule it keeps: it is said
what was compared with what, and under the terms of which day.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from training.commands import screen
from training.commands.cluster import ClusterOptions, cluster_options

if TYPE_CHECKING:
    from training.backtest import Plan, Tally, Work
    from training.backtest.records import Entry

_MODEL = click.Path(path_type=Path)


def register(main: click.Group) -> None:
    """Put the commands into the desk's command line."""
    for command in (backtest, condense, decide_market, replay_set):
        main.add_command(command)


def book_options(command: Callable[..., None]) -> Any:
    """Options that say which decisions are decided again, and what is kept of it."""
    for option in (
        click.option("--json", "record", type=screen.NEW_FILE, help="Keep the whole record here."),
        click.option("--jobs", type=click.IntRange(1, 64), default=screen.JOBS, show_default=True),
        click.option("--root", type=screen.FOLDER, default=None, help="Where releases are kept.  [default: models/]"),
        click.option("--definitions", type=screen.FILE, help="What counts as bad, and within which window (TOML)."),
        click.option("--performance", type=screen.FILE, help="What became of them (Parquet or CSV)."),
        click.option("--to", "end", type=screen.DAY, help="Last day of the span."),
        click.option("--from", "start", type=screen.DAY, help="First day of the span."),
        click.option("--market", type=screen.FILE, help="A market file (made up)."),
        click.option("--export", type=screen.FILE, help="Decisions as `creditline export` writes them, or condensed."),
    ):
        command = option(command)
    return command


@click.command()
@book_options
@click.option("--release", help="The release to try.  [default: the champion]")
@click.option("--policy", type=screen.FILE, help="A policy (TOML) to try in place of the release's.")
@click.option("--model", type=_MODEL, help="A draft or a release whose model to try in place of the release's.")
@click.option("--against", help="Compare with this release's decisions.  [default: the recorded ones; of a market the "
              "champion's]")  # fmt: skip
@click.option("--terms", default="then", show_default=True, metavar="then|newest|DAY",
              help="The policy's terms of the day of each decision, its newest, or those of a day.")  # fmt: skip
@click.option("--causes/--no-causes", default=True, show_default=True, help="Look for the cause of each change.")
@cluster_options
def backtest(  # noqa: PLR0913, PLR0917 - one parameter an option
    export: Path | None, market: Path | None, start: datetime | None, end: datetime | None,
    performance: Path | None, definitions: Path | None, root: Path | None, jobs: int, record: Path | None,
    release: str | None, policy: Path | None, model: Path | None, against: str | None, terms: str, causes: bool,
    cluster: ClusterOptions | None,
) -> None:  # fmt: skip
    """Decide recorded decisions again under another policy, model or release, and say what moves, why and for whom."""
    import models
    from training.backtest import Plan, Wanted, Work, source_of
    from training.commands.tallies import tell

    where = root or models.ROOT
    with told_errors():
        beside = Wanted(where, against) if against or market is not None else None
        plan = Plan(
            source_of(export, market), Wanted(where, release, policy, model), beside, _terms(terms),
            screen.day(start), screen.day(end), causes,
        )  # fmt: skip
        work = Work(plan)
        tally = ran(work, jobs, performance, definitions, cluster)
    tell(tally, *work.names)
    _no_effect(plan, tally)
    keep(record, tally, work)


def _terms(text: str) -> Any:
    if text in {"then", "newest"}:
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.UsageError("--terms is then, newest or a day such as 2026-12-01") from None


def _no_effect(plan: "Plan", tally: "Tally") -> None:
    """Say it where a new policy begins only after the span, so that nothing could move."""
    if plan.new.policy is not None and plan.terms == "then" and not tally.changed:
        click.echo("nothing moved under the terms of each decision's own day: --terms newest tries what begins later")


def ran(
    work: "Work", jobs: int, performance: Path | None, definitions: Path | None, cluster: ClusterOptions | None = None
) -> "Tally":
    """A back-test indexed here and run here or on a cluster, with progress."""
    from training.backtest import indexed, run

    if (performance is None) != (definitions is None):
        raise ValueError("--performance and --definitions are given together")
    became = _became(performance, definitions) if performance and definitions else None
    with screen.spinner("indexing"):
        span = indexed(work.plan, became, jobs)
    if not span.decisions:
        raise ValueError(f"no decision lies within the span ({dict(span.left_out)})")
    progress, total = screen.bar("deciding", span.decisions)
    with progress:
        task = progress.add_task("decisions", total=total)
        told = partial(progress.advance, task)
        if cluster is None:
            return run(work, span, jobs, told)
        with cluster.joined() as there:
            from training.cluster import run_on

            return run_on(there, work, span, told)


def _became(performance: Path, definitions: Path) -> "Callable[[Sequence[Entry]], Mapping[str, str]]":
    """What became of decisions, by decision id, from a table of days past due."""
    from training.data.performance import read_definitions, statuses

    by = read_definitions(definitions)

    def became(entries: "Sequence[Entry]") -> Mapping[str, str]:
        days = {getattr(entry, by.key): date.fromisoformat(entry.day) for entry in entries}
        known = statuses(days, performance, by)
        return {entry.decision_id: known[key] for entry in entries if (key := getattr(entry, by.key)) in known}

    return became


def keep(record: Path | None, tally: "Tally", work: "Work", **beside: Any) -> None:
    """The whole record as JSON, where it was asked for."""
    from training.commands.tallies import as_record
    from training.whole import write_file

    if record is None:
        return
    plan, (old, new) = work.plan, work.names
    told = {
        "compared": {"old": old, "new": new, "terms": str(plan.terms)},
        "span": {"from": str(plan.start or ""), "to": str(plan.end or "")},
        **as_record(tally), **beside,
    }  # fmt: skip
    told["referrals"].pop("trail")  # of whole applications; what it says is counted
    with told_errors():
        if record.exists():
            raise ValueError(f"{record} exists: give another name")
        write_file(record, json.dumps(told, indent=1, sort_keys=True).encode() + b"\n")
    click.echo(f"record in {record}")


@contextmanager
def told_errors() -> Iterator[None]:
    """What is wrong with a file or a release is one message, not a trace."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _new_file(out: Path, force: bool) -> None:
    if out.exists() and not force:
        raise click.ClickException(f"{out} exists; --force replaces it")


def _writing(command: Callable[..., None]) -> Any:
    """Options of a command that writes a file of decisions."""

    @click.option("--out", type=screen.NEW_FILE, required=True)
    @click.option("--force", is_flag=True, help="Replace the file if it exists.")
    @click.option("--jobs", type=click.IntRange(1, 64), default=screen.JOBS, show_default=True)
    @wraps(command)
    def writing(out: Path, force: bool, jobs: int, **rest: Any) -> None:
        _new_file(out, force)
        with told_errors():
            command(out=out, jobs=jobs, **rest)

    return writing


@click.command()
@click.option("--export", type=screen.FILE, required=True, help="Decisions as `creditline export` writes them.")
@_writing
def condense(export: Path, out: Path, jobs: int) -> None:
    """Keep of each decision its feature row and the sums it rests on: a fifth of the size, decided again faster."""
    from training.backtest.keeping import write_condensed

    progress, _ = screen.bar("condensing", None)
    with progress:
        task = progress.add_task("decisions", total=None)
        count = write_condensed(export, out, jobs, lambda done: progress.advance(task, done))
    click.echo(f"{out}  {count:,} decisions, {out.stat().st_size:,} bytes of {export.stat().st_size:,}")


@click.command("decide-market")
@click.option("--market", type=screen.FILE, required=True, help="A market file (made up).")
@click.option("--release", help="[default: the champion]")
@click.option("--root", type=screen.FOLDER, default=None, help="Where releases are kept.  [default: models/]")
@_writing
def decide_market(market: Path, release: str | None, root: Path | None, out: Path, jobs: int) -> None:
    """Decide a market under a release and keep it as `creditline export` would write it: synthetic decisions."""
    import models
    from training.backtest import Wanted
    from training.backtest.keeping import write_decided

    progress, _ = screen.bar("deciding", None)
    with progress:
        task = progress.add_task("decisions", total=None)
        wanted = Wanted(root or models.ROOT, release)
        count = write_decided(market, wanted, out, jobs, lambda done: progress.advance(task, done))
    click.echo(f"{out}  {count:,} synthetic decisions")


@click.command("replay-set")
@click.option("--export", type=screen.FILE, required=True, help="Decisions as `creditline export` writes them.")
@click.option(
    "--count", type=click.IntRange(20, 100_000), default=1_000, show_default=True, help="Decisions to choose."
)
@_writing
def replay_set(export: Path, count: int, out: Path, jobs: int) -> None:
    """Choose the fixed set of recorded decisions that every release is held to before it is published."""
    from training.backtest.keeping import write_replay_set

    written = write_replay_set(export, out, count, jobs)
    click.echo(f"{out}  {written.decisions:,} decisions")
    click.echo(f"sha256 {written.sha256}")
