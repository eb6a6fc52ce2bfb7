"""The command that makes a draft of an expert scorecard.

It does: read arguments and print what came out. It does not: compute. The rule it keeps: a draft that is there is not
overwritten.
"""

from pathlib import Path

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


def register(main: click.Group) -> None:
    """Put the command into the desk's command line."""
    main.add_command(scorecard)


@click.command()
@click.argument("described", type=_FILE)
@click.option("--out", type=_FOLDER, required=True, help="Folder for the draft.")
def scorecard(described: Path, out: Path) -> None:
    """Make a draft of an expert scorecard (TOML), which `publish` makes a release of like a fitted model."""
    from training.scorecard import write_scorecard_draft

    if out.exists() and any(out.iterdir()):
        raise click.ClickException(f"{out} is not empty")
    try:
        card, level = write_scorecard_draft(out, described)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{card.title}: {len(card.features)} features")
    click.echo(f"neutral business   PD {level.neutral_pd:.2%}")
    click.echo(f"expected portfolio PD {level.portfolio_pd:.2%}")
    if level.bound is not None:
        click.echo(f"low-default bound  PD {level.bound:.2%}{'  (sets the level)' if level.raised else ''}")
    if card.example:
        click.echo("an example: it publishes as synthetic, for development alone")
    click.echo(f"draft in {out}")
