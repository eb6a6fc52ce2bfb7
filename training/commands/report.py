"""`creditline-train report`: a draft or a release as a document for a risk committee.

It does: read options, load the examples, write the HTML file and its record. It does not: compute or lay out. The
rule it keeps: nothing is overwritten unless told, and the places are looked at before anything is computed.
"""

from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from training.commands import screen
from training.commands.sources import Source, source_options

if TYPE_CHECKING:
    from training.report import Examples, Subject


@click.command()
@click.argument("model", type=screen.FOLDER)
@click.option("--against", type=screen.FOLDER, help="The champion: a release, or a draft.")
@source_options
@click.option("--from", "start", type=screen.DAY, help="First day to judge on.  [default: the draft's test span]")
@click.option("--to", "end", type=screen.DAY, help="Last day to judge on.")
@screen.judging_options
@click.option("--trust", type=screen.FILE, help="The trust root.  [default: TRUST.json beside CHAMPION]")
@click.option("--dated", type=screen.DAY, help="The day that the report bears.  [default: none]")
@click.option("--out", type=screen.NEW_FILE, required=True, help="The HTML file.")
@click.option("--json", "record", type=screen.NEW_FILE, help="The same as JSON, unrounded.")
@click.option("--force", is_flag=True, help="Replace the files if they exist.")
def report(  # noqa: PLR0913, PLR0917 - one parameter an option
    model: Path, against: Path | None, source: Source, start: datetime | None, end: datetime | None,
    segments: tuple[str, ...], policy: Path, trust: Path | None, dated: datetime | None, out: Path, record: Path | None,
    force: bool,
) -> None:  # fmt: skip
    """Write a report on a draft or a release: one HTML file that needs no network.

    Examples come from a source, as `evaluate` takes them; without one the report holds what the folder keeps. A
    release brings its own policy; --policy sets the prices of a draft.
    """
    from training.backtest.trials import read_policy
    from training.report import Asked, gather, read_subject, render
    from training.whole import write_file

    for place in (out, record):
        if place is not None and place.exists() and not force:
            raise click.ClickException(f"{place} exists; --force replaces it")
    try:
        subject = read_subject(model, trust)
        champion = None if against is None else read_subject(against, trust)
        examples = _examples(source, segments) if source.named else None
        asked = Asked(
            policy=read_policy(policy), start=screen.day(start), end=screen.day(end),
            dated=dated.date().isoformat() if dated else "",
            options=_options(subject, champion, source, segments, (start, end), policy),
        )  # fmt: skip
        with screen.spinner("judging"):
            told = gather(subject, champion, examples, asked)
        with screen.spinner("drawing"):
            page = render(told)
        write_file(out, page.encode())
        if record is not None:
            write_file(record, told.model_dump_json(indent=1).encode() + b"\n")
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    for statement in told.summary:
        if statement.standing in {"caution", "alarm"}:
            click.echo(f"{'look' if statement.standing == 'caution' else 'stop'}: {statement.says}")
    for absent in told.absent:
        click.echo(f"not told: {absent.part}: {absent.why}")
    click.echo(f"report in {out}" + (f", record in {record}" if record else ""))


def _examples(source: Source, segments: tuple[str, ...]) -> "Examples":
    from training.report import Examples, definitions

    data, left_out = source.counted()
    told = definitions(source.described_by, source.definitions)
    return Examples(data, source.segments(segments, data), left_out, told, _named(source, segments))


def _named(source: Source, segments: tuple[str, ...]) -> str:
    files = (("market", source.market), ("described-by", source.described_by), ("table", source.table),
        ("export", source.export), ("performance", source.performance),
            ("definitions", source.definitions))  # fmt: skip
    return " ".join([
        *(f"--{name} {quote(path.name)}" for name, path in files if path is not None),
            *(f"--segment {quote(name)}" for name in segments),
    ])  # fmt: skip


def _options(
    subject: "Subject", champion: "Subject | None", source: Source, segments: tuple[str, ...],
    when: tuple[datetime | None, datetime | None], policy: Path,
) -> str:  # fmt: skip
    """This very command, without places."""
    name = quote(subject.identity.name)
    days = [f"--{option} {day:%Y-%m-%d}" for option, day in zip(("from", "to"), when, strict=True) if day]
    return " ".join(filter(None, (
        name, f"--against {quote(champion.identity.name)}" if champion else "", _named(source, segments), *days,
        f"--policy {quote(policy.name)}" if policy != screen.POLICY and subject.policy is None else "",
        f"--out {name}.html",
    )))  # fmt: skip
