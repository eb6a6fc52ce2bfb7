"""`creditline-train policy`: the difference between two policies in words, and what one does to the lender's book.

It does: read options and print. It does not: compare or decide. The rule it keeps: words first, numbers on the lender's
own decisions after.
"""

from datetime import datetime
from pathlib import Path

import click

from training.commands import screen
from training.commands.backtesting import book_options, keep, ran, told_errors


@click.group()
def policy() -> None:
    """Policies: differences in words, and their impact."""


@policy.command()
@click.argument("old", type=screen.FILE)
@click.argument("new", type=screen.FILE)
def diff(old: Path, new: Path) -> None:
    """Say in words what NEW changes of OLD, both TOML files: thresholds, grades, prices, caps, rules on and off."""
    from training.backtest.trials import read_policy
    from training.policies import policy_changes

    with told_errors():
        lines = policy_changes(read_policy(old), read_policy(new))
    for line in lines:
        click.echo(line)
    if not lines:
        click.echo("the two policies say the same")


@policy.command()
@click.argument("new", type=screen.FILE)
@book_options
@click.option("--against", help="The release whose policy it would replace.  [default: the champion]")
@click.option("--referral-budget", type=click.IntRange(0), help="Referrals a day that people can take.")
def impact(  # noqa: PLR0913, PLR0917 - one parameter an option
    new: Path, export: Path | None, market: Path | None, start: datetime | None, end: datetime | None,
    performance: Path | None, definitions: Path | None, root: Path | None, jobs: int, record: Path | None,
    against: str | None, referral_budget: int | None,
) -> None:  # fmt: skip
    """Decide the lender's own book under a policy, in its newest terms, beside the one that serves."""
    import models
    from training.backtest import Plan, Wanted, Work, source_of
    from training.commands.tallies import tell, tell_referrals
    from training.policies import policy_changes

    where = root or models.ROOT
    with told_errors():
        base = Wanted(where, against)
        plan = Plan(
            source_of(export, market), Wanted(where, against, new), base, "newest", screen.day(start), screen.day(end)
        )
        work = Work(plan)
        changes = policy_changes(base.opened().policy, work.new.policy)
        for line in changes or ["the two policies say the same"]:
            click.echo(line)
        tally = ran(work, jobs, performance, definitions)
    tell(tally, *work.names)
    tell_referrals(tally.referrals, referral_budget)
    keep(record, tally, work, changes=changes)
