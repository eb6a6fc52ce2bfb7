#!/usr/bin/env python3
"""Verify an export of the audit chain, without anything of the program that wrote it. For auditors.

    python3 standalone.py EXPORT --key PUBLIC_KEY [--checkpoints FILE_OR_FOLDER ...] [--receipt SEQ:DIGEST ...]

This one file needs Python 3.11 and nothing else: copy it, read it, run it on a machine of your own. Signatures are
checked by Python's `cryptography` package if it is there, each of them; otherwise by the `openssl` program, and then
only the last of each series, to which the lines before it are bound by their digests. The public key comes to you from
the lender once, on paper or by another way than the export.

It proves that the entries are numbered without a gap, each bound to the one before it by its SHA-256 digest, and that
the digests are those which were signed at the time. With `--checkpoints` it also proves that they are those which were
signed when you collected checkpoints yourself: only that finds a past that was written anew, and signed anew, by
somebody who has both the database and the key. It does not prove that what an entry tells is true.

Exit code 0: all of it holds. 2: something does not; the first entry concerned is named. 1: it could not be run.
"""

import argparse
import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None  # type: ignore[assignment, misc]

HEADER = b"creditline-audit-export 1"
NOTHING = "0" * 64
LONGEST_LINE = 1_000_000
COLUMNS, KEY_BYTES, DIGEST_DIGITS = 5, 32, 64
HEX = frozenset("0123456789abcdef")
Check = Callable[[bytes, bytes, bytes], bool]  # public key, what was signed, signature


class DoesNotHold(Exception):
    """What cannot be proved, in words."""


class Series:
    """Checkpoints of one folder, each bound to the line before it; a series of your own may begin anywhere."""

    def __init__(self, keys: dict[str, bytes], check: Check, *, every: bool, whole: bool) -> None:
        self.keys, self.check, self.every = keys, check, every
        self.number: int | None = 0 if whole else None
        self.prev, self.chain, self.seq, self.count = NOTHING, "", 0, 0
        self.last: tuple[bytes, bytes, bytes] | None = None

    def take(self, line: bytes) -> tuple[int, str]:
        """The entry that the next line covers, and its digest."""
        body, _, signature = line.partition(b"\t")
        try:
            told = json.loads(body)
            number, seq = told["number"], told["seq"]
            head, key, prev, chain = (str(told[name]) for name in ("head", "key", "prev", "chain"))
            mark = bytes.fromhex(signature.decode("ascii"))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DoesNotHold(f"a checkpoint after entry {self.seq} cannot be read") from error
        if (type(number), type(seq), told.get("v")) != (int, int, 1) or mark.hex().encode() != signature:
            raise DoesNotHold(f"a checkpoint after entry {self.seq} is not written as it should be")
        if self.number is None:
            self.number, self.prev = number - 1, prev
        if number != self.number + 1 or prev != self.prev:
            raise DoesNotHold(f"checkpoint {self.number + 1} is missing or was altered, or the one after it was")
        if seq <= self.seq or (self.chain and chain != self.chain):
            raise DoesNotHold(f"checkpoint {number} does not go on from the one before it")
        if key not in self.keys:
            raise DoesNotHold(f"checkpoint {number} is signed by a key that you do not trust")
        self.last = (self.keys[key], body, mark)
        self.number, self.prev, self.chain, self.seq = number, hashlib.sha256(line).hexdigest(), chain, seq
        self.count += 1
        if self.every:
            self.check_last()
        return seq, head

    def check_last(self) -> None:
        """Check the signature of the last line."""
        if self.last is not None and not self.check(*self.last):
            raise DoesNotHold(f"the signature of checkpoint {self.number} does not fit")


class Entries:
    """The chain, followed entry by entry."""

    def __init__(self, expected: dict[int, set[str]]) -> None:
        self.seq, self.at, self.head, self.first, self.covered = 0, -1, NOTHING, "", 0
        self.expected = expected

    def take(self, line: bytes) -> None:
        """The next entry, which must follow from the one before it and be what anybody else holds of it."""
        number = self.seq + 1
        parts = line.split(b"\t", 4)
        if len(parts) != COLUMNS or parts[0] != str(number).encode():
            raise DoesNotHold(f"entry {number} is missing")
        _, at, sha256, prev, body = parts
        found = hashlib.sha256(body).hexdigest()
        if sha256 != found.encode():
            raise DoesNotHold(f"entry {number} was altered")
        if prev != self.head.encode():
            raise DoesNotHold(f"entry {number} does not follow the entry before it")
        try:
            told = json.loads(body)
            same = (told["seq"], str(told["at"]).encode(), told["prev"]) == (number, at, self.head)
            later = told["v"] == 1 and told["at"] > self.at
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DoesNotHold(f"entry {number} cannot be read") from error
        if not same or not later:
            raise DoesNotHold(f"entry {number} says something else than its columns, or is dated too early")
        self.seq, self.at, self.head = number, told["at"], found
        self.first = self.first or found
        if number in self.expected and self.expected.pop(number) != {found}:
            raise DoesNotHold(f"entry {number} is not the one that you hold a checkpoint or a receipt of")

    def hold(self, seq: int, head: str, chain: str) -> None:
        """Hold a checkpoint of the export against the entry that it follows."""
        covered, self.covered = self.covered, seq
        if chain != self.first:
            raise DoesNotHold("the checkpoints are of another database, or the chain was rebuilt from entry 1")
        if seq > self.seq:
            raise DoesNotHold(
                f"entry {self.seq + 1} is missing: entries up to {seq} were signed for, "
                f"and nothing else vouches for those after entry {covered}"
            )
        if (seq, head) != (self.seq, self.head):
            raise DoesNotHold(
                f"the chain was rebuilt after entry {covered}: entry {seq} is not the one that was signed"
            )


def verify(
    lines: Iterable[bytes],
    keys: Iterable[bytes],
    held: Iterable[Iterable[bytes]] = (),
    receipts: Iterable[tuple[int, str]] = (),
    check: tuple[Check, bool] | None = None,
) -> tuple[int, int]:
    """Verify the lines of an export, without ends of line; how many entries and checkpoints it has, or DoesNotHold.

    `keys` are public keys of 32 bytes, `held` series of checkpoint lines that you collected, `receipts` numbers and
    digests of entries as they stand in replies. `check` is how signatures are checked, and whether each one is.
    """
    checker, every = check or signature_check()
    named = {hashlib.sha256(key).hexdigest()[:16]: key for key in keys}
    expected: dict[int, set[str]] = {}
    for seq, head in (*receipts, *_held(held, named, checker, every)):
        expected.setdefault(seq, set()).add(head)
    for seq in sorted(expected):
        if len(expected[seq]) > 1:
            raise DoesNotHold(f"you hold signatures or receipts of two different entries {seq}: the chain was forked")
    entries, series = Entries(expected), Series(named, checker, every=every, whole=True)
    _read(iter(lines), entries, series)
    if entries.seq != series.seq:
        raise DoesNotHold(f"entry {series.seq + 1} and those after it have no checkpoint: one was taken away")
    if entries.expected:
        raise DoesNotHold(f"the export has no entry {min(entries.expected)}, of which you hold a checkpoint or receipt")
    series.check_last()
    return entries.seq, series.count


def _read(lines: Iterator[bytes], entries: Entries, series: Series) -> None:
    """Everything between the first line of an export and its last, both included."""
    if next(lines, b"") != HEADER:
        raise DoesNotHold("this is not an export of an audit chain")
    for line in lines:
        kind, rest = line[:2], line[2:]
        if kind == b"E\t":
            entries.take(rest)
        elif kind == b"C\t":
            seq, head = series.take(rest)
            entries.hold(seq, head, series.chain)
        elif line == b"end %d %d" % (entries.seq, series.count) and next(lines, None) is None:
            return
        else:
            raise DoesNotHold(f"the line after entry {entries.seq} is none of an export")
    raise DoesNotHold(f"the export was cut off after entry {entries.seq}")


def _held(
    held: Iterable[Iterable[bytes]], keys: dict[str, bytes], check: Check, every: bool
) -> Iterator[tuple[int, str]]:
    for lines in held:
        series = Series(keys, check, every=every, whole=False)
        for line in lines:
            yield series.take(line)
        series.check_last()


def signature_check() -> tuple[Check, bool]:
    """How signatures are checked on this machine, and whether it is quick enough to check each of them."""
    if Ed25519PublicKey is not None:
        return _by_package, True
    if shutil.which("openssl"):
        return _by_openssl, False
    raise SystemExit("signatures cannot be checked: install openssl, or Python's package `cryptography`")


def _by_package(public: bytes, signed: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _by_openssl(public: bytes, signed: bytes, signature: bytes) -> bool:
    der = bytes.fromhex("302a300506032b6570032100") + public  # what RFC 8410 puts before the key
    pem = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"
    with tempfile.TemporaryDirectory() as folder:
        named = {name: Path(folder, name) for name in ("key", "signed", "signature")}
        for name, content in (("key", pem.encode()), ("signed", signed), ("signature", signature)):
            named[name].write_bytes(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin"]
        command += ["-inkey", f"{named['key']}", "-in", f"{named['signed']}", "-sigfile", f"{named['signature']}"]
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def lines_of(path: Path) -> Iterator[bytes]:
    """Whole lines of a file, without their ends; what was left unfinished at the end of a checkpoint file is none."""
    with path.open("rb") as file:
        while line := file.readline(LONGEST_LINE):
            if line.endswith(b"\n"):
                yield line[:-1]
            elif len(line) == LONGEST_LINE:
                raise DoesNotHold(f"{path} has a line that is too long")


def series_of(path: Path) -> Iterator[bytes]:
    """The checkpoint lines of a file, or of every file of a folder in order of name."""
    for file in sorted(path.glob("*.jsonl")) if path.is_dir() else (path,):
        yield from lines_of(file)


class Words(argparse.ArgumentParser):
    """The command line; words that mean nothing are exit code 1, since 2 is for what does not hold."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end."""
        self.print_usage(sys.stderr)
        self.exit(1, f"{message}\n")


def _arguments() -> argparse.Namespace:
    parser = Words(description="Verify an export of the audit chain.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--key", action="append", required=True, type=_key, help="64 hexadecimal digits")
    parser.add_argument("--checkpoints", action="append", default=[], type=Path, help="your own copies")
    parser.add_argument("--receipt", action="append", default=[], type=_receipt, help="audit_seq:receipt_hash")
    return parser.parse_args()


def _key(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != KEY_BYTES:
        raise ValueError("a public key has 32 bytes")
    return key


def _receipt(text: str) -> tuple[int, str]:
    seq, _, digest = text.partition(":")
    if len(digest) != DIGEST_DIGITS or not HEX.issuperset(digest):
        raise ValueError("a receipt is a number and 64 hexadecimal digits")
    return int(seq), digest


def main() -> int:
    """Verify as the command line asks, and say what was found."""
    asked = _arguments()
    try:
        checker = signature_check()
        held = [series_of(path) for path in asked.checkpoints]
        entries, checkpoints = verify(lines_of(asked.export), asked.key, held, asked.receipt, checker)
    except DoesNotHold as fault:
        print(f"DOES NOT HOLD: {fault}")
        return 2
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    signatures = "each signature" if checker[1] else "the last signature, to which the others are bound,"
    print(f"holds: {entries} entries, {checkpoints} checkpoints; {signatures} was checked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
