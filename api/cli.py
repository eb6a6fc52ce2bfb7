"""The command line of the service: `creditline`.

It does: serve, decide a file, replay the record, manage keys, export, migrate. It does not: train (that is
`creditline-train`). The rule it keeps: heavy imports wait until a command needs them, and errors are one line.
"""

import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from api.disclosure import commands as disclosure
from api.receipts import commands as receipts
from api.rollout import commands as rollout
from api.sandbox import commands as sandbox
from api.settings import Settings

_NO_SUCH_TABLE = "42P01"  # PostgreSQL's code


def _settings() -> Settings:
    from sqlalchemy.exc import ArgumentError

    from api.store.database import parse

    try:
        settings = Settings.from_environment()
        parse(settings.database_url)
    except ArgumentError:
        raise click.ClickException("CREDITLINE_DATABASE_URL is not the URL of a database") from None
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    return settings


class OneLine(click.Group):
    """A group whose foreseeable failures (no database, no release, no file) are one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a failure that is nobody's bug loses its traceback."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if (words := _words_for(error)) is None:
                raise
            raise click.ClickException(words) from None


def _words_for(error: Exception) -> str | None:
    from sqlalchemy.exc import DBAPIError

    from api.braking import BrakeRefused
    from api.sources.market import MarketFileError
    from api.staff.commands import StaffRefused
    from api.store.errors import StoreError
    from models.rejection import ReleaseRejected

    match error:
        case StoreError() | BrakeRefused() | StaffRefused() | MarketFileError() | ReleaseRejected():
            return str(error)
        case DBAPIError():  # its own words hold the statement and its values
            if getattr(error.orig, "sqlstate", None) == _NO_SUCH_TABLE or "no such table" in str(error.orig):
                return "the database is not up to date: run `creditline db upgrade` first"
            return "the database cannot be used"
        case OSError() if error.filename is not None:
            return f"{error.filename}: {error.strerror}"
    return None


@click.group(cls=OneLine, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Credit-line decisions for Australian small businesses."""


@main.command()
@click.option("--development", is_flag=True, help="Synthetic release, made-up sources, a key on the screen.")
@click.option("--host", default=None, help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65_535), default=None, help="[default: 8000]")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="More than 1 needs PostgreSQL.",
)
def serve(development: bool, host: str | None, port: int | None, workers: int) -> None:
    """Run the HTTP service until it is stopped.

    In development the sources are a sandbox on this machine (`creditline sandbox`) unless the environment names others.
    """
    from api.sources.settings import SANDBOX_URL

    overrides = {
        "CREDITLINE_DEVELOPMENT": "1" if development else None,
        "CREDITLINE_HOST": host,
        "CREDITLINE_PORT": None if port is None else str(port),
    }
    os.environ.update({name: value for name, value in overrides.items() if value is not None})
    if development and "CREDITLINE_MARKET" not in os.environ:
        os.environ.setdefault("CREDITLINE_SANDBOX", SANDBOX_URL)
    from api.serving import run

    run(_settings(), workers)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--release", default=None, help="A release's name.  [default: the champion]")
@click.option(
    "--market",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Market file for the facts that FILE does not hold.",
)
@click.option("--json", "as_json", is_flag=True, help="The whole decision as JSON.")
def decide(file: Path, release: str | None, market: Path | None, as_json: bool) -> None:  # fmt: skip
    """Decide FILE: an application with its facts, or a request body as the API takes it."""
    from api.commands import Unreadable, decide_file, show

    try:
        decision = decide_file(file, release, market)
    except Unreadable as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(decision.canonical().decode())
    else:
        show(decision)


@main.command()
@click.argument("decision_id", required=False)
@click.option("--since", type=int, default=None, help="Replay every decision after this audit number (0: all).")
@click.option(
    "--engines",
    type=click.Path(path_type=Path),
    default=Path("var/engines"),
    show_default=True,
    help="Where past engines are.",
)
def replay(decision_id: str | None, since: int | None, engines: Path) -> None:
    """Decide again from the record and compare every byte; exit 1 on a difference."""
    from api.commands import replay_many

    if (decision_id is None) == (since is None):
        raise click.UsageError("give a decision's id, or --since")
    if not replay_many(_settings().database_url, decision_id, since, engines):
        sys.exit(1)


@main.group()
def key() -> None:
    """Bearer keys of JSON callers."""


@key.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(("apply", "supply", "audit", "operate")),
    default=("apply",),
    show_default=True,
)
def key_add(name: str, scopes: tuple[str, ...]) -> None:  # fmt: skip
    """Make a key for NAME; it is shown once and never again."""
    from api.commands import add_key

    click.echo(add_key(_settings().database_url, name, scopes))


@key.command("list")
def key_list() -> None:
    """List keys by their first characters."""
    from api.commands import keys

    for held in keys(_settings().database_url):
        state = "revoked" if held.revoked_at else "live"
        click.echo(f"{held.id}  {held.prefix}...  {' '.join(sorted(held.scopes))}  {state}  {held.name}")


@key.command("revoke")
@click.argument("key_id")
def key_revoke(key_id: str) -> None:
    """Revoke a key for good."""
    from api.commands import revoke

    if not revoke(_settings().database_url, key_id):
        raise click.ClickException("there is no live key with that id")


@main.group()
def brake() -> None:
    """The lender's brakes: refer everything, so many dollars a day, a concentration. The next decision obeys."""


@brake.command("pull")
@click.argument("kind", type=click.Choice(("refer-all", "daily-dollars", "concentration")))
@click.option(
    "--segment", default="all", show_default=True, help="division:E, state:NSW, entity:trust; group (concentration)."
)
@click.option("--dollars", type=click.IntRange(0, 1_000_000_000), default=None, help="Approved a day, in Sydney.")
@click.option("--percent", type=click.FloatRange(0, 100), default=None, help="Share of the open book.")
@click.option("--because", default="", help="Why, for whoever looks later.")
def brake_pull(kind: Any, segment: str, dollars: int | None, percent: float | None, because: str) -> None:
    """Pull a brake: it holds from the next decision on, on every worker."""
    from api.braking import pull

    click.echo(pull(_settings().database_url, kind, segment, because, dollars=dollars, percent=percent))


@brake.command("list")
def brake_list() -> None:
    """List the brakes in force, with what is used of each."""
    from api.braking import in_force

    for line in in_force(_settings().database_url):
        click.echo(line)


@brake.command("lift")
@click.argument("number", type=click.IntRange(1))
@click.option("--because", required=True, help="Why, for whoever looks later.")
def brake_lift(number: int, because: str) -> None:
    """Lift a brake by its number."""
    from api.braking import lift

    click.echo(lift(_settings().database_url, number, because))


@main.group()
def staff() -> None:
    """The lender's staff: who may sign in to the console, and with which roles."""


_origin = click.option(
    "--origin",
    envvar="CREDITLINE_ORIGIN",
    default=None,
    help="Where browsers find the console, for the link.  [default: the service's own address]",
)


def _link_origin(origin: str | None, settings: Settings) -> str:
    return origin or f"http://{settings.host}:{settings.port}"


@staff.command("add")
@click.option("--login", required=True)
@click.option("--name", required=True, help="As colleagues know them.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(("verifier", "approver", "compliance", "risk", "admin", "auditor")),
    help="May be given several times; admin and auditor stand alone.",
)
@_origin
def staff_add(login: str, name: str, roles: tuple[str, ...], origin: str | None) -> None:
    """Add a member; prints the link by which they enrol, good once and for 24 hours."""
    from api.staff.commands import add

    settings = _settings()
    click.echo(add(settings.database_url, _link_origin(origin, settings), login, name, roles))


@staff.command("link")
@click.argument("login")
@click.option("--new-factor", is_flag=True, help="Forget password, codes and passkeys: for who lost the second factor.")
@_origin
def staff_link(login: str, new_factor: bool, origin: str | None) -> None:
    """Print a new link for LOGIN to set a password by; the second factor stays unless told otherwise."""
    from api.staff.commands import link

    settings = _settings()
    click.echo(link(settings.database_url, _link_origin(origin, settings), login, new_factor=new_factor))


@staff.command("list")
def staff_list() -> None:
    """List everybody with roles and state."""
    from api.staff.commands import listed

    for line in listed(_settings().database_url):
        click.echo(line)


@staff.command("disable")
@click.argument("login")
def staff_disable(login: str) -> None:
    """Disable LOGIN for good; their sessions end at once."""
    from api.staff.commands import disable

    disable(_settings().database_url, login)
    click.echo(f"{login} is disabled")


@staff.command("code")
@click.argument("login")
def staff_code(login: str) -> None:
    """Print the one-time code of a demo member."""
    from api.staff.commands import demo_code

    settings = replace(_settings(), development=True)  # a demo member's seed is sealed by what development has
    click.echo(demo_code(settings.database_url, settings.sealer(), login, datetime.now(UTC)))


@staff.command("authority")
def staff_authority() -> None:
    """Print who may do what and how people sign in (docs/authority.md), from what is enforced."""
    from api.staff.handbook import page

    click.echo(page(), nl=False)


@main.command()
@click.option("--out", type=click.File("w"), default="-", help="[default: standard output]")
@click.option("--since", type=int, default=0, help="Only decisions after this audit number.")
def export(out: Any, since: int) -> None:
    """Write decisions with the application and facts as known then, one JSON object a line."""
    from api.commands import exported

    for record in exported(_settings().database_url, since):
        out.write(json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n")


@main.command()
def degraded() -> None:
    """Print what is decided when sources fail or are absent (docs/degraded.md), by deciding it."""
    import models
    from api.degraded import page

    settings = _settings()
    click.echo(page(models.champion(settings.release_root(), trust=settings.release_trust())), nl=False)


@main.group()
def outbox() -> None:
    """Notices and other messages that wait to be sent (docs/notices.md)."""


@outbox.command("list")
@click.option("--dead", is_flag=True, help="Only those that were given up after their last attempt.")
def outbox_list(dead: bool) -> None:
    """List messages that were not sent: number, topic, what they are about, attempts."""
    from api.notices.commands import listed

    for line in listed(_settings().database_url, dead=dead):
        click.echo(line)


@outbox.command("retry")
@click.argument("message_ids", type=click.IntRange(1), nargs=-1, metavar="[NUMBER]...")
@click.option("--dead", is_flag=True, help="Every dead message.")
def outbox_retry(message_ids: tuple[int, ...], dead: bool) -> None:
    """Have dead messages sent again, as if they were new."""
    from api.notices.commands import retry

    if bool(message_ids) == dead:
        raise click.UsageError("give the numbers of messages, or --dead")
    click.echo(f"{retry(_settings().database_url, message_ids)} tried again")


@main.group()
def audit() -> None:
    """The audit chain and its signed checkpoints (docs/audit.md)."""


@audit.command("verify")
@click.option(
    "--checkpoints",
    "folders",
    multiple=True,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of checkpoints; several may be given.  [default: CREDITLINE_CHECKPOINTS]",
)
@click.option("--entries-only", is_flag=True, help="Leave out the rows that name an entry.")
def audit_verify(folders: tuple[Path, ...], entries_only: bool) -> None:  # fmt: skip
    """Verify every entry, checkpoint and row; exit 2 names the first entry that does not hold."""
    from api.audit.commands import verified

    settings = _settings()
    click.echo(
        verified(
            settings.database_url, settings.audit, folders, development=settings.development, rows=not entries_only
        )
    )


@audit.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def audit_export(file: Path) -> None:
    """Write FILE for an outside auditor, who verifies it with api/audit/standalone.py."""
    from api.audit.commands import exported

    settings = _settings()
    click.echo(exported(settings.database_url, settings.audit, file, development=settings.development))


@audit.command("checkpoint")
@click.option("--first", is_flag=True, help="Allow a chain that has entries and no checkpoint; verify it before.")
def audit_checkpoint(first: bool) -> None:
    """Write a signed checkpoint of all that has none; the service does so by itself every minute."""
    from api.audit.commands import checkpoint

    settings = _settings()
    click.echo(checkpoint(settings.database_url, settings.audit, development=settings.development, first=first))


@audit.command("key")
def audit_key() -> None:
    """Print the public key that auditors are given."""
    from api.audit.commands import public_key

    settings = _settings()
    click.echo(public_key(settings.audit, development=settings.development))


@main.group()
def db() -> None:
    """The database."""


@db.command("roles")
@click.option("--print", "printed", is_flag=True, help="Print the SQL instead, for whoever may make roles.")
def db_roles(printed: bool) -> None:
    """Make the roles of a PostgreSQL database, and grant each what it needs (docs/audit.md); run after `upgrade`."""
    from api.audit.commands import apply_roles, role_statements

    url = _settings().database_url
    click.echo(role_statements(url) if printed else apply_roles(url))


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest schema."""
    from api.store.migrations import upgrade

    upgrade(_settings().database_url)
    click.echo("the database is up to date")


for room in (receipts, disclosure, rollout, sandbox):
    room.add_commands(main, _settings)


if __name__ == "__main__":
    main()
