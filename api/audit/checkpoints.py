"""Signed checkpoints: what one says, and the folder outside the database in which they are kept.

A checkpoint is one line: canonical JSON, a tab, the Ed25519 signature of that JSON in hexadecimal. It holds the digest
of one entry of the chain, which stands for every entry before it, and the digest of the line before it, so none can be
taken out of the middle. It does not keep keys or read the database.
The rule: a file is only ever appended to, and a line counts once its end is on the disk.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.canonical import canonical_bytes

NOTHING = "0" * 64  # the line before the first
_VERSION = 1
_LINES_A_FILE = 1_440  # a day of them, where the chain grows every minute
_LINE_MAX = 2_048
_TAIL = 2 * _LINE_MAX
_SIGNATURE = re.compile(rb"[0-9a-f]{128}")
_FILE = re.compile(r"\d{10}(_\d{1,3})?\.jsonl")


@dataclass(frozen=True, slots=True)
class Finding:
    """The first entry of which something cannot be proved, and what that is."""

    seq: int
    what: str


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed: that entry `seq` of the chain which begins with entry `chain` has the digest `head`."""

    v: int
    number: int  # of the checkpoint in its folder, from 1
    seq: int
    head: str
    chain: str  # the digest of the first entry: no two databases have the same
    at: int  # microseconds since 1970
    key: str
    prev: str  # the digest of the line before


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint with the line that it was read from or is to be kept as, without the end of line."""

    told: Checkpoint
    line: bytes

    @property
    def sha256(self) -> str:
        """The digest of the line, which the next one holds."""
        return hashlib.sha256(self.line).hexdigest()


class Signer:
    """An Ed25519 key that signs; `key_id` is made of the public key, so the two cannot be mixed up."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()
        self.key_id = key_id_of(self.public)

    def sign(self, told: Checkpoint) -> Signed:
        """The checkpoint with its signature."""
        body = canonical_bytes(msgspec.structs.asdict(told))
        return Signed(told, body + b"\t" + self._key.sign(body).hex().encode())


class Keyring:
    """Public keys that are trusted to have signed, by id."""

    def __init__(self, *public: bytes) -> None:
        self._keys = {key_id_of(key): Ed25519PublicKey.from_public_bytes(key) for key in public}

    def read(self, line: bytes) -> Signed | str:
        """The checkpoint of a line that a trusted key signed, or words for what is wrong with it."""
        body, _, signature = line.partition(b"\t")
        if not _SIGNATURE.fullmatch(signature):
            return "is not a signed line"
        try:
            told = _TOLD.decode(body)
        except msgspec.DecodeError:
            return "cannot be read"
        if (key := self._keys.get(told.key)) is None:
            return "is signed by a key that is not trusted"
        try:
            key.verify(bytes.fromhex(signature.decode()), body)
        except InvalidSignature:
            return "has a signature that does not fit"
        return Signed(told, line)


_TOLD = msgspec.json.Decoder(Checkpoint)


def covered_by(line: bytes) -> int:
    """The entry that a line says to cover, whether or not it is signed; 0 where it cannot be read."""
    try:
        return _TOLD.decode(line.partition(b"\t")[0]).seq
    except msgspec.DecodeError:
        return 0


def key_id_of(public: bytes) -> str:
    """The short name of a public key."""
    return hashlib.sha256(public).hexdigest()[:16]


class Folder:
    """A folder of checkpoints, one series; several processes of one machine may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self, keyring: Keyring) -> Iterator[Signed | Finding]:
        """Every checkpoint in order; where one does not hold, a finding that names it ends them."""
        last: Signed | None = None
        for line in self.lines():
            read = keyring.read(line)
            fault = read if isinstance(read, str) else _fault(last, read)
            if fault is not None or isinstance(read, str):
                number, seq = (1, 1) if last is None else (last.told.number + 1, last.told.seq + 1)
                yield Finding(seq, f"checkpoint {number} in {self.path} {fault}")
                return
            yield read
            last = read

    def newest(self, keyring: Keyring) -> Signed | Finding | None:
        """The last checkpoint, without reading those before it."""
        if (line := self._last_line()) is None:
            return None
        read = keyring.read(line)
        return read if isinstance(read, Signed) else Finding(1, f"the last checkpoint in {self.path} {read}")

    def append(self, signed: Signed) -> bool:
        """Keep a line for good: on the disk when this returns; the folder is made if absent.

        False, and nothing was kept, where it does not follow the last line any more or another is being kept.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with self._held() as ours:
            last = self._last_line() if ours else None
            prev = NOTHING if last is None else hashlib.sha256(last).hexdigest()
            if not ours or prev != signed.told.prev:
                return False
            self._write(signed)
            return True

    def lines(self) -> Iterator[bytes]:
        """Every whole line, unread; what a killed process left unfinished has no end of line and is none."""
        for file in self._files():
            with file.open("rb") as opened:
                while line := opened.readline(_LINE_MAX):
                    if line.endswith(b"\n"):
                        yield line[:-1]
                    elif len(line) == _LINE_MAX:
                        yield line

    def _last_line(self) -> bytes | None:
        for file in reversed(self._files()):
            with file.open("rb") as opened:
                opened.seek(max(file.stat().st_size - _TAIL, 0))
                whole, end, _ = opened.read().rpartition(b"\n")
            if end:
                return whole.rpartition(b"\n")[2]
        return None

    @contextmanager
    def _held(self) -> Iterator[bool]:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)  # which lets go of it

    def _write(self, signed: Signed) -> None:
        file = self._to_append_to(signed.told.number)
        made = not file.exists()
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            line = signed.line + b"\n"
            if os.write(descriptor, line) != len(line):
                raise OSError(f"{file} took a part of a line")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if made:
            _sync_folder(self.path)

    def _files(self) -> list[Path]:
        if not self.path.is_dir():
            return []
        return sorted(file for file in self.path.iterdir() if _FILE.fullmatch(file.name))

    def _to_append_to(self, number: int) -> Path:
        """The newest file; a new one where that is full, or ends in a line that was never finished."""
        files = self._files()
        if files and number <= int(files[-1].name[:10]) + _LINES_A_FILE - 1 and _is_whole(files[-1]):
            return files[-1]
        name = f"{number:010d}"
        taken = sum(file.name.startswith(name) for file in files)
        return self.path / (f"{name}_{taken:03d}.jsonl" if taken else f"{name}.jsonl")


def _fault(last: Signed | None, read: Signed) -> str | None:
    told = read.told
    number, prev = (1, NOTHING) if last is None else (last.told.number + 1, last.sha256)
    if (told.v, told.number, told.prev) != (_VERSION, number, prev):
        return "is missing, or the one after it was put in its place"
    if last is not None and (told.chain != last.told.chain or told.seq <= last.told.seq):
        return "does not go on from the one before it"
    return None


def next_checkpoint(last: Signed | None, seq: int, head: str, *, chain: str, at: int, key: str) -> Checkpoint:
    """The checkpoint that follows this one (none: the first); its time never goes back."""
    number, prev = (1, NOTHING) if last is None else (last.told.number + 1, last.sha256)
    at = at if last is None else max(at, last.told.at)
    return Checkpoint(_VERSION, number, seq, head, chain, at, key, prev)


def _is_whole(file: Path) -> bool:
    with file.open("rb") as opened:
        opened.seek(max(file.stat().st_size - 1, 0))
        return opened.read() == b"\n"


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
