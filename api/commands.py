"""What the commands of `creditline` do, as functions: the shell's rooms called without a server.

It does: decide files, replay and export the record, manage keys. It does not: parse arguments (api.cli does).
"""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

import models
from api.errors import Problem, field_problems
from api.replay import Replay, replay_row
from api.security import new_key, sha256_of
from api.settings import Settings
from api.sources import Asking
from api.sources.market import MarketFile, MarketFileError
from api.sources.standin import MarketSources, moved
from api.store import queries as store
from api.store.database import Database
from api.wire import Submission, check_json
from engine.application import Application
from engine.decision import Decision, decide
from engine.facts import BankData, Exposure, Fact, Facts
from engine.release import Release
from engine.values import Frozen


class Unreadable(Exception):
    """A file that cannot be decided, with the reason in words."""


class DecisionFile(Frozen):
    """An application with all its facts, as `export` writes them."""

    application: Application
    facts: Facts


# -- decide --------------------------------------------------------------------------------------------------


def decide_file(path: Path, release_name: str | None, market: Path | None) -> Decision:
    """Decide a file: {application, facts}, or a request body with facts from a market file; Unreadable says why not."""
    body = path.read_bytes()
    try:
        check_json(body)
        settings = Settings.from_environment()
        root, trust = settings.release_root(), settings.release_trust()
        release = models.load(release_name, root, trust=trust) if release_name else models.champion(root, trust=trust)
        try:
            whole = DecisionFile.model_validate_json(body)
        except ValidationError as error:
            if b'"facts"' in body:
                raise Unreadable(_all_problems(error)) from None
            return _decide_body(body, release, market)
        return decide(whole.application, whole.facts, release)
    except Problem as problem:
        detail = "; ".join(f"{e.path}: {e.message}" for e in problem.errors)
        raise Unreadable(f"{path}: {problem.slug}" + (f": {detail}" if detail else "")) from None
    except (models.ReleaseRejected, MarketFileError) as error:
        raise Unreadable(str(error)) from None


def _all_problems(error: ValidationError) -> str:
    return "; ".join(f"{p.path}: {p.message}" for p in field_problems(error))


def _decide_body(body: bytes, release: Release, market: Path | None) -> Decision:
    import asyncio  # noqa: PLC0415 - one call into the asynchronous sources

    as_of = datetime.now(UTC)
    try:
        submission = Submission.model_validate_json(body, context={"today": as_of.date()})
    except ValidationError as error:
        raise Unreadable(_all_problems(error)) from None
    if market is None:
        raise Unreadable('the file holds no facts: give --market, or {"application": ..., "facts": ...}')
    application = submission.application(tuple(f"per_{i}" for i in range(len(submission.people))))
    gathered = asyncio.run(MarketSources(market).gather(Asking(application, as_of)))
    data = submission.bank_fact("connected")
    bank = gathered.bank
    if data is not None:
        bank = Fact[BankData](source="file", fetched_at=as_of, status="present", value=data)
    exposure = Fact[Exposure](source="file", fetched_at=as_of, status="present", value=Exposure())
    facts = Facts(
        as_of=as_of, registry=gathered.registry, compliance=gathered.compliance, marketplace=gathered.marketplace,
        bank=bank, bureau=gathered.bureau, exposure=exposure,
    )  # fmt: skip
    return decide(application, facts, release)


def show(decision: Decision) -> None:
    """Print a decision as a person reads it."""
    console = Console()
    made_up = "  [dim](synthetic data)[/dim]" if decision.synthetic else ""
    console.print(f"\n[bold]{decision.outcome.upper()}[/bold]  release {decision.release}{made_up}\n")
    facts = Table(show_header=False, box=None, padding=(0, 2))
    facts.add_row("Asked for", _dollars(decision.requested_cents))
    if offer := decision.offer:
        facts.add_row("Line", _dollars(offer.limit_cents))
        facts.add_row("Rate a month", f"{offer.monthly_rate_bps / 100:.2f} %")
        facts.add_row("Held until", offer.expires_at.date().isoformat())
        draw = offer.worked_draw
        facts.add_row(
            "Worked draw",
            f"{_dollars(draw.draw_cents)} over {draw.months} months costs {_dollars(draw.total_cost_cents)}, "
            f"APR {draw.apr_pct:.2f} %",
        )
    if score := decision.score:
        facts.add_row("Score", f"{score.points:.0f}, grade {score.grade}, PD {score.pd:.2%}")
    console.print(facts)
    for finding in decision.findings:
        console.print(f"  {finding.kind.replace('_', '-')}: {finding.what} [dim]({finding.rule})[/dim]")
    for reason in decision.reasons:
        console.print(f"  {reason.code}  {reason.text}. [dim]{reason.help}[/dim]")
    if decision.caps:
        _show_caps(console, decision)
    if decision.score:
        _show_contributions(console, decision)


def _show_caps(console: Console, decision: Decision) -> None:
    table = Table(title="Caps", title_justify="left", box=None, padding=(0, 2))
    table.add_column("cap")
    table.add_column("line", justify="right")
    table.add_column("")
    for cap in decision.caps:
        amount = _dollars(cap.cents) if cap.cents is not None else cap.status
        table.add_row(cap.name, amount, "bound" if cap.name == decision.bound_by else "")
    console.print(table)


def _show_contributions(console: Console, decision: Decision) -> None:
    score = decision.score
    if score is None:
        return
    table = Table(title="What moved the score most", title_justify="left", box=None, padding=(0, 2))
    for name, justify in (("input", "left"), ("value", "right"), ("points", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for name, points in sorted(score.contributions, key=lambda item: -abs(item[1]))[:10]:
        value = decision.features[name]
        table.add_row(name, "missing" if value is None else f"{value:,.10g}", f"{points:+.1f}")
    console.print(table)


def _dollars(cents: int) -> str:
    return f"${cents / 100:,.2f}".removesuffix(".00")


# -- the record ----------------------------------------------------------------------------------------------


@cache
def _release(name: str) -> Release:
    settings = Settings.from_environment()
    return models.load(name, settings.release_root(), trust=settings.release_trust())


def replay_many(database_url: str, decision_id: str | None, since: int | None, engines: Path) -> bool:
    """Replay one decision or all after an audit number, a line each difference; True where every byte agreed.

    Each is made by the engine that made it, where `engines` keeps that one or it is today's, else by today's.
    """
    settings = Settings.from_environment()
    today, seen, differing, past = models.engine_digest(), 0, 0, 0
    with (
        ExitStack() as running,
        Database.open(database_url) as database,
        database.transaction(read_only=True) as reading,
    ):
        if decision_id is not None:
            row = store.get_decision(reading, decision_id)
            if row is None:
                raise click.ClickException("there is no decision with that id")
            rows: Iterator[store.DecisionRow] = iter((row,))
        else:
            rows = store.decisions_since(reading, since or 0)
        started: dict[str, models.PastEngine | None] = {today: None}
        for row in rows:
            try:
                if row.engine_digest not in started:
                    found = models.past_engine(row.engine_digest, engines, settings.release_root(), settings.trust)
                    started[row.engine_digest] = running.enter_context(found) if found else None
                result = replay_row(reading, row, _release, today, started[row.engine_digest])
            except models.EngineFailed as error:
                raise click.ClickException(str(error)) from None
            seen += 1
            past += result.engine_now != today
            if not result.match:
                differing += 1
                click.echo(f"{row.id}  differs: {result.difference}{_engines(result)}")
    on_their_own = f" ({past} on an engine of the past)" if past else ""
    click.echo(f"{seen} replayed{on_their_own}, {seen - differing} equal to the byte, {differing} different")
    return differing == 0


def _engines(result: Replay) -> str:
    if result.engine_recorded == result.engine_now:
        return ""
    return f"  (made by engine {result.engine_recorded[:12]}, which is not kept; replayed on {result.engine_now[:12]})"


def exported(database_url: str, since: int) -> Iterator[dict[str, Any]]:
    """Each decision with its application and facts as known then, oldest first, without people's details."""
    with Database.open(database_url) as database, database.transaction(read_only=True) as connection:
        for row in store.decisions_since(connection, since):
            application = store.get_application(connection, row.application_id)
            facts = store.facts_body(connection, row.facts_sha256)
            case = store.case_of_application(connection, row.application_id)
            yield {
                "decision_id": row.id,
                "application_id": row.application_id,
                "audit_seq": row.audit_seq,
                "decided_at": row.decided_at.isoformat(),
                "engine_digest": row.engine_digest,
                "release_digest": row.release_digest,
                "application": _json_of(application.body if application else None),
                "facts": _json_of(facts),
                "decision": _json_of(row.body),
                "case_state": case.state if case else None,  # now: rejected is an approver's no after verification
            }


def _json_of(body: bytes | None) -> Any:
    import json  # noqa: PLC0415 - only the export parses records as plain JSON

    return None if body is None else json.loads(body)


# -- keys ----------------------------------------------------------------------------------------------------


def is_known(database_url: str, secret: str) -> bool:
    """Whether this database has the key."""
    with Database.open(database_url) as database, database.transaction(read_only=True) as connection:
        return store.find_key_by_sha(connection, sha256_of(secret)) is not None


def add_key(database_url: str, name: str, scopes: tuple[str, ...], development: bool = False) -> str:
    """Make and keep a key; returns the secret, which is not kept."""
    with Database.open(database_url) as database:
        return keep_key(database, name, scopes, development)


def keep_key(database: Database, name: str, scopes: tuple[str, ...], development: bool = False) -> str:
    """The same in a database that is open."""
    made = new_key(development)
    held = store.CallerKey(
        id=made.id, name=name, scopes=frozenset(scopes), secret_sha256=made.sha256, prefix=made.prefix,
        created_at=datetime.now(UTC), development=development,
    )  # fmt: skip
    with database.transaction() as connection:
        store.add_key(connection, held)
    return made.secret


def keys(database_url: str) -> tuple[store.CallerKey, ...]:
    """Every key, oldest first."""
    with Database.open(database_url) as database, database.transaction(read_only=True) as connection:
        return store.list_keys(connection)


def revoke(database_url: str, key_id: str) -> bool:
    """Revoke a key; False where there is no live one with that id."""
    with Database.open(database_url) as database, database.transaction() as connection:
        return store.revoke_key(connection, key_id, datetime.now(UTC))


# -- example -------------------------------------------------------------------------------------------------


def example_body(market: Path, index: int, now: datetime) -> dict[str, Any]:
    """A request body for a business of the market, dated today, with the bank connection that the sandbox knows.

    The first business from `index` on, and around, whose bank is connected; ClickException where there is none.
    """
    with MarketFile.open(market) as file:
        total = len(file)
        for step in range(total):
            application = file.application_at((index + step) % total)
            facts = file.facts_for(application.business.abn) if application else None
            if application and facts and facts.bank.value is not None:
                break
        else:
            raise click.ClickException("the market has no business whose bank is connected")
    days = (now.date() - facts.as_of.date()).days
    application = moved(application, days)
    body = application.model_dump(mode="json", exclude={"people"})
    body["bank_connection"] = f"sandbox-{application.business.abn}"
    # Nobody's details, and of each business its own: the same people behind several would be looked at.
    body["people"] = [
        {
            "roles": list(ref.roles), "ownership_bps": ref.ownership_bps, "given_names": "Example",
            "family_name": f"Person {application.business.abn[-4:]}-{number}", "date_of_birth": "1984-02-29",
            "mobile": "0491 570 006", "email": f"person{number}@{application.business.abn}.example",
        }
        for number, ref in enumerate(application.people, 1)
    ]  # fmt: skip
    return body
