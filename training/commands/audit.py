"""`creditline-train audit`: what in a table betrays the outcome, before anything is fitted.

It does: show findings as a table and write them as JSON. It does not: look (training.audit does). The rule it keeps:
with a description it ends with an error where an input betrays and nobody signed.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from training.commands.screen import FILE

if TYPE_CHECKING:
    from rich.table import Table

    from training.audit import Report


@click.command()
@click.argument("table", type=FILE, required=False)
@click.option("--described-by", type=FILE, help="Description of a table (TOML), instead of the names below.")
@click.option("--target", help="The column with the outcome.")
@click.option("--bad", help="The value of the target that means bad, where it is not 0 and 1.")
@click.option("--time", help="The column with the day of the decision.")
@click.option("--weight", help="The column with the weight.")
@click.option("--waivers", type=FILE, help="Who signed for which column (TOML).")
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Write the findings here too.")
@click.option("--force", is_flag=True, help="Replace the JSON file if it exists.")
def audit(  # noqa: PLR0913, PLR0917 - one parameter an option
    table: Path | None, described_by: Path | None, target: str | None, bad: str | None, time: str | None,
    weight: str | None, waivers: Path | None, out: Path | None, force: bool,
) -> None:  # fmt: skip
    """Look for leaks and faults in a table, with nothing but target, time and weight named."""
    from rich.console import Console

    from engine.canonical import canonical_bytes
    from training.audit import audit as look
    from training.audit import read_waivers, require_clean
    from training.commands.screen import spinner
    from training.data import described_table, read_description

    if out is not None and out.exists() and not force:
        raise click.ClickException(f"{out} exists; --force replaces it")
    inputs: tuple[str, ...] = ()
    try:
        if described_by is not None:
            described = read_description(described_by)
            table = described_table(described_by, described, table)
            target, time, weight = described.target, described.time, described.weight
            bad, inputs = None if described.bad is None else str(described.bad), tuple(described.columns)
        if table is None or target is None:
            raise click.UsageError("give a table and --target, or --described-by")
        with spinner("looking for leaks"):
            report = look(table, target, time, weight, bad)
        Console().print(_screen(report, inputs))
        click.echo(_summary(report))
        if out is not None:
            out.write_bytes(canonical_bytes(report.model_dump(mode="json")) + b"\n")
            click.echo(f"findings in {out}")
        require_clean(inputs, report, read_waivers(waivers) if waivers else [])
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _screen(report: "Report", inputs: tuple[str, ...]) -> "Table":
    from rich.table import Table

    from training.audit.findings import MEANINGS

    table = Table(title=f"{report.table}: {len(report.findings)} findings", title_justify="left", show_lines=True)
    for heading in ("column", "found", "in words"):
        table.add_column(heading, overflow="fold")
    for finding in report.findings:
        style = "bold red" if finding.betrays else "dim"
        name = finding.column or "(table)"
        name += " (input)" if finding.column in inputs else ""
        table.add_row(f"[{style}]{name}[/]", MEANINGS[finding.kind], finding.sentence.replace("[", r"\["))
    return table


def _summary(report: "Report") -> str:
    barred, clean = report.betraying, [looked for looked in report.columns if looked.name not in report.betraying]
    best = max(clean, key=lambda looked: looked.auc, default=None)
    spans = ", ".join(
        f"{name} {span.start} to {span.end} ({span.rows:,} rows, {span.bads:,} bad)" if span.start
        else f"{name} {span.rows:,} rows, {span.bads:,} bad, by a fixed shuffle"
        for name, span in (("older", report.older), ("newer", report.newer))
    )  # fmt: skip
    lines = [
        f"{report.rows:,} rows, {report.rows_looked_at:,} looked at; {spans}",
        f"{len(barred)} of {len(report.columns)} columns betray the outcome: {', '.join(barred) or 'none'}",
        f"all clean columns together reach AUC {report.reach:.3f} in the newer span",
    ]
    if best is not None:
        lines[-1] += f", the best alone ({best.name}) {best.auc:.3f}"
    return "\n".join(lines)
