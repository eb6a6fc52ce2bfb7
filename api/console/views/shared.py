"""What several pages of the console show: a clock, a case in a list, a choice, a form that was refused, a message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

ClockState = Literal["none", "running", "paused", "stopped"]
RequirementState = Literal["missing", "received", "accepted", "returned", "waived"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a list to choose from: what is sent, and the words for it."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Told:
    """A coded reason or finding and its words."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class ClockView:
    """The 24 hours of a case at the moment of the page.

    `left` is what is left of them, negative once it is over; while it is paused there is no deadline. `alert_hours` is
    the highest mark passed: 0, 2, 12, 18, 22 or 24.
    """

    state: ClockState
    elapsed: timedelta
    paused: timedelta
    due_at: datetime | None = None
    left: timedelta | None = None
    alert_hours: int = 0

    def __post_init__(self) -> None:
        if self.due_at is not None and self.left is None:
            raise ValueError("a clock with a deadline has time left")


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a list. `order_reason` says in words why it stands where it stands; `stage` is what is next to do."""

    id: str
    business: str
    abn: str
    limit_cents: int
    state: str
    stage: str
    clock: ClockView
    order_reason: str = ""
    owner: str | None = None
    mine: bool = False
    claimable: bool = False
    lease_until: datetime | None = None
    snoozed_until: datetime | None = None
    escalated: bool = False
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class FormState:
    """A form that was refused: what was typed, and what is wrong with which field (`""` for the form as a whole).

    `form` is the form's id on the page, so that nothing typed is lost and the mistake is named where it is.
    """

    form: str = ""
    entered: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    def text(self, form: str, name: str, otherwise: str = "") -> str:
        """What was typed into this field of this form, or what stands there otherwise."""
        return self.entered.get(name, otherwise) if self.form == form else otherwise

    def fault(self, form: str, name: str) -> str | None:
        """What is wrong with this field of this form."""
        return self.faults.get(name) if self.form == form else None


NO_FORM: Final = FormState()


@dataclass(frozen=True, slots=True)
class Notice:
    """What came of the last act, in one line at the top."""

    words: str
    tone: Literal["done", "warn"] = "done"


@dataclass(frozen=True, slots=True)
class MessageView:
    """A page that says one thing: not allowed, not there, somebody was quicker."""

    status: int
    title: str
    words: str
    next: tuple[Choice, ...] = field(default=(Choice("/console", "To the board"),))  # address and words of links
