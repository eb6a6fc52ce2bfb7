"""A process that is killed with -9 leaves the whole record or nothing, and the same key finds out which."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from api.store import queries
from api.store.database import Database
from api.store.errors import InFlight
from tests.support.records import a_claim, a_decision, a_record, recording, reply_of

ROOT = Path(__file__).parents[3]
WRITER = """
import asyncio, os, signal, sys
from api.store import queries
from api.store.database import Database
from tests.support.records import a_claim, a_decision, a_record

url, point = sys.argv[1:]
record = a_record(a_decision(id="dec_first", application_id="app_first"), claim=a_claim())

def work(connection):
    result = queries.record_decision(connection, record)
    if point == "before_commit":
        os.kill(os.getpid(), signal.SIGKILL)
    return result

async def answer(database):
    await database.write(work)
    os.kill(os.getpid(), signal.SIGKILL)  # committed, and the reply is never sent

asyncio.run(answer(Database.open(url)))
"""


@pytest.mark.parametrize(("point", "survives"), [("after_commit", True), ("before_commit", False)])
def test_a_kill_leaves_exactly_one_outcome(url: str, point: str, survives: bool) -> None:
    """Killed after COMMIT and before the reply, the retry replays it; killed before, the retry is new."""
    killed = subprocess.run([sys.executable, "-c", WRITER, url, point], cwd=ROOT, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    with Database.open(url) as database:
        result = _ask_again(database)
        if survives:
            assert isinstance(result, queries.Replayed)
            assert result.earlier.decision_id == "dec_first"
            assert result.earlier.reply == reply_of("dec_first", queries.Receipt(1, ""))
        else:
            assert isinstance(result, queries.Recorded)
        with database.transaction(read_only=True) as connection:
            for table in ("decision", "application", "person", "fact_set", "audit", "outbox", "idempotency"):
                assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 1, table
            assert queries.verify_audit(connection) is None


def _ask_again(database: Database) -> queries.RecordResult:
    """The same request; PostgreSQL may take a moment to see that the first one's process is gone."""
    record = a_record(a_decision(id="dec_again", application_id="app_again"), claim=a_claim())
    for _ in range(20):
        try:
            return asyncio.run(database.write(recording(record)))
        except InFlight:
            time.sleep(0.1)
    raise AssertionError("the killed process still holds its key")
