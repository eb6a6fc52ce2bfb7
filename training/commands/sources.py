"""The options that say where examples come from: a market, a described table, or an export with its performance.

It does: turn options into a Source and load it. It does not: read. The rule it keeps: exactly one source is named.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from training.commands.screen import FILE, JOBS, TABLE, bar, spinner, table

if TYPE_CHECKING:
    from training.audit import Report, Waiver
    from training.data import Dataset
    from training.evaluation.segments import Segments


@dataclass(frozen=True, slots=True)
class Audited:
    """What was found in a described table, and the waivers that its inputs rest on."""

    report: "Report"
    waivers: "tuple[Waiver, ...]"


@dataclass(frozen=True, slots=True)
class Source:
    """Where examples come from."""

    market: Path | None
    described_by: Path | None
    table: Path | None
    export: Path | None
    performance: Path | None
    definitions: Path | None
    jobs: int

    @property
    def named(self) -> bool:
        """Whether any source is named."""
        return any(given is not None for given in (self.market, self.described_by, self.export))

    def load(self) -> "Dataset":
        """The examples; the errors of reading, all of them, where they cannot be read."""
        return self.counted()[0]

    def counted(self) -> "tuple[Dataset, dict[str, int]]":
        """The examples, and how many the source holds that have no outcome to learn from, by the reason."""
        if sum(given is not None for given in (self.market, self.described_by, self.export)) != 1:
            raise click.UsageError("give --market, --described-by, or --export with --performance and --definitions")
        try:
            if self.described_by is not None:
                from training.data import from_table

                return from_table(self.described_by, self.table), {}
            return self._market(self.market) if self.market is not None else self._export()
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from None

    def _market(self, market: Path) -> "tuple[Dataset, dict[str, int]]":
        from training.data import from_market
        from training.market import count_all, count_closed

        try:
            everybody, closed = count_all(market), count_closed(market)
        except sqlite3.Error:
            raise click.ClickException(f"{market} is not a market file") from None
        progress, total = bar("deriving features", closed)
        with progress:
            task = progress.add_task("rows", total=total)
            data = from_market(market, self.jobs, lambda done: progress.advance(task, done))
        return data, {"window not closed": everybody - closed}

    def _export(self) -> "tuple[Dataset, dict[str, int]]":
        from training.data import from_export

        if self.export is None or self.performance is None or self.definitions is None:
            raise click.UsageError("--export needs --performance and --definitions")
        progress, _ = bar("deriving features", None)
        with progress:
            task = progress.add_task("rows", total=None)
            joined = from_export(
                self.export, self.performance, self.definitions, self.jobs, lambda done: progress.advance(task, done)
            )
        table("decisions", [(what, f"{count:,}") for what, count in sorted(joined.counts.items())])
        return joined.data, {why: n for why, n in joined.counts.items() if why not in {"good", "bad"}}

    def segments(self, names: "Sequence[str]", data: "Dataset") -> "Segments":
        """The labels to judge by: a market's own, or the named columns of a table."""
        from training.data import described_table, read_description
        from training.evaluation.segments import of_market, of_table

        try:
            if self.market is not None:
                return of_market(self.market, data)
            if self.described_by is None or not names:
                return {}
            described = read_description(self.described_by)
            return of_table(described_table(self.described_by, described, self.table), described, names, data)
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from None

    def audited(self, waivers: Path | None, look: "Callable[..., Report] | None" = None) -> Audited | None:
        """The audit of a described table, and the waivers its inputs need; None of other sources.

        The whole table is looked at, as it is columns that are no input that show what is too good; by `look`, where
        that is not to be done here.
        """
        if self.described_by is None:
            return None
        from training.audit import audit, read_waivers, require_clean
        from training.data import described_table, read_description

        try:
            described = read_description(self.described_by)
            path = described_table(self.described_by, described, self.table)
            bad = None if described.bad is None else str(described.bad)
            with spinner("looking for leaks"):
                report = (look or audit)(path, described.target, described.time, described.weight, bad)
            signed = read_waivers(waivers) if waivers else []
            return Audited(report, require_clean(described.columns, report, signed))
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from None


def source_options(command: Callable[..., None]) -> Any:
    """The options of a source, handed to the command as `source`."""

    @click.option("--market", type=FILE, help="A market file.")
    @click.option("--described-by", type=FILE, help="Description of a table (TOML).")
    @click.option("--table", type=TABLE, help="The table, where it does not lie beside its description.")
    @click.option("--export", type=FILE, help="Decisions as `creditline export` writes them.")
    @click.option("--performance", type=FILE, help="What became of them (Parquet or CSV).")
    @click.option("--definitions", type=FILE, help="What counts as bad, and within which window (TOML).")
    @click.option("--jobs", type=click.IntRange(1, 64), default=JOBS, show_default=True)
    @wraps(command)
    def with_source(
        market: Path | None, described_by: Path | None, table: Path | None, export: Path | None,
        performance: Path | None, definitions: Path | None, jobs: int, **rest: Any,
    ) -> None:  # fmt: skip
        command(source=Source(market, described_by, table, export, performance, definitions, jobs), **rest)

    return with_source
