"""The options of a cluster, and `creditline-train fit` on one.

It does: join the cluster that the options name, show progress, keep the draft. It does not: read the table. The rule it
keeps: what a cluster cannot do is said before one is joined.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from training.commands import screen
from training.commands.sources import Source

if TYPE_CHECKING:
    from training.audit import Report
    from training.cluster import Cluster, Made
    from training.fitting import Fitted, Recipe, Split

_REMEDY = 'a cluster needs more packages: pip install "creditline[training,distributed]", here and on every worker'


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Which cluster, and how to speak to it."""

    where: str
    security: Path | None
    timeout_seconds: float

    @contextmanager
    def joined(self) -> "Iterator[Cluster]":
        """The cluster; whatever ends work on it is one line."""
        try:
            from training.cluster import joined
        except ModuleNotFoundError as error:
            raise click.ClickException(f"{_REMEDY} ({error})") from None
        import models

        try:
            with joined(self.where, self.security, self.timeout_seconds) as cluster:
                yield cluster
        except (ValueError, OSError, models.ReleaseRejected) as error:
            raise click.ClickException(str(error)) from None


def cluster_options(command: Callable[..., None]) -> Any:
    """The options of a cluster, handed to the command as `cluster`; None where none is named."""

    @click.option("--cluster", "where", metavar="ADDRESS",
        help="Work on a Dask cluster: tcp://host:port, tls://host:port, or local:N processes here.")  # fmt: skip
    @click.option("--cluster-security", "security", type=screen.FILE, help="TLS files of the cluster (TOML).")
    @click.option("--cluster-timeout", "minutes", type=click.FloatRange(0.1, 10_000), default=30, show_default=True,
        help="Minutes that one step may take.")  # fmt: skip
    @wraps(command)
    def with_cluster(where: str | None, security: Path | None, minutes: float, **rest: Any) -> None:
        if security is not None and where is None:
            raise click.UsageError("--cluster-security needs --cluster")
        command(cluster=ClusterOptions(where, security, minutes * 60) if where else None, **rest)

    return with_cluster


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fit as the command was asked for it."""

    source: Source
    split: "Split"
    seed: int
    recipe: "Recipe"
    waivers: Path | None
    out: Path
    sample_rows: int


def fit_there(options: ClusterOptions, wanted: Wanted) -> "tuple[str, Fitted]":
    """Fit on a cluster and keep the draft; what the examples are, and the fit."""
    if wanted.source.described_by is None:
        raise click.UsageError("a cluster fits a table in Parquet: give --described-by")
    from training.data import described_table, read_description

    with options.joined() as cluster:
        from training.audit import keep
        from training.cluster import Fit
        from training.publishing import keep_draft

        described = read_description(wanted.source.described_by)
        table = described_table(wanted.source.described_by, described, wanted.source.table).resolve()
        click.echo(f"{len(cluster.alive)} workers at {options.where}", err=True)
        audited = wanted.source.audited(wanted.waivers, _audit_on(cluster))
        made = _made(cluster, Fit(described, table, wanted.split, wanted.seed, wanted.recipe, wanted.sample_rows))
        keep_draft(wanted.out, made.fitted, made.golden, wanted.split, made.learnt)
        if audited is not None:
            keep(wanted.out, audited.report, audited.waivers)
    return made.learnt.data.description, made.fitted


def _audit_on(cluster: "Cluster") -> "Callable[..., Report]":
    """The audit of a table, on one worker: it reads a column at a time."""
    from training.audit import audit

    def look(path: Path, *told: Any) -> "Report":
        report: Report = next(cluster.each(audit, [(path.resolve(), *told)]))
        return report

    return look


def _made(cluster: "Cluster", fit: Any) -> "Made":
    from training.cluster import fit_on

    progress, _ = screen.bar("working", None)
    with progress:
        task, before = progress.add_task("work", total=None), ""

        def told(doing: str, done: int, of: int) -> None:
            nonlocal before
            if doing != before:
                progress.console.print(doing)
                before = doing
            progress.update(task, completed=done, total=of)

        return fit_on(cluster, fit, told)


def require_none(given: Sequence[tuple[str, Any]]) -> None:
    """An error where an option was given that works on one machine alone."""
    for name, value in given:
        if value:
            raise click.UsageError(f"{name} works on one machine: leave it out, or leave --cluster out")
