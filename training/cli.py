"""The command line of the risk team's desk: `creditline-train`.

It does: read arguments, show progress, print what came out. It does not: compute. The rule it keeps: a
command never overwrites a file unless it is told to.
"""

import os
from functools import partial
from pathlib import Path

import click

from training.commands import backtesting, releasing, scorecard, signing
from training.commands.audit import audit
from training.commands.cluster import ClusterOptions, cluster_options
from training.commands.fitting import fit
from training.commands.judging import compare, evaluate
from training.commands.monitor import monitor
from training.commands.policies import policy
from training.commands.report import report
from training.commands.rollout import rollout
from training.commands.screen import FILE as _FILE
from training.commands.screen import FOLDER as _FOLDER
from training.commands.screen import bar, table


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
    for made in tables(summary):
        console.print(made)
    click.echo(f"{out}  content sha256 {summary.content_sha256}")


main.add_command(audit)
main.add_command(fit)
main.add_command(evaluate)
main.add_command(compare)
main.add_command(policy)
backtesting.register(main)
main.add_command(report)
main.add_command(rollout)
main.add_command(monitor)


@main.command()
@click.option("--market", type=_FILE, required=True)
@click.option("--release", default=None, help="[default: the champion]")
@click.option("--root", type=_FOLDER, default=None)
@click.option("--jobs", type=click.IntRange(1, 64), default=min(os.cpu_count() or 1, 8), show_default=True)
@cluster_options
def outcomes(
    market: Path, release: str | None, root: Path | None, jobs: int, cluster: ClusterOptions | None
) -> None:  # fmt: skip
    """Decide a whole market under a release: outcomes, limits, rules, bad rates."""
    import models
    from training.backtest import decide_market, summary
    from training.market import count_all

    try:
        progress, total = bar("deciding", count_all(market))
        with progress:
            task = progress.add_task("rows", total=total)
            told = partial(progress.advance, task)
            if cluster is None:
                found = decide_market(market, release, root or models.ROOT, jobs, told)
            else:
                with cluster.joined() as there:
                    from training.cluster import decide_market_on

                    found = decide_market_on(there, market, release, root or models.ROOT, told)
    except (models.ReleaseRejected, OSError) as error:
        raise click.ClickException(str(error)) from None
    for title, rows in summary(found):
        table(title, rows)


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
