"""The commands that pretend: `creditline sandbox`, `example` and `applicants`.

It does: read the command line, and turn foreseeable failures into one line. It does not: play a source (server does) or
make a business up (the market's file holds them). The rule it keeps: whoever applies here is made up, in development.
"""

import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.settings import DEVELOPMENT_KEY_FILE, DEVELOPMENT_MARKET, EXAMPLE_BUSINESS, Settings

if TYPE_CHECKING:
    from api.sources.market import MarketFile

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def add_commands(group: click.Group, settings_of_now: Callable[[], Settings]) -> None:
    """Add all three to the command line."""
    group.add_command(example)
    group.add_command(sandbox)
    group.add_command(applicants)


@click.command()
@click.option("--market", type=_FILE, default=DEVELOPMENT_MARKET)
@click.option(
    "--business",
    type=click.IntRange(0),
    default=EXAMPLE_BUSINESS,
    show_default=True,
    help="Which business of the market.",
)
@click.option("--out", type=click.File("w"), default="-", help="[default: standard output]")
def example(market: Path, business: int, out: Any) -> None:
    """Write a request body for a business of the market, with its bank statement (all made up)."""
    from api.commands import example_body

    out.write(json.dumps(example_body(market, business, datetime.now(UTC)), indent=1) + "\n")


@click.command()
@click.option("--market", type=_FILE, default=DEVELOPMENT_MARKET, show_default=True)
@click.option("--first", type=click.IntRange(0), default=0, show_default=True, help="The first business of the market.")
@click.option("--count", type=click.IntRange(1, 100_000), default=300, show_default=True, help="How many apply.")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The service.")
@click.option("--key-file", type=_FILE, default=DEVELOPMENT_KEY_FILE, show_default=True, help="Holds the caller's key.")
def applicants(market: Path, first: int, count: int, url: str, key_file: Path) -> None:
    """Let businesses of the market apply to a running service, one after another (all made up)."""
    from api.sandbox.applying import apply_each

    with click.progressbar(length=count, label="applying") as bar:
        told = apply_each(market, first, count, url, key_file.read_text().strip(), lambda: bar.update(1))
    for what, number in sorted(told.items()):
        click.echo(f"{what}: {number:,}")


@click.command()
@click.option(
    "--market",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help=f"Market file whose businesses are known beside the stories.  [default: {DEVELOPMENT_MARKET} where it exists]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8100, show_default=True)
@click.option("--latency", "latencies", multiple=True, metavar="SOURCE=MS", help="Make a source slow.")
@click.option("--fault", "faults", multiple=True, metavar="SOURCE=FAULT[:SHARE]", help="Break a source.")
@click.option("--list", "listed", is_flag=True, help="Print the stories and stop.")
@click.option("--application", "story", default=None, metavar="STORY", help="Print a story's request body and stop.")
def sandbox(
    market: Path | None, host: str, port: int, latencies: tuple[str, ...], faults: tuple[str, ...], listed: bool,
    story: str | None,
) -> None:  # fmt: skip
    """Play every outside source over HTTP, with made-up businesses (docs/sandbox.md)."""
    if listed:
        from api.sandbox.stories import page

        click.echo(page(), nl=False)
    elif story is not None:
        click.echo(json.dumps(_application(story), indent=1))
    else:
        if market is None and DEVELOPMENT_MARKET.exists():
            market = DEVELOPMENT_MARKET
        _play(market, host, port, latencies, faults)


def _application(story: str) -> dict[str, Any]:
    """A story's request body, dated today; ClickException where there is no such story."""
    from api.sandbox.server import sydney_today
    from api.sandbox.stories import book, submission_of

    if story not in book():
        raise click.ClickException(f"there is no story of that name; there are: {', '.join(book())}")
    return submission_of(story, sydney_today())


def _play(market: Path | None, host: str, port: int, latencies: tuple[str, ...], faults: tuple[str, ...]) -> None:
    """Serve until stopped; ClickException for a switch or an address that is not good. Raises MarketFileError."""
    from api.sandbox.misbehaviour import switches
    from api.sandbox.server import Sandbox, run
    from api.sources.market import MarketFile

    try:
        switched = switches(latencies, faults)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    with ExitStack() as stack:
        file = None if market is None else stack.enter_context(MarketFile.open(market))
        try:
            run(Sandbox(file, switched), host, port, lambda url: click.echo(_banner(url, market, file)))
        except OSError as error:
            raise click.ClickException(f"cannot listen on {host} port {port}: {error.strerror}") from None


def _banner(url: str, market: Path | None, file: "MarketFile | None") -> str:
    from api.sandbox import PREFIXES

    businesses = "the stories alone" if file is None else f"the stories and {len(file):,} businesses of {market}"
    sources = "\n".join(f"    {source:<17} {url}{prefix}" for source, prefix in PREFIXES.items())
    return f"""
  The sandbox plays every source on {url}   (all made up: {businesses})

{sources}

  {url}/ lists stories and switches; stop it with Ctrl-C.
"""
