"""Checking receipts: what holds, every way of altering one, and the stand-alone program run as a stranger runs it."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.receipts import signing, standalone
from api.receipts.signing import Signer
from api.receipts.standalone import ORDER, P, Refused, verify
from engine.canonical import canonical_bytes
from tests.support.receipting import SIGNER

CONTENT = {
    "kind": "creditline decision receipt", "v": 1, "decision_id": "dec_1", "application_id": "app_1", "abn": "5",
    "decided_at": "2026-11-24T01:00:00Z", "outcome": "approve", "audit_seq": 17, "receipt_hash": "a" * 64,
    "offer": {"limit_cents": 6_000_000, "worked_draw": {"apr_pct": "22.1000"}}, "reasons": [], "supersedes": None,
    "synthetic": True, "requested_cents": 6_000_000,
}  # fmt: skip
FILE = SIGNER.sign(CONTENT)
BODY = canonical_bytes(json.loads(FILE)["receipt"])
OTHER = Signer(b"x" * 32)


def words_of(data: bytes, *keys: bytes, check: object = signing.is_signed) -> str:
    """What is said of a file that is refused; an empty text where it holds."""
    try:
        verify(data, list(keys) or [SIGNER.public], check)
    except Refused as why:
        return str(why)
    return ""


def resigned(body: bytes, seed: bytes = b"r" * 32) -> bytes:
    """A file of this body, signed by the holder of a key whatever the body says."""
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(body).hex().encode()
    return b'{"receipt":' + body + b',"signature":"' + signature + b'"}'


def test_a_receipt_holds_and_says_what_was_signed() -> None:
    """What comes out is what went in, with the name of the key; by either way of checking signatures."""
    for check in (signing.is_signed, standalone.is_signed):
        assert verify(FILE, [OTHER.public, SIGNER.public], check) == {**CONTENT, "key": SIGNER.key_id}
    assert words_of(FILE + b"\n") == words_of(FILE + b"\r\n") == "", "an editor may end the last line"


def test_the_form_of_receipts_that_were_handed_out_stays() -> None:
    """These bytes were signed once; whoever changes how a receipt is written breaks what applicants keep."""
    made = Signer(b"g" * 32).sign({"v": 1, "b": [1, "é"], "a": None})
    signature = (
        b"01bf0e21acdc57e5428c2e06af9f975d23ace9ee15e1d2c1b7b23e397712026c"
        b"41d8125bc10674e42d28cfee11b9a6face1962ffd1c5ca6fb0cfc7a1428eb807"
    )
    body = b'{"a":null,"b":[1,"\xc3\xa9"],"key":"0a29bdf95ea78250","v":1}'
    assert made == b'{"receipt":' + body + b',"signature":"' + signature + b'"}'


def test_every_flipped_bit_is_refused() -> None:
    """No bit of a receipt can be turned without being found."""
    for place in range(len(FILE)):
        for bit in range(8):
            altered = bytearray(FILE)
            altered[place] ^= 1 << bit
            assert words_of(bytes(altered)), (place, bit)


def test_every_cut_and_every_doubled_byte_is_refused() -> None:
    """A receipt that ends too early, has a byte twice, or comes twice, is none."""
    assert words_of(FILE * 2)
    for place in range(len(FILE)):
        assert words_of(FILE[:place])
        assert words_of(FILE[:place] + FILE[place : place + 1] * 2 + FILE[place + 1 :])


def test_the_program_without_packages_refuses_flips_too() -> None:
    """Every eleventh byte, and all of the signature, by the arithmetic of the stand-alone program."""
    for place in sorted({*range(0, len(FILE), 11), *range(len(FILE) - 130, len(FILE) - 2, 5)}):
        altered = bytearray(FILE)
        altered[place] ^= 1
        assert words_of(bytes(altered), check=standalone.is_signed), place


def test_another_key_is_refused_whatever_it_says() -> None:
    """Signed by another key under its own name or under the lender's, the words say which."""
    assert words_of(OTHER.sign(CONTENT)) == "it names a key that is not the lender's"
    assert words_of(resigned(BODY, b"x" * 32)).startswith("the signature does not fit")
    assert words_of(FILE, OTHER.public) == "it names a key that is not the lender's"
    assert words_of(FILE, SIGNER.public[:-1]) == "it names a key that is not the lender's"


TOLD = json.loads(BODY)
REWRITTEN = {
    "a field more": canonical_bytes({**TOLD, "limit_cents": 1}),
    "a field less": canonical_bytes({name: value for name, value in TOLD.items() if name != "supersedes"}),
    "another order": json.dumps(dict(reversed(TOLD.items())), separators=(",", ":")).encode(),
    "a name twice, at the end": BODY[:-1] + b',"v":1}',
    "a name twice, at the beginning": b'{"outcome":"decline",' + BODY[1:],
    "a name twice, inside": BODY.replace(b'"limit_cents":', b'"limit_cents":30000000,"limit_cents":'),
    "a space": BODY.replace(b":", b": ", 1),
    "another way to write a letter": BODY.replace(b'"approve"', b'"\\u0061pprove"'),
    "another way to write a number": BODY.replace(b'"v":1', b'"v":1.0'),
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_a_rewritten_receipt_is_refused(name: str) -> None:
    """Fields added, taken, reordered or doubled break the signature; and the lender's own key cannot mend the form."""
    body = REWRITTEN[name]
    assert body != BODY
    assert words_of(FILE.replace(BODY, body)).startswith("the signature does not fit")
    if name not in {"a field more", "a field less", "another way to write a number"}:
        assert words_of(resigned(body)) == "it is signed, but a name stands twice or out of order"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"\x00" * 500, b"[" + FILE + b"]", FILE.replace(b'"signature"', b'"signed"'),
        FILE[:-130] + FILE[-130:-2].upper() + b'"}', b" " + FILE, FILE + b" ", b"\xef\xbb\xbf" + FILE,
        b'{"receipt":{' + b"9" * 70_000 + b'},"signature":"' + b"0" * 128 + b'"}',
        json.dumps(json.loads(FILE)).encode(),
    ],
)  # fmt: skip
def test_what_is_not_written_as_a_receipt_is_refused(data: bytes) -> None:
    """Rubbish, doubled, wrapped, respaced and too long files are refused before any arithmetic."""
    assert words_of(data, check=None) == "the file is not written as a receipt is"


def test_another_signed_thing_is_no_receipt() -> None:
    """What the key signed that calls itself something else, or of another version, is refused."""
    for told in ({**CONTENT, "kind": "checkpoint"}, {**CONTENT, "v": 2}):
        assert words_of(SIGNER.sign(told)) == "it is signed, but is no receipt of a decision"


# -- the arithmetic --------------------------------------------------------------------------------------------


def test_the_arithmetic_agrees_with_the_library() -> None:
    """Signatures of forty keys hold; with a bit turned in key, message or signature the two still agree."""
    draw = Random(8032)
    for _ in range(40):
        key = Ed25519PrivateKey.from_private_bytes(draw.randbytes(32))
        public, message = key.public_key().public_bytes_raw(), draw.randbytes(draw.randrange(200))
        signature = key.sign(message)
        assert standalone.is_signed(public, message, signature)
        parts = [public, message + b"!", signature]
        place = draw.randrange(3)
        flipped = bytearray(parts[place])
        flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
        parts[place] = bytes(flipped)
        altered = (parts[0], parts[1], parts[2])
        assert standalone.is_signed(*altered) is signing.is_signed(*altered) is False


def test_a_signature_has_one_form() -> None:
    """The same signature with the group's order added is refused, as are points that are none."""
    key = Ed25519PrivateKey.from_private_bytes(b"m" * 32)
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"hello")
    more = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    assert not standalone.is_signed(public, b"hello", signature[:32] + more)
    assert not signing.is_signed(public, b"hello", signature[:32] + more)
    for bad in (P.to_bytes(32, "little"), b"\x02" + bytes(31), (1 + 2**255).to_bytes(32, "little"), b"\xff" * 32):
        assert standalone.point(bad) is None
        assert not standalone.is_signed(bad, b"hello", signature)


# -- the program -----------------------------------------------------------------------------------------------


def test_it_is_one_short_file_of_the_standard_library() -> None:
    """Under a hundred lines, and nothing imported but what comes with Python."""
    source = Path(standalone.__file__).read_text(encoding="utf-8")
    assert len(source.splitlines()) < 100
    nodes = list(ast.walk(ast.parse(source)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def ran(folder: Path, *words: str) -> tuple[int, str]:
    """Exit code and output of the program, alone in a folder: no package and nothing of this project in reach."""
    command = [sys.executable, "-I", "-S", "verifier.py", *words]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder / "nothing")}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_stranger_verifies_with_the_file_and_the_key_alone(tmp_path: Path) -> None:
    """Copied into an empty folder: 0 for what holds, 2 for what was altered or signed by another, 1 for no answer."""
    shutil.copy(standalone.__file__, tmp_path / "verifier.py")
    (tmp_path / "receipt.json").write_bytes(FILE)
    (tmp_path / "altered.json").write_bytes(FILE.replace(b"6000000", b"9000000"))
    key, other = SIGNER.public.hex(), OTHER.public.hex()
    said = "VALID: approve, decision dec_1, made at 2026-11-24T01:00:00Z\n"
    assert ran(tmp_path, "receipt.json", key) == ran(tmp_path, "receipt.json", other, key) == (0, said)
    code, words = ran(tmp_path, "altered.json", key)
    assert (code, words.startswith("INVALID: the signature does not fit")) == (2, True)
    assert ran(tmp_path, "receipt.json", other) == (2, "INVALID: it names a key that is not the lender's\n")
    for nothing in ((), ("nowhere.json", key), ("receipt.json", "no-key")):
        code, words = ran(tmp_path, *nothing)
        assert (code, "Traceback" in words) == (1, False), words
