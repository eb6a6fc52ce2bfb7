"""Ten thousand tamperings with an export, in every way we know: the auditor's own verifier finds each of them."""

from dataclasses import replace
from random import Random

import pytest

from api.audit.checkpoints import Signer
from api.audit.standalone import DoesNotHold, verify
from tests.support.tampering import FOUND_BY_COPIES, WAYS, Record, a_record
from tests.support.witnessing import SIGNER

TAMPERINGS = 10_000
ENTRIES, EVERY = 20, 4


@pytest.fixture(scope="module")
def record() -> Record:
    """A chain with its checkpoints, and the one of another database beside it."""
    return replace(a_record(SIGNER, ENTRIES, EVERY), another=a_record(SIGNER, ENTRIES, EVERY, "another"))


def found(lines: list[bytes], held: tuple[bytes, ...] | None) -> str | None:
    """What the verifier says of an export, beside our own copies of checkpoints if there are any."""
    try:
        verify(lines, [SIGNER.public], [] if held is None else [held])
    except DoesNotHold as fault:
        return str(fault)
    return None


def test_what_was_not_tampered_with_holds(record: Record) -> None:
    """The record itself passes, alone and beside a copy of its checkpoints."""
    for held in (None, record.lines, record.lines[2:4]):
        assert found(record.exported(), held) is None


@pytest.mark.parametrize("name", WAYS)
def test_every_tampering_is_found(record: Record, name: str) -> None:
    """So many of each kind, drawn by a seed; what was signed anew by the true key needs a copy of what was before."""
    draw, missed = Random(name), 0
    held = record.lines if name in FOUND_BY_COPIES else None
    for _ in range(TAMPERINGS // len(WAYS) + 1):
        tampered = WAYS[name](record, draw).record
        assert (tampered.entries, tampered.lines) != (record.entries, record.lines)
        missed += found(tampered.exported(), held) is None
    assert missed == 0


@pytest.mark.parametrize("name", FOUND_BY_COPIES)
def test_without_a_copy_the_true_key_can_lie(record: Record, name: str) -> None:
    """The limit that docs/audit.md states: who holds the database and the key passes, unless somebody kept a copy."""
    assert found(WAYS[name](record, Random(7)).record.exported(), None) is None


def test_a_receipt_is_a_copy_too(record: Record) -> None:
    """One receipt of a reply finds that its entry was written anew under the true key, or is gone."""
    (seq, _, _, digest, _), draw = record.entries[-1], Random(7)
    receipts = [(seq, digest.decode())]
    verify(record.exported(), [SIGNER.public], receipts=receipts)
    for name in FOUND_BY_COPIES:
        for _ in range(20):  # whatever is done to an entry, the last one's digest is another, or it is gone
            tampered = WAYS[name](record, draw).record
            with pytest.raises(DoesNotHold, match=f"entry {seq}"):
                verify(tampered.exported(), [SIGNER.public], receipts=receipts)


def test_a_file_that_was_cut_or_altered_outside_its_entries_is_found(record: Record) -> None:
    """Cut anywhere, or with another first or last line, or with lines after it, an export does not hold."""
    whole = b"\n".join(record.exported())
    draw = Random(7)
    for end in draw.sample(range(len(whole)), 400):
        assert found(whole[:end].split(b"\n"), None) is not None
    for old, new in ((b"end 20 5", b"end 20 6"), (b"end 20 5", b"end 20 5\nend 20 5"), (b"export 1", b"export 2")):
        assert found(whole.replace(old, new).split(b"\n"), None) is not None


def test_another_key_than_the_auditors_is_not_trusted(record: Record) -> None:
    """An auditor who was given another public key, or none, believes nothing."""
    for keys in ([], [Signer(b"o" * 32).public]):
        with pytest.raises(DoesNotHold, match="a key that you do not trust"):
            verify(record.exported(), keys)
