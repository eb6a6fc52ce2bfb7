"""Our decisions and scores over HTTP with nothing stored: what deciding costs a server, without the record of it.

It does: answer a few routes by granian's own interface, which hands over a whole body at once. It does not: check who
asks or whether records hold together, keep anything, or fetch facts. The rule it keeps: what a route replies is what
the engine says, to the byte; what a framework does around that is left out.
"""

import gc
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from granian import Granian
from granian.constants import Interfaces

import models
from api.memory import settle
from api.replies import Recorded, public_reply
from benchmarks.http.derived import Derived, Whole
from engine.decision import Decision, decide, decide_case
from engine.features import FEATURE_NAMES
from engine.release import Release
from engine.scoring import Scorer

Answer = Callable[[bytes], bytes]
MODEL = "CREDITLINE_BENCHMARK_MODEL"
_ROW = msgspec.json.Decoder(list[float])
_JSON = [("content-type", "application/json")]


def create() -> Callable[[Any, Any], Awaitable[None]]:
    """The application, with the champion's policy and the model of the environment's file."""
    made = application(release_with(Path(os.environ[MODEL]).read_text()))
    settle()
    gc.set_threshold(20_000, 50, 50)  # both as the service does it
    return made


def release_with(model: str) -> Release:
    """The champion with another model in it, on the same features."""
    return replace(models.champion(), scorer=Scorer(model, FEATURE_NAMES))


def routes(release: Release) -> dict[str, Answer]:
    """What each path answers to the body of a request."""
    scorer = release.scorer

    def score(body: bytes) -> bytes:
        return msgspec.json.encode({"score": scorer.raw(np.array(_ROW.decode(body)))})

    def explain(body: bytes) -> bytes:
        row = np.array(_ROW.decode(body))
        return msgspec.json.encode({"score": scorer.raw(row), "contributions": scorer.contributions(row).tolist()})

    def derived(body: bytes) -> bytes:
        case, row = Derived.read(body).case(release)
        return reply(decide_case(case, row, release))

    def whole(body: bytes) -> bytes:
        given = Whole.read(body)
        return reply(decide(given.application, given.facts, release))

    return {"/score": score, "/explain": explain, "/derived": derived, "/whole": whole, "/nothing": lambda body: b"{}"}


def reply(decision: Decision) -> bytes:
    """The public reply, with nothing where a stored decision has its numbers."""
    return public_reply(Recorded("", "", decision.as_of, decision, 0, ""))


def application(release: Release) -> Callable[[Any, Any], Awaitable[None]]:
    """The routes as granian calls them; any other path is not there."""
    answers = routes(release)

    async def serve(scope: Any, protocol: Any) -> None:
        answer = answers.get(scope.path)
        if answer is None:
            protocol.response_empty(404, [])
            return
        protocol.response_bytes(200, _JSON, answer(await protocol()))

    return serve


if __name__ == "__main__":
    Granian(
        "benchmarks.http.app:create", factory=True, interface=Interfaces.RSGI, address="127.0.0.1",
        port=int(os.environ["CREDITLINE_PORT"]), workers=1, log_access=False,
    ).serve()  # fmt: skip
