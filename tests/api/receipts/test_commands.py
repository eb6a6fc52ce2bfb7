"""`creditline verify-receipt` and `receipt-key`, and the keys that they and the signing go by."""

import asyncio
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from api.flow import decide_again
from api.receipts.settings import DEVELOPMENT_KEY, ReceiptSettings, Unset
from api.receipts.signing import Signer
from tests.support.businesses import story
from tests.support.commands import run
from tests.support.receipting import SIGNER, decided, receipt
from tests.support.service import RemoteStories, Service, remote

KEY = SIGNER.public.hex()
OURS = {"CREDITLINE_RECEIPT_KEY": b64encode(b"r" * 32).decode()}


def said(url: str | None, file: Path, *words: str, more: dict[str, str] = OURS) -> tuple[int, list[str]]:
    """Exit code and the lines that are printed of a receipt."""
    result = run(url, "verify-receipt", file, *words, more=more)
    return result.exit_code, result.output.splitlines()


@pytest.fixture
def kept(service: Service, tmp_path: Path) -> tuple[Service, dict[str, Any], Path]:
    """A decision by the service on either database, and its receipt in a file."""
    reply = decided(service)
    file = tmp_path / "receipt.json"
    file.write_bytes(receipt(service, reply["decision_id"]))
    return service, reply, file


def test_a_receipt_is_held_against_the_record(kept: tuple[Service, dict[str, Any], Path]) -> None:
    """By the key alone, and with the database at hand; what was offered is told in words."""
    service, reply, file = kept
    code, lines = said(service.url, file)
    assert (code, lines[0].startswith("VALID: approve, ")) == (0, True)
    assert f"audit entry {reply['audit_seq']}:{reply['receipt_hash']}" in lines
    assert any(line.startswith("offered $") for line in lines)
    assert said(service.url, file, "--database") == (0, [*lines, "the record says the same"])
    assert said(None, file, "--key", KEY, more={}) == (0, lines)


def test_what_the_record_does_not_say_is_invalid(kept: tuple[Service, dict[str, Any], Path]) -> None:
    """A receipt that the true key signed of another limit, or of a decision that is not there, names what differs."""
    service, _, file = kept
    told = json.loads(file.read_bytes())["receipt"]
    for change, words in (
        ({"offer": {**told["offer"], "limit_cents": 30_000_000}}, "the record says something else: offer"),
        ({"facts_sha256": "0" * 64}, "the record says something else: facts_sha256"),
        ({"extra": 1}, "the record says something else: extra"),
        ({"decision_id": "dec_nowhere"}, "the record has no such decision"),
    ):
        file.write_bytes(SIGNER.sign({**told, **change}))
        assert said(service.url, file)[0] == 0, "the signature alone fits"
        assert said(service.url, file, "--database") == (2, [f"INVALID: the signature fits, but {words}"])


def test_an_altered_record_does_not_pass_for_the_receipt(kept: tuple[Service, dict[str, Any], Path]) -> None:
    """Where the lender's record was changed since, the receipt says so and still proves what was told."""
    service, _, file = kept
    service.tamper("decision", "UPDATE decision SET limit_cents = 30000000")
    code, [line] = said(service.url, file, "--database")
    assert (code, line.startswith("INVALID: the signature fits, but the record does not hold: decision dec_")) == (
        2,
        True,
    )
    assert said(service.url, file)[0] == 0


def test_a_superseded_decision_says_by_which(url: str, tmp_path: Path) -> None:
    """The receipt of a referral stays valid after the facts came and another decision was made."""
    sources = RemoteStories(story({}), failing=("bank",))
    file = tmp_path / "receipt.json"
    with remote(url, sources) as service:
        first = decided(service)["decision_id"]
        file.write_bytes(receipt(service, first))
        sources.failing.clear()
        assert asyncio.run(decide_again(service.state.shell, first)) == "superseded"
        code, lines = said(url, file, "--database")
        assert (code, lines[-2]) == (0, "the record says the same")
        assert lines[-1].startswith("superseded since by dec_")


def test_what_cannot_be_looked_at_is_not_called_invalid(tmp_path: Path) -> None:
    """No file, no key, a key that is none: one line, exit code 1; an altered file: exit code 2."""
    file = tmp_path / "receipt.json"
    for words, more in (((), OURS), (("--key", "abc"), OURS)):
        result = run(None, "verify-receipt", file, *words, more=more)
        assert (result.exit_code, result.output.count("\n"), result.stdout) == (1, 1, "")
    file.write_bytes(b"{}")
    result = run(None, "verify-receipt", file)
    assert (result.exit_code, "CREDITLINE_RECEIPT_KEY" in result.output) == (1, True)
    assert said(None, file) == (2, ["INVALID: the file is not written as a receipt is"])


def test_the_development_key_counts_in_development_alone(tmp_path: Path) -> None:
    """Its receipts are valid there and say that they prove nothing; production does not know it."""
    signer = ReceiptSettings().signer(development=True)
    assert signer.public == DEVELOPMENT_KEY
    told = {
        "kind": "creditline decision receipt", "v": 1, "outcome": "refer", "decision_id": "dec_1", "offer": None,
        "decided_at": "2026-11-24T01:00:00Z", "requested_cents": 500_000, "abn": "5", "audit_seq": 1,
        "receipt_hash": "a" * 64, "synthetic": False,
    }  # fmt: skip
    file = tmp_path / "receipt.json"
    file.write_bytes(signer.sign(told))
    code, lines = said(None, file, more={"CREDITLINE_DEVELOPMENT": "1"})
    assert (code, lines[-1]) == (0, "signed by the development key, which everybody knows: it proves nothing")
    assert said(None, file) == (2, ["INVALID: it names a key that is not the lender's"])


def test_the_public_key_is_printed_and_marked_in_development() -> None:
    """What applicants verify with; without a key outside development there is none to print."""
    assert run(None, "receipt-key", more=OURS).stdout == f"{KEY}\n\nkey id {SIGNER.key_id}\n"
    assert "everybody can sign" in run(None, "receipt-key", more={"CREDITLINE_DEVELOPMENT": "1"}).stdout
    assert run(None, "receipt-key").exit_code == 1


def test_a_changed_key_leaves_earlier_receipts_valid(tmp_path: Path) -> None:
    """The old public key is named as trusted; what it signed holds, and the new one signs."""
    file = tmp_path / "receipt.json"
    new = {"CREDITLINE_RECEIPT_KEY": b64encode(b"n" * 32).decode(), "CREDITLINE_RECEIPT_TRUSTED": f"{KEY},"}
    settings = ReceiptSettings.from_environment(new)
    assert settings.public_keys(development=False) == (Signer(b"n" * 32).public, SIGNER.public)
    file.write_bytes(SIGNER.sign({"kind": "something else", "v": 1}))
    assert said(None, file, more=new) == (2, ["INVALID: it is signed, but is no receipt of a decision"])
    trusting = ReceiptSettings.from_environment({"CREDITLINE_RECEIPT_TRUSTED": KEY})
    assert trusting.public_keys(development=False) == (SIGNER.public,)
    with pytest.raises(Unset):
        trusting.signer(development=False)
