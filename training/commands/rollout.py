"""Commands of a roll-out: try a challenger beside the champion, let it go further, stop it.

It does: read arguments, write the plan and the operator's line, print how it stands in the folder. It does not: know
what the service has counted (`creditline rollout` does), or move a stage. The rule it keeps: shares are written in per
cent.
"""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class _Percent(click.ParamType[int]):
    """A share in per cent with at most two digits after the point, kept in hundredths of a per cent."""

    name = "per cent"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> int:
        """The number, or a message that says what it should be."""
        if isinstance(value, int):
            return value
        try:
            found = Decimal(value.strip().removesuffix("%")) * 100
        except InvalidOperation:
            self.fail(f"{value!r} is no number of per cent", param, context)
        if not found.is_finite() or found != found.to_integral_value():
            self.fail("a share has at most two digits after the point", param, context)
        return int(found)


_PERCENT = _Percent()


_ROOT = click.option("--root", type=_FOLDER, default=None, help="Where releases are kept.  [default: models/]")
_TRUST = click.option("--trust", "trust_file", type=_FILE, help="The trust root.  [default: TRUST.json in the folder]")


def _place(command: Any) -> Any:
    return _ROOT(_TRUST(command))


@click.group()
def rollout() -> None:
    """Try a challenger beside the champion, step by step."""


@rollout.command()
@click.argument("name")
@click.option("--why", required=True, help="One line: why it is tried.")
@click.option("--stages", default="1,5,25,100", show_default=True, help="Shares after shadow, in per cent.")
@click.option("--up-to", type=_PERCENT, default="100", show_default=True, help="The largest share it may come to.")
@click.option("--expected", type=_PERCENT, default="0", show_default=True, help="Change of the approval rate, points.")
@click.option("--margin", type=_PERCENT, default="5", show_default=True, help="How far from that is tolerated, points.")
@click.option("--most-differing", type=_PERCENT, default="15", show_default=True, help="Outcomes that may differ.")
@click.option("--alpha", type=_PERCENT, default="5", show_default=True, help="Chance of a needless stop, all in all.")
@click.option("--least-compared", type=click.IntRange(1), default=500, show_default=True, help="Decisions a stage.")
@click.option("--least-made", type=click.IntRange(1), default=20, show_default=True, help="By the challenger, a stage.")
@_place
def start(  # noqa: PLR0913, PLR0917 - one parameter an option
    name: str, why: str, stages: str, up_to: int, expected: int, margin: int, most_differing: int, alpha: int,
    least_compared: int, least_made: int, root: Path | None, trust_file: Path | None,
) -> None:  # fmt: skip
    """Try a release beside the champion, in shadow at first: it decides, is recorded, and nobody is shown it.

    Where the release is signed, a trainer and an approver sign the plan (`rollout sign`) before anything begins.
    """
    import models
    from models import rollout as rollouts

    where = root or models.ROOT
    try:
        trust = models.read_trust(trust_file) if trust_file else None
        plan = rollouts.new_plan(
            models.champion(root=where, trust=trust), models.load(name, where, trust=trust),
            stages=[_PERCENT.convert(each, None, None) for each in stages.split(",")], up_to=up_to, expected=expected,
            margin=margin, most_differing=most_differing, alpha=alpha, least_compared=least_compared,
            least_made=least_made, why=why, stated_on=datetime.now(UTC).date().isoformat(),
        )  # fmt: skip
        begins = rollouts.start(plan, where, trust=trust)
    except (models.ReleaseRejected, ValueError, OSError) as error:
        raise click.ClickException(_words(error)) from None
    click.echo(f"{plan.id}: {name} is tried against {plan.champion.name}, up to {_share(plan.up_to)}")
    if begins:
        click.echo("in shadow now; `creditline-train rollout advance` allows the first share")
    else:
        click.echo("it begins once a trainer and an approver have signed: `creditline-train rollout sign --key FILE`")


@rollout.command()
@click.option("--key", type=_FILE, required=True, help="Your private key.")
@click.option(
    "--passphrase", envvar="CREDITLINE_KEY_PASSPHRASE", prompt="Passphrase (empty for none)", hide_input=True,
    default="", show_default=False, help="Asked for where neither this nor CREDITLINE_KEY_PASSPHRASE says it.",
)  # fmt: skip
@_place
def sign(key: Path, passphrase: str, root: Path | None, trust_file: Path | None) -> None:
    """Sign the plan as trainer or approver; shadow begins once both have."""
    import models
    from models import rollout as rollouts
    from models.signing import ROLLOUT_TYPE
    from training.signing import read_key
    from training.signing import sign as sign_envelope

    where = root or models.ROOT
    try:
        trust = models.read_trust(trust_file or where / models.TRUST_NAME)
        envelope, _ = rollouts.waiting_plan(where)
        signature = sign_envelope(read_key(key, passphrase), envelope, ROLLOUT_TYPE)
        plan, missing = rollouts.add_rollout_signature(signature, where, trust)
    except (models.ReleaseRejected, ValueError, OSError) as error:
        raise click.ClickException(_words(error)) from None
    click.echo(f"signed; {missing}" if missing else f"signed; {plan.id} is in shadow now")


@rollout.command()
@_place
def status(root: Path | None, trust_file: Path | None) -> None:
    """Say what is tried, how far it is allowed, and what is tolerated."""
    import models
    from models import rollout as rollouts

    where = root or models.ROOT
    try:
        found = rollouts.read_rollout(where, models.read_trust(trust_file) if trust_file else None)
        plan = (
            found.plan if found else rollouts.waiting_plan(where)[1] if (where / rollouts.PLAN_NAME).exists() else None
        )
    except (models.ReleaseRejected, OSError) as error:
        raise click.ClickException(_words(error)) from None
    if plan is None:
        click.echo("no roll-out")
        return
    state = "waits for signatures" if found is None else "stopped" if found.allowed is None else (
        f"allowed up to {_share(found.allowed)}"
    )  # fmt: skip
    click.echo(f"{plan.id}: {plan.challenger.name} against {plan.champion.name}, {state}")
    click.echo(f"why: {plan.why}")
    click.echo(f"stages: {', '.join(map(_share, plan.shares))}; at most {_share(plan.up_to)}")
    click.echo(
        f"stops where the approval rate surely changes by other than {plan.expected / 100:+g} ± {plan.margin / 100:g}"
        f" points, or surely over {plan.most_differing / 100:g} % of outcomes differ (alpha {plan.alpha / 100:g} %)"
    )
    click.echo(f"a stage takes {plan.least_compared} decisions compared, and {plan.least_made} by the challenger")
    if found and found.signers:
        click.echo("signed by " + ", ".join(f"{each.person} ({each.role})" for each in found.signers))
    click.echo("what the service has counted, and the stage it is in: `creditline rollout`")


@rollout.command()
@click.option("--to", type=_PERCENT, default=None, help="Allow every stage up to this share.  [default: the next one]")
@_place
def advance(to: int | None, root: Path | None, trust_file: Path | None) -> None:
    """Allow the next stage; the service enters it once its counts do."""
    import models
    from models import rollout as rollouts

    try:
        trust = models.read_trust(trust_file) if trust_file else None
        found = rollouts.advance(root or models.ROOT, to, trust)
    except (models.ReleaseRejected, OSError) as error:
        raise click.ClickException(_words(error)) from None
    click.echo(f"{found.plan.id}: allowed up to {_share(found.allowed or 0)}")


@rollout.command()
@_ROOT
def stop(root: Path | None) -> None:
    """Take the challenger out: the champion decides everything from the next second on."""
    import models
    from models import rollout as rollouts

    try:
        stopped = rollouts.stop(root or models.ROOT)
    except (models.ReleaseRejected, OSError) as error:
        raise click.ClickException(_words(error)) from None
    click.echo(f"{stopped}: stopped")


def _share(share: int) -> str:
    return "shadow" if share == 0 else f"{share / 100:g} %"


def _words(error: Exception) -> str:
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'plan'}: {each['msg']}" for each in error.errors())
    return str(error)
