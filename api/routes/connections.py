"""What connecting the bank usually gives, told before consent is asked, with uploading beside it on the same footing.

It does: read the question, answer it in one background thread, and remember the answer for others who ask the same.
It does not: ask a source, write to the store, or keep who asked. The rules it keeps: the same question on the same day
gets the same bytes; what is told is a range over other businesses or that it varies, never how near this one is.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Self

from litestar import Response, post
from pydantic import ValidationError

from api.bodies import whole_body
from api.comparables import LEAST_TRIED, BankValue, Comparables, Question, value_of_connecting
from api.errors import Problem, field_problems
from api.requests import AnyRequest, shell_of
from api.wire import check_json, require_json
from engine.canonical import canonical_bytes, digest
from engine.decision import DecidingRelease
from engine.whatif import Range

CONNECTION_VALUE = "/v1/connection-value"
MOST_QUESTION_BYTES = 20_000
MOST_ANSWERS = 2_000  # remembered; about 1 kB each
MOST_WAITING = 8  # questions in line for the one thread, at about a fifth of a second each
BURST, A_SECOND = 60.0, 1.0  # new questions that one key may ask at once, and in the long run
MOST_CALLERS = 1_000

_WORDS = {"connect": "Connecting your bank", "upload": "Uploading your bank statements"}
_NOTE = (
    "What comparable businesses would get, not an offer. Where a range is named, at least half of them would be "
    "offered a line, and at least four in five of those lines lie inside it."
)


class Connections:
    """The answers of one process. Close it with the service."""

    def __init__(self, comparables: Comparables, clock: Callable[[], float] = time.monotonic) -> None:
        self._comparables = comparables
        self._clock = clock
        self._answers: OrderedDict[str, bytes] = OrderedDict()
        self._budgets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        # One thread: a decision holds the interpreter, and applications come first.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="connections")
        self._pending: dict[str, Future[bytes]] = {}
        self._lock = Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Over a file of comparables; raises api.comparables.ComparablesError."""
        return cls(Comparables.open(path))

    @property
    def synthetic(self) -> bool:
        """Whether the comparable businesses are made up."""
        return self._comparables.synthetic

    def close(self) -> None:
        """Let the thread end; questions in line are dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def answer(self, question: Question, caller_id: str, release: DecidingRelease, today: date) -> bytes:
        """The reply's body; Problem `rate-limited` for a caller with too many new questions, `overloaded` in a rush."""
        asked = question.general()
        key = digest([asked.model_dump(mode="json"), today.isoformat(), release.digest, self._comparables.digest])
        with self._lock:
            known = self._answers.get(key)
            if known is not None:
                self._answers.move_to_end(key)
                return known
            if key not in self._pending:
                if len(self._pending) >= MOST_WAITING:
                    raise Problem("overloaded")
                self._spend(caller_id)
                self._pending[key] = self._thread.submit(self._work, key, asked, release, today)
            pending = self._pending[key]
        # Shielded: whoever asked the same still gets it when this caller goes away.
        return await asyncio.shield(asyncio.wrap_future(pending))

    def _work(self, key: str, asked: Question, release: DecidingRelease, today: date) -> bytes:
        try:
            body = _told(value_of_connecting(self._comparables, asked.application(today), release, today))
            with self._lock:
                self._answers[key] = body
                if len(self._answers) > MOST_ANSWERS:
                    self._answers.popitem(last=False)
            return body
        finally:
            with self._lock:
                del self._pending[key]

    def _spend(self, caller_id: str) -> None:
        """Take one of the caller's questions, or raise `rate-limited`."""
        now = self._clock()
        left, at = self._budgets.pop(caller_id, (BURST, now))
        left = min(left + (now - at) * A_SECOND, BURST)
        self._budgets[caller_id] = (left - 1 if left >= 1 else left, now)
        if len(self._budgets) > MOST_CALLERS:
            self._budgets.popitem(last=False)
        if left < 1:
            raise Problem("rate-limited")


def _told(value: BankValue) -> bytes:
    kind = "synthetic data" if value.synthetic else "de-identified"
    return canonical_bytes(
        {
            "source": "bank",
            "ways": [_way("connect", value.connected), _way("upload", value.uploaded)],
            "without_cents": value.without.median_cents if _usual(value.without) else None,
            "note": _NOTE,
            "basis": f"{value.connected.tried} comparable businesses, {kind}",
            "synthetic": value.synthetic,
        }
    )


def _usual(found: Range) -> bool:
    """Whether a range may be called usual: at least half of enough businesses would be offered a line."""
    return found.tried >= LEAST_TRIED and found.approved * 2 >= found.tried


def _way(way: str, found: Range) -> dict[str, object]:
    """One way of bringing statements; every way is told in the same fields and the same words."""
    low, high = found.low_cents, found.high_cents
    usual = _usual(found)
    if not usual or low is None or high is None:
        words = f"What {_WORDS[way].lower()} gives varies too much to name a range."
    elif low == high:
        words = f"{_WORDS[way]} usually gives a line of {_dollars(low)}."
    else:
        words = f"{_WORDS[way]} usually gives a line between {_dollars(low)} and {_dollars(high)}."
    return {
        "way": way, "usual": usual, "words": words, "line_low_cents": low if usual else None,
        "line_median_cents": found.median_cents if usual else None, "line_high_cents": high if usual else None,
    }  # fmt: skip


def _dollars(cents: int) -> str:
    return f"${cents // 100:,}"  # lines are whole multiples of $500


def parse_question(body: bytes, today: date) -> Question:
    """A validated question; Problem `malformed-json` or `validation-failed` with every field problem."""
    check_json(body)
    try:
        return Question.model_validate_json(body, context={"today": today})
    except ValidationError as error:
        if error.errors(include_input=False)[0]["type"] == "json_invalid":
            raise Problem("malformed-json") from None
        raise Problem("validation-failed", field_problems(error)) from None


@post(
    CONNECTION_VALUE, status_code=200, opt={"scopes": ("apply",)}, request_max_body_size=MOST_QUESTION_BYTES,
    include_in_schema=False,
)  # fmt: skip
async def connection_value(request: AnyRequest) -> Response[bytes]:
    """What connecting or uploading usually gives; 503 `not-configured` where the operator has set no comparables."""
    caller = await request.app.state.keyring.caller(request.headers.get("authorization"))
    caller.require("apply")
    connections: Connections | None = request.app.state.connections
    if connections is None:
        raise Problem("not-configured")
    require_json(request.headers.get("content-type"), request.headers.get("content-encoding"))
    body = await whole_body(request)
    shell = shell_of(request)
    today = shell.clock().date()
    told = await connections.answer(parse_question(body, today), caller.id, shell.release, today)
    return Response(told, media_type="application/json", headers={"Cache-Control": "no-store"})
