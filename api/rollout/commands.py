"""The command `creditline rollout`.

It does: read the command line and the folder's plan. It does not: count (standing does) or change anything (the desk's
commands do). The rule it keeps: nothing heavy is imported before it runs.
"""

from collections.abc import Callable

import click

from api.settings import Settings


def add_commands(group: click.Group, settings_of_now: Callable[[], Settings]) -> None:
    """Add it to the command line."""

    @group.command()
    def rollout() -> None:
        """Say how the challenger stands: stage, counts, and what the stopping rule says."""
        import models  # noqa: PLC0415 - heavy, like every command's own work
        from api.rollout.standing import stand_of, words  # noqa: PLC0415 - the same
        from models import rollout as rollouts  # noqa: PLC0415 - the same

        settings = settings_of_now()
        try:
            found = rollouts.read_rollout(settings.release_root(), settings.release_trust())
        except models.ReleaseRejected as error:
            raise click.ClickException(str(error)) from None
        lines = ["no roll-out"] if found is None else words(stand_of(settings.database_url, found))
        click.echo("\n".join(lines))
