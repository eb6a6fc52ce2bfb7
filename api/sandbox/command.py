"""What `creditline sandbox` does: serve, list the stories, print a story's request body.

It does: turn options into a running sandbox, and foreseeable failures into one line. It does not: parse arguments
(api.cli does).
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from api.sandbox import PREFIXES
from api.sandbox.misbehaviour import switches
from api.sandbox.server import Sandbox, run, sydney_today
from api.sandbox.stories import book, page, submission_of
from api.sources.market import MarketFile


def stories() -> str:
    """The book of stories as a table."""
    return page()


def application(story: str) -> dict[str, Any]:
    """A story's request body, dated today; ClickException where there is no such story."""
    if story not in book():
        raise click.ClickException(f"there is no story of that name; there are: {', '.join(book())}")
    return submission_of(story, sydney_today())


def play(market: Path | None, host: str, port: int, latencies: tuple[str, ...], faults: tuple[str, ...]) -> None:
    """Serve until stopped; ClickException for a switch or an address that is not good. Raises MarketFileError."""
    try:
        switched = switches(latencies, faults)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    with ExitStack() as stack:
        file = None if market is None else stack.enter_context(MarketFile.open(market))
        businesses = "the stories alone" if file is None else f"the stories and {len(file):,} businesses of {market}"
        try:
            run(Sandbox(file, switched), host, port, lambda url: click.echo(_banner(url, businesses)))
        except OSError as error:
            raise click.ClickException(f"cannot listen on {host} port {port}: {error.strerror}") from None


def _banner(url: str, businesses: str) -> str:
    sources = "\n".join(f"    {source:<17} {url}{prefix}" for source, prefix in PREFIXES.items())
    return f"""
  The sandbox plays every source on {url}   (all made up: {businesses})

{sources}

  {url}/ lists stories and switches; stop it with Ctrl-C.
"""
