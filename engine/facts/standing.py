"""The lender's own position at the moment of decision: exposure to this business and its group, and the brakes.

It does: carry the lender's state into the decision as a fact, so that replay knows it. It does not: count
anything; the store does, inside the deciding transaction.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from engine.values import Cents, Frozen

BrakeKind = Literal["refer_all", "daily_dollars", "concentration"]


class Brake(Frozen):
    """One brake in force: `all`, or a segment such as `division:H`, `state:NSW`, `entity:trust`.

    `refer_all` refers everything in the segment; the other two refer what would take `used_cents` past
    `limit_cents`.
    """

    kind: BrakeKind
    segment: Annotated[str, StringConstraints(pattern=r"^(all|(division|state|entity):[A-Za-z_]{1,20})$")]
    limit_cents: Cents | None = None
    used_cents: Cents = 0


class Exposure(Frozen):
    """What is already held or drawn, undrawn lines and held offers included."""

    business_cents: Cents = 0
    group_cents: Cents = 0
    brakes: Annotated[tuple[Brake, ...], Field(max_length=100, strict=False)] = ()
