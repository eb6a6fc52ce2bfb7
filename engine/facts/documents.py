"""What accepted documents say, and what the lender's officers decided about a case, as facts.

It does: carry verified figures and an officer's cap or waiver into the decision, so that replay knows them. It does
not: hold documents or people. The rules it keeps: a figure that no document gave is none and changes nothing; an
officer can cap a line, leave a referral aside or decline, never leave a knock-out aside, and never raises a cap.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from engine.values import Cents, Frozen, SignedCents

MOST_DOCUMENTS = 60


class VerifiedDocument(Frozen):
    """One accepted document: its kind, and the SHA-256 of the file."""

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class VerifiedDocuments(Frozen):
    """What the accepted documents of a case say. `by` is `machine` where no person looked at any of them.

    `turnover_12m_cents` is of the last four activity statements or the financial year; `covered_to` the newest day
    that any of them speaks of.
    """

    by: Literal["machine", "person"]
    accepted: Annotated[tuple[VerifiedDocument, ...], Field(max_length=MOST_DOCUMENTS, strict=False)]
    turnover_12m_cents: Cents | None = None
    overdue_tax_cents: Cents | None = None
    tax_plan: bool | None = None
    profit_cents: SignedCents | None = None
    covered_to: date | None = None

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of document that were accepted."""
        return frozenset(each.kind for each in self.accepted)


class Review(Frozen):
    """What officers decided: the most they approve with a reason's code, and the referral rules left aside, by name.

    `declined` is the code of the reason with which they declined what was referred to them; none where they did not.
    """

    most_cents: Cents | None = None
    reason: Annotated[str, StringConstraints(pattern=r"^R[0-9]{2}$")] | None = None
    set_aside: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]{1,80}$")], ...], Field(max_length=20, strict=False)
    ] = ()
    declined: Annotated[
        Annotated[str, StringConstraints(pattern=r"^R[0-9]{2}$")] | None, Field(exclude_if=lambda code: code is None)
    ] = None
