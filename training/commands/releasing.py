"""Commands that publish, promote, roll back and list releases.

It does: read arguments and print what came out. It does not: compute. The rule it keeps: a refusal names its stage.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from training.publishing import Published

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])
_ROOT = click.option("--root", type=_FOLDER, default=None, help="Where releases are kept.  [default: models/]")
_TRUST = click.option("--trust", type=_FILE, help="The trust root.  [default: TRUST.json beside CHAMPION]")


def register(main: click.Group) -> None:
    """Put the commands into the desk's command line."""
    for command in (publish, promote, rollback, releases):
        main.add_command(command)


@click.command()
@click.argument("draft", type=_FOLDER)
@click.option("--policy", type=_FILE, required=True, help="The policy (TOML) the release carries.")
@click.option("--name", required=True, help="Name of the release, such as 2026-11-a.")
@click.option("--created-on", type=_DAY, default=None, help="[default: today]")
@click.option("--not-before", type=_DAY, default=None, help="The first day on which it may serve.")
@click.option("--synthetic/--own-data", default=True, show_default=True, help="Whether it learnt from made-up data.")
@click.option("--validation", type=_FILE, help="The independent validation record (TOML): the release is to be signed.")
@click.option("--replay-set", type=_FILE, help="The fixed set of decisions that it is held to, once a champion serves.")
@click.option("--causes", type=_FILE, help="What it is meant to change of them (TOML).")
@_ROOT
def publish(  # noqa: PLR0913, PLR0917 - one parameter an option
    draft: Path, policy: Path, name: str, created_on: datetime | None, not_before: datetime | None, synthetic: bool,
    validation: Path | None, replay_set: Path | None, causes: Path | None, root: Path | None,
) -> None:  # fmt: skip
    """Publish a draft, or a release's model again, under a policy as a release.

    Where a champion serves, the replay set is decided under both first; a change that --causes does not declare stops
    it.
    """
    import models
    from training.backtest.claims import read_claims
    from training.backtest.replay import Gate
    from training.publishing import publish_draft

    day, first = (created_on or datetime.now(UTC)).date(), not_before.date() if not_before else None
    try:
        claims = read_claims(causes)
        published = publish_draft(
            draft, policy, name, day, root or models.ROOT, synthetic, validation,
            gate=Gate(replay_set, claims) if replay_set else None, not_before=first,
        )  # fmt: skip
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    _tell_replay(published)
    if published.facts.signed:
        click.echo(f"published {name}; it loads once a trainer and an approver have signed it")
    else:
        click.echo(f"published {name}, unsigned: for development alone")
    click.echo(f"`creditline-train promote {name}` makes it the champion" + (f" from {first} on" if first else ""))


def _tell_replay(published: "Published") -> None:
    """What the gate found, or that there was nothing to compare with."""
    replay, found = published.facts.replay, published.found
    if replay is None or found is None or replay.against is None:
        click.echo("a first release: no champion serves, so there is nothing to compare it with")
        return
    click.echo(f"replay set {replay.set_sha256[:12]}: {replay.changed:,} of {replay.decisions:,} decisions differ from "
               f"{replay.against}'s, every one as declared")  # fmt: skip
    for cause in replay.causes:
        note = "" if cause.moved else "  (declared, and nothing moved)"
        click.echo(f"  {cause.kind} {cause.rule or ''}".rstrip() + f": {cause.moved:,} of at most {cause.most:,}{note}")
    if found.unchecked:
        click.echo(f"  {found.unchecked:,} were made by releases that are not here: what the code changed of them is "
                   "not known")  # fmt: skip


@click.command()
@click.argument("name")
@_ROOT
@_TRUST
def promote(name: str, root: Path | None, trust: Path | None) -> None:
    """Make a release the champion."""
    import models

    try:
        trusted = models.read_trust(trust) if trust else None
        release = models.promote(name, root or models.ROOT, trust=trusted)
    except models.ReleaseRejected as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"champion: {release.name} {release.digest[:12]}")


@click.command()
@click.option("--statement", type=_FILE, help="A signed rollback statement, where the release before is a signed one.")
@_ROOT
@_TRUST
def rollback(statement: Path | None, root: Path | None, trust: Path | None) -> None:
    """Make the release before the champion serve again."""
    import models

    try:
        trusted = models.read_trust(trust) if trust else None
        stated = statement.read_bytes() if statement else None
        release = models.rollback(root or models.ROOT, trust=trusted, statement=stated)
    except (models.ReleaseRejected, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"champion: {release.name} {release.digest[:12]}")


@click.command()
@_ROOT
def releases(root: Path | None) -> None:
    """List releases, the champion marked."""
    import models

    where = root or models.ROOT
    line = models.champion_line(where)
    for listed in models.releases(where):
        mark = "champion" if line and line.name == listed.name else ""
        manifest = listed.manifest
        told = "damaged"
        if manifest:
            kind = "synthetic" if manifest.synthetic else "own data"
            told = f"sequence {manifest.sequence}, made {manifest.created_on}, {kind}"
            told += ", to be signed" if manifest.signed else ", unsigned"
        click.echo(f"{listed.name}  {told}  {mark}".rstrip())
