"""The lender's own position at the moment of decision: exposure to this business and its group, brakes, and guards.

It does: carry the lender's state into the decision as a fact, so that replay knows it. It does not: count
anything; the store does, inside the deciding transaction. The rule it keeps: a fact recorded before a count
existed reads as if that count were nought.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from engine.values import Cents, Frozen

MOST_BOOK_CENTS = 1_000_000_000_000_000  # AU$10 trillion: no lender's whole book is larger
BrakeKind = Literal["refer_all", "daily_dollars", "concentration"]
BookCents = Annotated[int, Field(ge=0, le=MOST_BOOK_CENTS)]
Entities = Annotated[int, Field(ge=0, le=10_000)]


class Brake(Frozen):
    """One brake in force: `all`, `group`, or a segment such as `division:H`, `state:NSW`, `entity:trust`.

    `refer_all` refers everything in the segment; the other two refer what would take `used_cents` past
    `limit_cents`, and everything where no limit is known. `group` is the linked group of whoever applies.
    """

    kind: BrakeKind
    segment: Annotated[str, StringConstraints(pattern=r"^(all|group|(division|state|entity):[A-Za-z_]{1,20})$")]
    limit_cents: BookCents | None = None
    used_cents: BookCents = 0

    def stops(self, amount_cents: int) -> bool:
        """Whether it refers this amount, in its segment."""
        return self.limit_cents is None or self.used_cents + amount_cents > self.limit_cents


class Guards(Frozen):
    """What the record holds against taking this application at its word; policy says from which count on it refers.

    `open_applications`: others of this business that wait for an answer, or were offered a line that stands.
    `retypes`: versions of the declared values that differ from those of the last result, this one included; 0 where
    this one does not. The rest are numbers of other entities that lately applied with the same people, bank
    accounts, device (`_hours` and `_days` are policy's two windows) or contact details. `group_entities` is the
    number of entities linked to this one by people or accounts, this one included.
    """

    open_applications: Entities = 0
    retypes: Entities = 0
    person_entities: Entities = 0
    account_entities: Entities = 0
    device_hours_entities: Entities = 0
    device_days_entities: Entities = 0
    contact_entities: Entities = 0
    group_entities: Entities = 0


class Exposure(Frozen):
    """What is already held or drawn, undrawn lines and held offers included, here and in the linked group.

    `brakes` are those in force that concern this application.
    """

    business_cents: Cents = 0
    group_cents: Cents = 0
    brakes: Annotated[tuple[Brake, ...], Field(max_length=100, strict=False)] = ()
    guards: Guards = Guards()
