"""`creditline audit`, and the service at its start: what they print, the exit codes, nothing repaired."""

import base64
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from api.audit import standalone
from api.audit.checkpoints import NOTHING, Folder, Signed, next_checkpoint
from api.audit.settings import AuditSettings, Unset
from api.store.database import Database
from api.store.queries import AuditEvent, append_audit, audit_tail
from tests.support.commands import failed, run
from tests.support.server import serving
from tests.support.service import body_of, telling
from tests.support.witnessing import FILE, KEYRING, NOW, SIGNER, disarm

KEY = base64.b64encode(b"k" * 32).decode()
ENTRIES = 4
DEVELOPMENT = {"CREDITLINE_DEVELOPMENT": "1"}


@pytest.fixture
def grown(url: str) -> str:
    """A database of either kind with a few entries."""
    with Database.open(url) as database, database.transaction() as connection:
        for _ in range(ENTRIES):
            append_audit(connection, AuditEvent("officer", "risk", "note", "app_1"), NOW)
    return url


@pytest.fixture
def told(tmp_path: Path) -> dict[str, str]:
    """The settings of production."""
    return {"CREDITLINE_CHECKPOINTS": str(tmp_path / "kept"), "CREDITLINE_CHECKPOINT_KEY": KEY}


def said(url: str, more: dict[str, str], *words: object) -> str:
    """What an audit command that succeeds prints."""
    result = run(url, "audit", *words, more=more)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def unheld(url: str, more: dict[str, str], *words: object) -> str:
    """What a command says that finds something: exit code 2, on standard error alone."""
    result = run(url, *words, more=more)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    return result.stderr


def tamper(url: str, statement: str) -> None:
    """Change the chain as only the owner of a database can."""
    with Database.open(url) as database:
        disarm(database, "audit")
        with database.transaction() as connection:
            connection.execute(text(statement))


def test_the_first_checkpoint_is_asked_for(grown: str, told: dict[str, str]) -> None:
    """A chain without any is not signed unless it is said to be the first; from then on it goes by itself."""
    assert "no checkpoint covers the chain" in unheld(grown, told, "audit", "checkpoint")
    assert said(grown, told, "checkpoint", "--first") == f"checkpoint 1 covers the chain up to entry {ENTRIES}\n"
    assert said(grown, told, "checkpoint") == f"checkpoint 1 covers the chain up to entry {ENTRIES}\n"
    assert said(grown, told, "verify") == f"the record holds: {ENTRIES} entries, 1 checkpoints\n"


def test_what_does_not_hold_is_exit_code_2(grown: str, told: dict[str, str], tmp_path: Path) -> None:
    """`audit verify` names the first bad entry, and leaves database and folder as they are."""
    said(grown, told, "checkpoint", "--first")
    before = (tmp_path / "kept" / FILE).read_bytes()
    tamper(grown, "UPDATE audit SET body = replace(body, 'risk', 'none') WHERE seq = 3")
    for words in (("verify",), ("verify", "--entries-only"), ("verify", "--checkpoints", tmp_path / "kept")):
        found = unheld(grown, told, "audit", *words)
        assert found == "Error: the record does not hold\n  from entry 3: entry 3 was altered\n"
    assert (tmp_path / "kept" / FILE).read_bytes() == before
    with Database.open(grown) as database, database.transaction(read_only=True) as connection:
        assert connection.execute(text("SELECT count(*) FROM audit WHERE body LIKE '%none%'")).scalar_one() == 1


def test_checkpoints_of_another_database_are_told(grown: str, told: dict[str, str], tmp_path: Path) -> None:
    """A folder that belongs to another chain is no proof of this one."""
    said(grown, told, "checkpoint", "--first")
    tamper(grown, "DELETE FROM audit")
    with Database.open(grown) as database, database.transaction() as connection:
        append_audit(connection, AuditEvent("x", "y", "z", "app_2"), NOW)
    assert "is of another database, or the chain was rebuilt from entry 1" in unheld(grown, told, "audit", "verify")


def test_an_export_is_verified_by_the_auditors_program(grown: str, told: dict[str, str], tmp_path: Path) -> None:
    """`audit export`, `audit key` and the stand-alone file fit together; an export begins with a fresh checkpoint."""
    said(grown, told, "checkpoint", "--first")
    with Database.open(grown) as database, database.transaction() as connection:
        append_audit(connection, AuditEvent("officer", "risk", "note", "app_1"), NOW)
    file = tmp_path / "export"
    assert said(grown, told, "export", file) == f"{file}: {ENTRIES + 1} entries, 2 checkpoints\n"
    key, _, rest = said(grown, told, "key").partition("\n")
    assert key == SIGNER.public.hex()
    assert f"key id {SIGNER.key_id}\n" in rest
    assert "BEGIN PUBLIC KEY" in rest
    command: list[str | Path] = [
        sys.executable,
        "-I",
        standalone.__file__,
        file,
        "--key",
        key,
        "--checkpoints",
        tmp_path / "kept",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout[:17]) == (0, "holds: 5 entries,"), done.stderr


def test_what_is_not_set_is_named(grown: str, told: dict[str, str], tmp_path: Path) -> None:
    """Outside development a folder and a key are needed; a key that is none is named and not shown."""
    for name in told:
        without = {each: value for each, value in told.items() if each != name}
        assert name in failed(grown, "audit", "checkpoint", "--first", more=without)
    wrong = failed(grown, "audit", "key", more={"CREDITLINE_CHECKPOINT_KEY": "c2hvcnQ="})
    assert "base64 of 32 bytes" in wrong
    assert "c2hvcnQ" not in wrong
    assert "64 hexadecimal digits" in failed(grown, "audit", "key", more={"CREDITLINE_CHECKPOINT_TRUSTED": "abc"})
    assert "there is no checkpoint yet" in failed(
        grown, "audit", "export", tmp_path / "export",
        more={"CREDITLINE_CHECKPOINTS": str(tmp_path), "CREDITLINE_CHECKPOINT_TRUSTED": SIGNER.public.hex()},
    )  # fmt: skip


def test_verifying_needs_no_key_that_signs() -> None:
    """Trusted public keys alone suffice, and sign nothing; the key of development is not among them."""
    settings = AuditSettings.from_environment({"CREDITLINE_CHECKPOINT_TRUSTED": SIGNER.public.hex()})
    development = AuditSettings().signer(development=True)
    unsigned = next_checkpoint(None, 1, NOTHING, chain=NOTHING, at=1, key="")
    lines = [each.sign(replace(unsigned, key=each.key_id)).line for each in (SIGNER, development)]
    read = [settings.keyring(development=False).read(line) for line in lines]
    assert isinstance(read[0], Signed)
    assert read[1] == "is signed by a key that is not trusted"
    with pytest.raises(Unset):
        settings.signer(development=False)
    assert KEY not in repr(AuditSettings.from_environment({"CREDITLINE_CHECKPOINT_KEY": KEY}))


@pytest.fixture
def seen(sqlite_url: str) -> str:
    """A database of the service in development with one decision and a checkpoint, beside its file."""
    with telling(sqlite_url) as service:
        assert service.apply(body_of()).status_code == 201
        assert service.ask("GET", "/ready", secret=None).status_code == 200
    assert "checkpoint 1 covers" in said(sqlite_url, DEVELOPMENT, "checkpoint")
    return sqlite_url


def test_the_service_is_not_ready_where_the_chain_does_not_hold(seen: str) -> None:
    """`/ready` holds the end of the chain against the newest checkpoint before it says yes."""
    for change, status in (("UPDATE audit SET at = at", 200), ("UPDATE audit SET at = at + 1", 503)):
        tamper(seen, f"{change} WHERE seq = (SELECT max(seq) FROM audit)")
        with telling(seen) as service:
            assert service.ask("GET", "/ready", secret=None).status_code == status


def test_serving_begins_only_where_the_chain_holds(seen: str, tmp_path: Path) -> None:
    """B40: exit code 2 before anything is served, naming the first bad entry; the evidence is kept as it was."""
    tamper(seen, "UPDATE audit SET body = replace(body, 'decide', 'refuse') WHERE body LIKE '%decide%'")
    before = {file.name: file.read_bytes() for file in (tmp_path / "store.checkpoints").iterdir()}
    told = unheld(seen, {}, "serve", "--development")
    assert "the audit chain does not hold\n  from entry " in told
    assert " was altered" in told
    assert "If the database was made anew, delete " in told
    assert before == {file.name: file.read_bytes() for file in (tmp_path / "store.checkpoints").iterdir()}


def test_a_service_signs_while_it_runs_and_when_it_stops(sqlite_url: str, tmp_path: Path) -> None:
    """The real process: a first checkpoint soon after the start, and one of everything at SIGTERM."""

    def grow() -> None:
        with Database.open(sqlite_url) as database, database.transaction() as connection:
            append_audit(connection, AuditEvent("officer", "risk", "note", "app_1"), NOW)

    def covered() -> int:
        newest = Folder(tmp_path / "kept").newest(KEYRING)
        return newest.told.seq if isinstance(newest, Signed) else 0

    grow()
    told = {"CREDITLINE_CHECKPOINTS": str(tmp_path / "kept"), "CREDITLINE_CHECKPOINT_KEY": KEY}
    with serving(sqlite_url, tmp_path, None, more=told) as server:
        ends = time.monotonic() + 20
        while not (signed := covered()):
            assert time.monotonic() < ends, server.log
            time.sleep(0.05)
        grow()
    assert covered() > signed
    assert "Traceback" not in server.log
    with Database.open(sqlite_url) as database, database.transaction(read_only=True) as connection:
        assert covered() == audit_tail(connection, 1)[0].seq
    assert "the record holds" in said(sqlite_url, told, "verify")
