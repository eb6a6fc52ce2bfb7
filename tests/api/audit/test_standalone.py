"""The auditor's program, run as auditors run it: one file, alone in a folder, with nothing of this project in reach."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from api.audit import standalone
from tests.support.tampering import FOUND_BY_COPIES, WAYS, Record, a_record
from tests.support.witnessing import SIGNER

KEY = SIGNER.public.hex()
RECORD = replace(a_record(SIGNER, 12, 4), another=a_record(SIGNER, 12, 4, "another"))
# -I: nothing of this project; -S: nor any package, so that signatures are checked by openssl.
PACKAGE, OPENSSL = ("-I",), ("-I", "-S")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the program and the export of a record that holds."""
    shutil.copy(standalone.__file__, tmp_path / "verifier.py")
    written(tmp_path, RECORD)
    return tmp_path


def written(place: Path, record: Record) -> None:
    """Write a record's export into the folder."""
    (place / "export").write_bytes(b"".join(line + b"\n" for line in record.exported()))


def ran(place: Path, *words: str, how: Iterable[str] = PACKAGE, key: str = KEY) -> tuple[int, str]:
    """Exit code and output of the program."""
    command = [sys.executable, *how, "verifier.py", "export", "--key", key, *words]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_it_shares_nothing_with_the_writer() -> None:
    """It imports the standard library, and `cryptography` where that can be had: neither this project nor another."""
    tree = ast.parse(Path(standalone.__file__).read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names | {"cryptography"}


def test_what_holds_is_told_with_how_it_was_checked(place: Path) -> None:
    """Exit code 0 and one line, by the package and by openssl."""
    assert ran(place) == (0, "holds: 12 entries, 3 checkpoints; each signature was checked\n")
    by_openssl = "the last signature, to which the others are bound, was checked"
    assert ran(place, how=OPENSSL) == (0, f"holds: 12 entries, 3 checkpoints; {by_openssl}\n")


@pytest.mark.parametrize("how", [PACKAGE, OPENSSL], ids=["package", "openssl"])
def test_one_tampering_of_each_kind_is_found(place: Path, how: tuple[str, ...]) -> None:
    """Exit code 2 and words; with openssl alone too, where only the last signature of a series is checked."""
    (place / "kept.jsonl").write_bytes(b"".join(line + b"\n" for line in RECORD.lines))
    draw = Random(3)
    for name, way in WAYS.items():
        written(place, way(RECORD, draw).record)
        code, told = ran(place, *(("--checkpoints", "kept.jsonl") if name in FOUND_BY_COPIES else ()), how=how)
        assert code == 2, name
        assert told.startswith("DOES NOT HOLD: "), name
        assert told.count("\n") == 1, name


def test_copies_and_receipts_are_taken_from_the_command_line(place: Path) -> None:
    """A folder of files, a part of a series, a receipt: what fits holds, and what does not is named."""
    (place / "kept").mkdir()
    (place / "kept" / "0000000002.jsonl").write_bytes(RECORD.lines[1] + b"\n" + RECORD.lines[2][:40])
    good = f"9:{RECORD.entries[8][3].decode()}"
    assert ran(place, "--checkpoints", "kept", "--receipt", good)[0] == 0
    code, told = ran(place, "--receipt", f"9:{'0' * 64}")
    assert (code, "entry 9 is not the one" in told) == (2, True)
    code, told = ran(place, "--receipt", f"99:{'0' * 64}")
    assert (code, "no entry 99" in told) == (2, True)


def test_what_cannot_be_run_is_neither_good_nor_bad(place: Path) -> None:
    """A file that is not there, and words that mean nothing, are exit code 1."""
    (place / "export").unlink()
    assert ran(place) == (1, "export: No such file or directory\n")
    for words in ({"key": "abc"}, {"key": "00"}):
        code, told = ran(place, **words)
        assert (code, "argument --key: invalid" in told) == (1, True)
    code, told = ran(place, "--receipt", "9")
    assert (code, "argument --receipt: invalid" in told) == (1, True)
