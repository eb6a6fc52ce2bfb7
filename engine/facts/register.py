"""What public registers and compliance lists say: ABN Lookup's record, the company register's status, hits.

It does: hold them. It does not: tell "not found" from an outage; the shell does, and an outage is a failed fact.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from engine.values import Abn, Acn, Frozen, Name, State, Token

EntityClass = Literal["sole_trader", "company", "partnership", "trust", "excluded", "manual"]

# ABR entity type code -> how policy treats it (australia: super funds, governments and estates are out of scope).
_CLASSES: dict[str, EntityClass] = {
    "IND": "sole_trader", "PRV": "company", "PUB": "company",
    "FPT": "partnership", "PTR": "partnership", "LPT": "partnership",
    "DTT": "trust", "DIT": "trust", "DST": "trust", "FXT": "trust", "FUT": "trust", "HYT": "trust",
    "PUT": "trust", "PQT": "trust", "CUT": "trust", "TRT": "trust",
    "SMF": "excluded", "ARF": "excluded", "NRF": "excluded", "SUP": "excluded",
    "CGE": "excluded", "SGE": "excluded", "TGE": "excluded", "LGE": "excluded", "DES": "excluded",
    "COP": "manual", "OIE": "manual", "UIE": "manual",
}  # fmt: skip


def entity_class(code: str, name: str = "") -> EntityClass:
    """How policy treats an ABR entity type: by code first, then "Trust" in the name; unknown goes to a person."""
    known = _CLASSES.get(code)
    if known is not None:
        return known
    return "trust" if "TRUST" in name.upper() else "manual"


class RegisterRecord(Frozen):
    """The register's record of one ABN; `gst_from` is a date or null, never a flag."""

    abn: Abn
    found: bool = True
    abn_active: bool
    abn_active_from: date
    acn: Acn | None = None
    entity_name: Name
    entity_type_code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    gst_from: date | None = None
    state: State | None = None
    business_names: Annotated[tuple[Name, ...], Field(max_length=50, strict=False)] = ()
    # Company register: registered, external administration, strike-off in progress, deregistered.
    company_status: Literal["REGD", "EXAD", "SOFF", "DRGD"] | None = None

    @property
    def entity_class(self) -> EntityClass:
        """How policy treats this entity."""
        return entity_class(self.entity_type_code, self.entity_name)


class ComplianceCheck(Frozen):
    """Result of screening names and identity against lists; hits are for the compliance role alone.

    `cleared` names the settlement by which compliance found that exactly these findings are no bar; a later screening
    knows nothing of it. What nobody settled has none, and keeps its bytes.
    """

    sanctions_hits: Annotated[int, Field(ge=0, le=1_000)] = 0
    politically_exposed: bool = False
    fraud_flags: Annotated[tuple[Annotated[str, StringConstraints(max_length=40)], ...], Field(strict=False)] = ()
    cleared: Annotated[Token | None, Field(exclude_if=lambda settlement: settlement is None)] = None
