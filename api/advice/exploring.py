"""The offer explorer: smaller lines and other terms than the one that is offered, each decided again on the record.

It does: answer one point or the whole grid, remember it, and count what had to be worked out. It does not: go above
the offer, or take any value from the applicant but amount, term and draw. The rules it keeps: every point is a
decision by the offer's own release on the very facts of the offer; nothing is written but the count.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import Connection

from api.advice.record import Recorded, Remembered, recorded, standing_row
from api.advice.working import Worker
from api.errors import FieldProblem, Problem
from api.flow import Shell
from api.store import queries as store
from api.store.queries.advice import count_read, reads_of
from engine.application import SMALLEST_CENTS, STEP_CENTS
from engine.canonical import canonical_bytes
from engine.policy import Policy
from engine.pricing import CostDisclosure
from engine.pricing.instalments import SMALLEST_DRAW_CENTS
from engine.whatif import Point, explore

MOST_A_DAY = 200  # answers of one application that have to be worked out; remembered ones are free
MOST_AMOUNTS = 12
_TERMS = (1, 2, 3, 6, 9, 12, 18, 24)
_STEPS = tuple(dollars * 100 for dollars in (500, 1_000, 2_000, 5_000, 10_000, 20_000, 25_000, 50_000))
_LEFT_OUT = {"schedule", "assumptions"}
MOST_ANSWERS = 500  # remembered; a grid has about 50 kB, a point 3 kB
_MOST_RECORDS = 20  # remembered, up to a megabyte each


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked: one amount over one term, or everything (None); `draw_cents` is the whole line where it is None.

    Over everything the draw is at most each line.
    """

    amount_cents: int | None = None
    months: int | None = None
    draw_cents: int | None = None


class Explorer:
    """The answers of one process."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._answers = Remembered[tuple[str, Choice], bytes](MOST_ANSWERS)
        self._records = Remembered[str, Recorded](_MOST_RECORDS)

    async def answer(self, shell: Shell, caller_id: str, application_id: str, choice: Choice) -> bytes:
        """The reply. Problems `not-found`, `no-offer`, `offer-expired`, `validation-failed`, `rate-limited`,
        `overloaded`, `gone`.
        """
        now = shell.clock()
        row = await shell.database.read(lambda connection: standing_row(connection, application_id, caller_id))
        if row.limit_cents is None or row.expires_at is None:
            raise Problem("no-offer")
        if row.expires_at <= now:
            raise Problem("offer-expired")
        if (known := self._answers.get((row.id, choice))) is not None:
            return known
        found = self._records.get(row.id) or self._records.keep(row.id, await recorded(shell, row))
        policy = found.release.policy.on(found.facts.as_of.date())
        _check(choice, row.limit_cents, policy)
        await shell.database.write(lambda connection: _count(connection, application_id, now))
        body = await self._worker.do(lambda: _worked_out(found, choice, row, policy))
        return self._answers.keep((row.id, choice), body)


def _count(connection: Connection, application_id: str, now: datetime) -> None:
    spend(connection, application_id, "explore", MOST_A_DAY, now)


def spend(connection: Connection, application_id: str, kind: str, most: int, now: datetime) -> None:
    """Count one of the day's reads; Problem `rate-limited`, until the day ends in UTC, where they are used up."""
    day = now.astimezone(UTC).date()
    if reads_of(connection, application_id, kind, day.isoformat()) >= most:
        tomorrow = datetime.combine(day + timedelta(days=1), time(), UTC)
        raise Problem("rate-limited", retry_after=max(int((tomorrow - now).total_seconds()), 1))
    count_read(connection, application_id, kind, day.isoformat())


def _check(choice: Choice, limit_cents: int, policy: Policy) -> None:
    faults = []
    amount, months, draw = choice.amount_cents, choice.months, choice.draw_cents
    if (amount is None) != (months is None):
        faults.append(FieldProblem("months" if months is None else "amount_cents", "missing", "Name both or neither"))
    if amount is not None and (amount % STEP_CENTS or not SMALLEST_CENTS <= amount <= limit_cents):
        faults.append(FieldProblem("amount_cents", "range", "Whole steps of $500, from $5,000 to the line offered"))
    longest = policy.limits.repayment_months
    if months is not None and not 1 <= months <= longest:
        faults.append(FieldProblem("months", "range", f"From 1 to {longest} months"))
    if draw is not None and not SMALLEST_DRAW_CENTS <= draw <= (amount or limit_cents):
        faults.append(FieldProblem("draw_cents", "range", "From $100 to the whole line"))
    if faults:
        raise Problem("validation-failed", faults)


def _worked_out(found: Recorded, choice: Choice, row: store.DecisionRow, policy: Policy) -> bytes:
    limit = row.limit_cents or 0
    if choice.amount_cents is not None and choice.months is not None:
        amounts, terms = [choice.amount_cents], [choice.months]
    else:
        amounts = _amounts(limit, policy.screening.least_amount_cents)
        terms = [months for months in _TERMS if months <= policy.limits.repayment_months]
    try:
        points = explore(found.application, found.facts, found.release, amounts, terms, choice.draw_cents)
    except ValueError:  # the fees withheld would be more than half of such a draw
        raise Problem("validation-failed", [FieldProblem("draw_cents", "range", "Too small a draw")]) from None
    chosen = points[0].cost if choice.amount_cents is not None else None
    told = None if chosen is None else chosen.model_dump(mode="json")
    return canonical_bytes(
        {
            "application_id": row.application_id,
            "decision_id": row.id,
            "offered_cents": limit,
            "held_until": None if row.expires_at is None else row.expires_at.isoformat().replace("+00:00", "Z"),
            "amounts_cents": amounts,
            "terms_months": terms,
            "options": [_option(point) for point in points],
            "schedule": told["schedule"] if told else [],
            "assumptions": told["assumptions"] if told else [],
            "synthetic": found.decision.synthetic,
        }
    )


def _amounts(limit_cents: int, least_cents: int) -> list[int]:
    """The line offered, and below it round amounts, twelve at the most."""
    step = next(each for each in _STEPS if (limit_cents - least_cents) // each < MOST_AMOUNTS - 1)
    first = (limit_cents - 1) // step * step
    return [limit_cents, *range(first, least_cents - 1, -step)]


def _option(point: Point) -> dict[str, object]:
    return {
        "amount_cents": point.amount_cents,
        "months": point.months,
        "outcome": point.outcome,
        "limit_cents": point.limit_cents,
        "monthly_rate_bps": point.monthly_rate_bps,
        "monthly_rate_percent": None if point.monthly_rate_bps is None else _percent(point.monthly_rate_bps),
        "cost": None if point.cost is None else _cost(point.cost),
    }


def _cost(cost: CostDisclosure) -> dict[str, object]:
    return cost.model_dump(mode="json", exclude=_LEFT_OUT)


def _percent(bps: int) -> str:
    return str(Decimal(bps) / 100)
