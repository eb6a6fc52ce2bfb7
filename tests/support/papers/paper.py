"""What a made-up document is: its bytes, what it says, and what is wrong with it.

It does: name the variants and hold a paper whole. It does not: draw. The rule it keeps: every page of every paper
bears MARK, so that none can pass for a document of anybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from api.checks.values import Expectation, Kind, MediaType
from engine.verification.documents import Value

MARK = "SPECIMEN - synthetic document"

Variant = Literal[
    "clean",
    "altered",  # one figure or word changed: a row that no longer adds up, a status, a digit
    "wrong_abn",  # the ABN or ACN of another business
    "other_name",  # somebody else's document
    "expired",  # or too old
    "pages_missing",  # the second page
    "resaved",  # by an editor, in an incremental save
    "patched",  # a figure painted over with another, in another font, and saved by an editor
    "tax_number",  # a tax file number stands on it
    "duplicate",  # seen on another application
    "other_kind",  # another kind of document than was asked for
    "scanned",  # a little askew, with noise
    "low_resolution",
    "scanned_altered",
    "scanned_tax_number",
]
SCANNED: tuple[Variant, ...] = ("scanned", "low_resolution", "scanned_altered", "scanned_tax_number")
ELECTRONIC: tuple[Variant, ...] = (
    "clean", "altered", "wrong_abn", "other_name", "expired", "pages_missing", "resaved", "patched", "tax_number",
    "duplicate", "other_kind",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paper:
    """One made-up document.

    `truth` holds what it says, by the field names of its kind, and `prints` the same as it is printed; `subject` is
    what the application declares; `wrong` names the checks that ought not to pass, by the names of api.checks; every
    other check ought to pass or to say that it read nothing. `canaries` are numbers that nothing kept may hold.
    """

    kind: Kind
    layout: str
    variant: Variant
    media_type: MediaType
    data: bytes
    truth: Mapping[str, Value]
    prints: Mapping[str, str]
    subject: Expectation
    wrong: frozenset[str]
    canaries: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """A name for reports: kind, layout, variant."""
        return f"{self.kind}/{self.layout}/{self.variant}"
