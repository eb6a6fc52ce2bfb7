"""How a source misbehaves: late, broken, cut short, lying; on demand, and the same way every time.

It does: say of the nth request what is done to it, and spoil an answer's bytes. It does not: sleep, send or hold
a connection (api.sandbox.server does), nor draw by chance: a share is kept by counting, jitter by a checksum. The
rule it keeps: a switch concerns a whole source, a story's conduct its one ABN.
"""

import gzip
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.sandbox import PREFIXES, Ask, Told

Fault = Literal[
    "error",  # status 500
    "busy",  # status 503 and Retry-After
    "unauthorised",  # status 401, whatever the credentials
    "redirect",  # status 302, to the sandbox's own front page
    "garbage",  # 200, and bytes that are no JSON
    "truncated",  # 200, and the first half of the answer as if it were whole
    "compressed",  # 200, gzip that nobody asked for
    "oversized",  # 200, and 50 MB
    "trickle",  # the right answer, a byte at a time
    "reset",  # the connection is cut without an answer
    "black_hole",  # no answer for a minute, then the connection is cut
]
FAULTS: tuple[str, ...] = get_args(Fault)
LONGEST_S = 60.0  # of latency, of trickling, of saying nothing
_WHOLE_BPS = 10_000
_STATUSES = {"error": 500, "busy": 503, "unauthorised": 401, "redirect": 302}
_Milliseconds = Annotated[int, Field(ge=0, le=int(LONGEST_S * 1_000))]


class Switch(BaseModel):
    """What is done to a source's requests: `latency_ms` plus 0 to `jitter_ms`, and `fault` for `share` of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    latency_ms: _Milliseconds = 0
    jitter_ms: _Milliseconds = 0
    fault: Fault | None = None
    share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0


class Conduct(Switch):
    """The same for one story: only its `first` requests, only where `path` holds this text, or `about` another story.

    `about` names the story about which the source answers instead: true to form, and false.
    """

    first: Annotated[int, Field(ge=1)] | None = None
    path: str = ""
    about: str | None = None

    def concerns(self, ask: Ask, nth: int) -> bool:
        """Whether this request, the nth about the story's ABN counted from 0, is met this way."""
        return self.path in ask.path and (self.first is None or nth < self.first)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is done to one request."""

    delay_s: float = 0.0
    fault: Fault | None = None


def verdict(switch: Switch, nth: int, seed: str) -> Verdict:
    """What the switch does to its nth request, counted from 0: always the same for one seed."""
    share = round(switch.share * _WHOLE_BPS)
    struck = (nth + 1) * share // _WHOLE_BPS > nth * share // _WHOLE_BPS
    jitter = zlib.crc32(f"{seed}/{nth}".encode()) % (switch.jitter_ms + 1)
    return Verdict((switch.latency_ms + jitter) / 1_000, switch.fault if struck else None)


def spoiled(told: Told, fault: Fault | None) -> Told:
    """The answer as this fault leaves it; unchanged for the faults of the connection."""
    match fault:
        case "error" | "busy" | "unauthorised" | "redirect":
            headers = {"busy": {"Retry-After": "1"}, "redirect": {"Location": "/"}}.get(fault, {})
            return Told(b'{"error":"made up"}', _STATUSES[fault], headers=headers)
        case "garbage":
            return replace(told, status=200, body=bytes(byte ^ 0xA5 for byte in told.body[:10_000]) or b"\xa5")
        case "truncated":
            return replace(told, status=200, body=told.body[: len(told.body) // 2])
        case "compressed":
            body = gzip.compress(told.body, mtime=0)
            return replace(told, status=200, body=body, headers={**told.headers, "Content-Encoding": "gzip"})
    return told


def asked_about(ask: Ask, numbers: Mapping[str, str]) -> Ask:
    """The same question with other numbers (ABN for ABN, ACN for ACN) wherever they stand."""

    def other(text: str) -> str:
        for one, another in numbers.items():
            text = text.replace(one, another)
        return text

    return replace(
        ask,
        path=other(ask.path),
        query={name: other(value) for name, value in ask.query.items()},
        headers={name: other(value) for name, value in ask.headers.items()},
        body=other(ask.body.decode("latin-1")).encode("latin-1"),
    )


def switches(latencies: Iterable[str], faults: Iterable[str]) -> dict[str, Switch]:
    """Switches from the command line: `source=milliseconds`, `source=fault[:share]`; ValueError says what is wrong."""
    told: dict[str, dict[str, object]] = {}
    for option in latencies:
        source, milliseconds = _named(option)
        told.setdefault(source, {})["latency_ms"] = int(milliseconds) if milliseconds.isascii() else None
    for option in faults:
        source, fault = _named(option)
        fault, _, share = fault.partition(":")
        told.setdefault(source, {}).update(fault=fault, share=float(share or 1))
    try:
        return {source: Switch.model_validate(fields) for source, fields in told.items()}
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ValueError(f"{first['loc'][0]}: {first['msg']}") from None


def _named(option: str) -> tuple[str, str]:
    source, _, value = option.partition("=")
    if source.replace("-", "_") not in PREFIXES:
        raise ValueError(f"no source of that name; there are: {', '.join(PREFIXES)}")
    return source.replace("-", "_"), value
