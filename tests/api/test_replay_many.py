"""Five thousand decisions, recorded and made again from the record alone, byte for byte."""

import asyncio
import hashlib
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import models
from api import flow
from api.deadline import Budget
from api.guards import BlindIndex
from api.replay import replay_row
from api.rollout.arms import InService
from api.security import Caller
from api.sources.market import MarketFile
from api.sources.standin import MarketSources
from api.store import queries as store
from api.store.database import Database
from api.wire import Submission
from engine.application import STEP_CENTS
from engine.policy import PolicyBook
from tests.support.businesses import PERSON
from tests.support.releases import policy_table

DECISIONS = 5_000
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
AT_ONCE = 32


def submissions(market: Path) -> list[Submission]:
    """Every business of the market again and again, each time for another amount."""
    with MarketFile.open(market) as file:
        applications = file.sample_applications(len(file))
    made: list[Submission] = []
    for number in range(DECISIONS):
        application = applications[number % len(applications)]
        steps = 10 + (number * 7) % 590
        request = application.request.model_copy(update={"amount_cents": steps * STEP_CENTS})
        made.append(
            Submission.model_construct(
                business=application.business,
                request=request,
                finances=application.finances,
                consents=application.consents,
                people=(PERSON,),
                bank=None,
                statements=(),
                bank_connection=application.bank_connection,
                device=None,
            )
        )
    return made


def test_five_thousand_decisions_replay_to_the_byte(sqlite_url: str, market: Path) -> None:
    """Each recorded decision, decided again from its stored application and facts, has the same bytes and reply."""
    # One business asks again and again here, which its guards are there to stop.
    policy = PolicyBook.model_validate(policy_table(guarded=False))
    release, engine = replace(models.champion(), policy=policy), models.engine_digest()
    caller = Caller(id="key_test", name="test", scopes=frozenset({"apply"}))

    async def record(database: Database) -> None:
        shell = flow.Shell(
            database, MarketSources(market), InService(release), engine, BlindIndex(b"k" * 32), lambda: NOW
        )
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(number: int, submission: Submission) -> None:
            key = f"replay-many-{number:08d}"
            digest = hashlib.sha256(key.encode()).hexdigest()
            async with gate:
                budget = Budget.of("10000")
                asked = flow.Asked(caller, key, "/v1/applications", digest, submission, "", budget)
                answer = await flow.answer(shell, asked)
            assert answer.status == 201

        await asyncio.gather(*(one(number, s) for number, s in enumerate(submissions(market))))

    outcomes: Counter[str] = Counter()
    with Database.open(sqlite_url) as database:
        asyncio.run(record(database))
        with database.transaction(read_only=True) as connection:
            for row in store.decisions_since(connection):
                replayed = replay_row(connection, row, lambda name: release, engine)
                assert replayed.match, replayed
                outcomes[row.outcome] += 1
            assert store.verify_audit(connection) is None
    assert outcomes.total() == DECISIONS
    assert min(outcomes[o] for o in ("approve", "refer", "decline")) > 0, outcomes
