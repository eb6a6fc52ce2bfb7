"""The commands of receipts: `creditline verify-receipt` and `creditline receipt-key`.

It does: read the command line. It does not: check a receipt (checking does). The rule it keeps: exit code 2 is for a
receipt that does not hold and nothing else; what could not be looked at is 1.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from api.settings import Settings


def add_commands(group: click.Group, settings_of_now: Callable[[], Settings]) -> None:
    """Add both to the command line."""

    @group.command("verify-receipt")
    @click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
    @click.option("--key", "keys", multiple=True, metavar="HEX", help="A public key.  [default: the lender's own]")
    @click.option("--database", is_flag=True, help="Compare with the record as well.")
    def verify_receipt(file: Path, keys: tuple[str, ...], database: bool) -> None:
        """Verify the receipt in FILE (docs/receipts.md); exit 2 where it does not hold."""
        from api.receipts.checking import keys_of, verdict  # noqa: PLC0415 - heavy, like every command's own work

        settings = settings_of_now()
        try:
            trusted = keys_of(keys, settings.receipts, development=settings.development)
        except ValueError as error:
            raise click.ClickException(str(error)) from None
        found = verdict(file, trusted, settings.database_url if database else None)
        click.echo("\n".join(found.lines))
        if not found.valid:
            sys.exit(2)

    @group.command("receipt-key")
    def receipt_key() -> None:
        """Print the public key by which anybody verifies a receipt."""
        from api.receipts.checking import key_words  # noqa: PLC0415 - the same

        settings = settings_of_now()
        try:
            click.echo(key_words(settings.receipts, development=settings.development))
        except ValueError as error:
            raise click.ClickException(str(error)) from None
