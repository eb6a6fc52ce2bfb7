"""The release of a decision that is made again.

It does: find it, once for all who decide again, or who show what would come of it. It does not: decide. The rule it
keeps: a stage that is entered or left moves nobody: what a release in service decided it decides again; whatever was
decided by one that serves no more, the arm of its business decides (and what was promised is kept: see
api.advice.honouring).
"""

from dataclasses import replace

from api.rollout.arms import Chosen
from api.shell import Shell
from api.store import queries as store


async def choosing_again(shell: Shell, decision_id: str) -> Shell:
    """The shell for deciding a decision's application again; raises LookupError where there is none."""
    lineup = shell.releases.lineup
    if lineup.trial is None:
        return replace(shell, chosen=Chosen(lineup.champion, lineup))
    row = await shell.database.read(lambda connection: store.get_decision(connection, decision_id))
    if row is None:
        raise LookupError("a decision to be made again is there")
    release = lineup.of(row.release_digest)
    return shell.choosing(row.abn) if release is None else replace(shell, chosen=Chosen(release, lineup))
