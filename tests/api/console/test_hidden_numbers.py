"""Staff are told where a picture may still show a number that must not be kept."""

import json
from dataclasses import replace

import pytest

from api.console.loading.documents import document_view
from api.staff.guarding import Member
from api.store.queries import CheckRow, DocumentRow
from tests.support.records import NOON

VERA = Member("stf_vera", "Vera Sample", frozenset({"verifier"}), "", "")
PAPER = DocumentRow(
    id="doc_paper", case_id="case_one", kind="identity", person_ref=None, state="checked", received_at=NOON,
    received_from="key_one", media_type="image/png", bytes=1_000, pages=1, sha256="0" * 64, perceptual=None,
    storage_key="doc_paper", attempts=0, lease_until=None, reason=None, words=None, settled_at=None,
)  # fmt: skip


def row(name: str, **body: object) -> CheckRow:
    """One check as kept."""
    told = {"says": "Read.", "found": [], **body}
    return CheckRow(
        id=1, document_id=PAPER.id, name=name, verdict="pass", confidence_bps=0, body=json.dumps(told), at=NOON
    )


@pytest.mark.parametrize(
    ("checks", "warned"),
    [
        ((), False),  # nobody has looked at it, and nothing of it is shown
        ((row("reading", electronic=True, searched=True),), False),
        ((row("reading", electronic=False, searched=False),), True),
        ((row("machine"),), True),  # machines could not read it
    ],
)
def test_a_page_that_was_not_searched_whole_says_so(checks: tuple[CheckRow, ...], warned: bool) -> None:
    """The warning stands wherever a document was looked at and not all of it was searched for such numbers."""
    view = document_view(replace(PAPER), checks, {}, VERA, workable=False)
    assert [each.name for each in view.checks if each.verdict == "warn"] == (["hidden numbers"] if warned else [])
