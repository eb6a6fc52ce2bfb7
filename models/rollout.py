"""A roll-out: which challenger decides beside the champion, for what share, and how far people let it go.

It does: keep the plan and the operator's line, and load the challenger with every check. It does not: move a stage
(the service does, by models.stopping, never beyond what the line allows) or know what was counted. The rules it keeps:
the plan of a release that is signed carries the signatures of two people, as the release does; a line names its plan
by digest, and each file is replaced by one rename.

ROLLOUT.json is the plan in an envelope of signatures. ROLLOUT has one line: the plan's id and digest, and the share in
hundredths of a per cent that is allowed now, or `stopped`.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from engine.canonical import canonical_bytes
from engine.policy import PolicyBook
from engine.release import Day, Line, Release, ReleaseName, Sha256, Signer
from engine.values import Frozen, problem
from models.approval import check_day, check_sequence, today
from models.folder import locked, replace_file
from models.promotion import champion_line
from models.rejection import ReleaseRejected
from models.signing import MAX_ENVELOPE_BYTES, ROLLOUT_TYPE, Envelope, Signature
from models.stopping import Terms
from models.store import Contract, ReadPolicy, load
from models.trust import TRUST_NAME, TrustRoot, read_trust

LINE_NAME: Final = "ROLLOUT"
PLAN_NAME: Final = "ROLLOUT.json"
WHOLE: Final = 10_000  # hundredths of a per cent
STOPPED: Final = "stopped"
_LINE: Final = re.compile(r"(rol_[0-9a-f]{32}) ([0-9a-f]{64}) (stopped|0|[1-9][0-9]{0,4})\n")
_MOST_BYTES: Final = 256
Share = Annotated[int, Field(ge=0, le=WHOLE)]


class Named(Frozen):
    """A release, named beyond doubt."""

    name: ReleaseName
    digest: Sha256


class Plan(Frozen):
    """What is tried, by what steps, how far it may go at most, and what is tolerated on the way.

    Shares and rates are hundredths of a per cent. `stages` are the shares after shadow, which is the stage before them.
    """

    id: Annotated[str, Field(pattern=r"^rol_[0-9a-f]{32}$")]
    champion: Named
    challenger: Named
    stages: Annotated[
        tuple[Annotated[int, Field(ge=1, le=WHOLE)], ...], Field(min_length=1, max_length=10, strict=False)
    ]
    up_to: Share  # the largest share that whoever signs agrees to; 0: shadow alone
    alpha: Annotated[int, Field(ge=1, le=2_000)]
    expected: Annotated[int, Field(ge=-WHOLE, le=WHOLE)]  # change of the approval rate that the back-test foresees
    margin: Share
    most_differing: Share
    least_compared: Annotated[int, Field(ge=1, le=10_000_000)]
    least_made: Annotated[int, Field(ge=1, le=10_000_000)]
    why: Line
    stated_on: Day

    @model_validator(mode="after")
    def _stages_rise(self) -> Self:
        if list(self.stages) != sorted(set(self.stages)):
            raise problem("stages", "Stages are rising shares")
        if self.up_to not in (0, *self.stages):
            raise problem("up_to", "A roll-out goes up to one of its stages, or to 0, which is shadow alone")
        if self.champion == self.challenger:
            raise problem("challenger", "A release is not tried against itself")
        return self

    def to_bytes(self) -> bytes:
        """The one byte form, which is what is signed."""
        return canonical_bytes(self.model_dump(mode="json"))

    @property
    def shares(self) -> tuple[int, ...]:
        """The share of every stage, shadow first."""
        return (0, *self.stages)

    def terms(self) -> Terms:
        """What the stopping rule is told."""
        return Terms(
            self.alpha / WHOLE, len(self.shares), self.expected / WHOLE, self.margin / WHOLE,
            self.most_differing / WHOLE, self.least_compared, self.least_made,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rollout:
    """The plan as it stands: how far it is allowed to go now (None: a person stopped it), and who signed it."""

    plan: Plan
    digest: str
    allowed: int | None
    signers: tuple[Signer, ...]


def new_plan(champion: Release, challenger: Release, **stated: object) -> Plan:
    """A plan with an id that nothing had before; ValueError says what cannot be."""
    told = {"id": f"rol_{secrets.token_hex(16)}"} | {
        name: {"name": release.name, "digest": release.digest}
        for name, release in (("champion", champion), ("challenger", challenger))
    }
    return Plan.model_validate(told | stated)


def start(
    plan: Plan,
    root: Path,
    *,
    trust: TrustRoot | None = None,
    day: date | None = None,
    contract: Contract | None = None,
    read_policy: ReadPolicy = PolicyBook.parse,
) -> bool:
    """Put a plan in place; True where shadow begins at once, False where two people have to sign it first.

    The challenger passes every check of a promotion. Refused (rollout) while another roll-out is not stopped.
    """
    with locked(root):
        if _is_underway(root):
            raise ReleaseRejected("rollout", "another roll-out is under way: stop it first")
        release = _challenger(plan, root, trust, contract, read_policy)
        check_day(release, root, trust, day or today())
        replace_file(root / PLAN_NAME, Envelope.around(ROLLOUT_TYPE, plan.to_bytes()).to_bytes())
        if release.signers:
            (root / LINE_NAME).unlink(missing_ok=True)
            return False
        _write_line(root, plan, "0")
    return True


def add_rollout_signature(
    signature: Signature, root: Path, trust: TrustRoot, day: date | None = None
) -> tuple[Plan, str | None]:
    """Put a signature into the plan; shadow begins, and the answer's second part is None, once two people signed."""
    with locked(root):
        envelope, plan = waiting_plan(root)
        key = next((key for key in trust.keys if key.key_id == signature.keyid), None)
        if key is None or not key.valid((day or today(),)):
            raise ReleaseRejected("rollout", "the trust root does not know this key today")
        if not envelope.is_good(signature, key.public_bytes):
            raise ReleaseRejected("rollout", f"the signature of {key.person} is not over this plan")
        envelope = envelope.with_signature(signature)
        replace_file(root / PLAN_NAME, envelope.to_bytes())
        try:
            trust.signers(envelope, (date.fromisoformat(plan.stated_on),), "rollout")
        except ReleaseRejected as missing:
            return plan, missing.reason
        if _line(root) is None:  # signing once more undoes no stop and no step
            _write_line(root, plan, "0")
    return plan, None


def waiting_plan(root: Path) -> tuple[Envelope, Plan]:
    """The plan in place with the signatures that it has; raises ReleaseRejected (rollout)."""
    try:
        with (root / PLAN_NAME).open("rb") as file:
            envelope = Envelope.parse(file.read(MAX_ENVELOPE_BYTES + 1))
        payload = envelope.content(ROLLOUT_TYPE)
        plan = Plan.model_validate_json(payload)
        if plan.to_bytes() != payload:
            raise ValueError("not in its one byte form")
    except OSError as error:
        raise ReleaseRejected("rollout", f"there is no plan: {error.strerror}") from error
    except ValueError as error:
        raise ReleaseRejected("rollout", f"{PLAN_NAME} is malformed") from error
    return envelope, plan


def advance(root: Path, to: int | None = None, trust: TrustRoot | None = None) -> Rollout:
    """Allow the next stage, or all of them up to this share; the service goes there once its rule lets it."""
    with locked(root):
        rollout = read_rollout(root, trust)
        if rollout is None or rollout.allowed is None:
            raise ReleaseRejected("rollout", "no roll-out is under way")
        plan, now = rollout.plan, rollout.allowed
        share = next((share for share in plan.stages if share > now), now) if to is None else to
        if share not in plan.shares or share < now:
            raise ReleaseRejected("rollout", f"the next shares are {[s for s in plan.stages if s > now]} of {WHOLE}")
        if share > plan.up_to:
            raise ReleaseRejected("rollout", f"the plan goes up to {plan.up_to} of {WHOLE}: more takes a new plan")
        _write_line(root, plan, str(share))
    return Rollout(plan, rollout.digest, share, rollout.signers)


def stop(root: Path) -> str:
    """Take the challenger out, whatever state the plan is in; the id of the roll-out that is stopped."""
    with locked(root):
        line = _line(root)
        if line is None:
            raise ReleaseRejected("rollout", "no roll-out is under way")
        replace_file(root / LINE_NAME, f"{line[0]} {line[1]} {STOPPED}\n".encode("ascii"))
    return line[0]


def read_rollout(root: Path, trust: TrustRoot | None = None) -> Rollout | None:
    """The roll-out in place, its plan and line held against each other; None before the first, or while it waits.

    Signatures are checked where there are any; `challenger` demands them where the release has them.
    """
    line = _line(root)
    if line is None:
        return None
    envelope, plan = waiting_plan(root)
    digest = hashlib.sha256(plan.to_bytes()).hexdigest()
    if line[:2] != (plan.id, digest):
        raise ReleaseRejected("rollout", f"{LINE_NAME} names another plan than {PLAN_NAME}")
    allowed = None if line[2] == STOPPED else int(line[2])
    if allowed is not None and (allowed not in plan.shares or allowed > plan.up_to):
        raise ReleaseRejected("rollout", f"the plan does not go to {allowed} of {WHOLE}")
    signers: tuple[Signer, ...] = ()
    if envelope.signatures:
        trust = trust or read_trust(root / TRUST_NAME)
        signers = trust.signers(envelope, (date.fromisoformat(plan.stated_on),), "rollout")
    return Rollout(plan, digest, allowed, signers)


def challenger(
    rollout: Rollout,
    root: Path,
    *,
    trust: TrustRoot | None = None,
    contract: Contract | None = None,
    read_policy: ReadPolicy = PolicyBook.parse,
) -> Release:
    """The challenger, loaded with every check; raises ReleaseRejected.

    Refused (rollout) where the release is signed and its plan is not, or where the champion is another than the plan's.
    """
    release = _challenger(rollout.plan, root, trust, contract, read_policy)
    if release.signers and not rollout.signers:
        raise ReleaseRejected("rollout", "the release is signed, and its plan is not")
    return release


def _challenger(
    plan: Plan, root: Path, trust: TrustRoot | None, contract: Contract | None, read_policy: ReadPolicy
) -> Release:
    if not _is_against_champion(plan, root):
        raise ReleaseRejected("rollout", f"the plan is against {plan.champion.name}, which is not the champion")
    named = plan.challenger
    release = load(named.name, root, digest=named.digest, contract=contract, read_policy=read_policy, trust=trust)
    check_sequence(release, root, trust)
    return release


def _is_against_champion(plan: Plan, root: Path) -> bool:
    line = champion_line(root)
    return line is not None and (line.name, line.digest) == (plan.champion.name, plan.champion.digest)


def _is_underway(root: Path) -> bool:
    """Whether a roll-out has to be stopped before another begins; one whose champion has gone has ended."""
    line = _line(root)
    return line is not None and line[2] != STOPPED and _is_against_champion(waiting_plan(root)[1], root)


def _line(root: Path) -> tuple[str, str, str] | None:
    path = root / LINE_NAME
    if not path.exists():
        return None
    with path.open("rb") as file:
        match = _LINE.fullmatch(file.read(_MOST_BYTES).decode("ascii", "replace"))
    if match is None:
        raise ReleaseRejected("rollout", f"{LINE_NAME} is damaged")
    return match[1], match[2], match[3]


def _write_line(root: Path, plan: Plan, state: str) -> None:
    digest = hashlib.sha256(plan.to_bytes()).hexdigest()
    replace_file(root / LINE_NAME, f"{plan.id} {digest} {state}\n".encode("ascii"))
