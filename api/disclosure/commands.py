"""The command of the notice: `creditline privacy-notice`.

It does: read the command line. It does not: know what the notice says (notice and page do).
The rule it keeps: without a name it speaks of the release that is live.
"""

from collections.abc import Callable

import click

from api.settings import Settings


def add_commands(group: click.Group, settings_of_now: Callable[[], Settings]) -> None:
    """Add it to the command line."""

    @group.command("privacy-notice")
    @click.option("--release", default=None, help="A release's name.  [default: the champion]")
    def privacy_notice(release: str | None) -> None:
        """Print what a privacy policy says of automated decisions (docs/automated-decisions.md)."""
        import models  # noqa: PLC0415 - heavy, like every command's own work
        from api.disclosure.page import page  # noqa: PLC0415 - the same

        settings = settings_of_now()
        root, trust = settings.release_root(), settings.release_trust()
        held = models.champion(root, trust=trust) if release is None else models.load(release, root, trust=trust)
        click.echo(page(held), nl=False)
