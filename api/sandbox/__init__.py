"""The sandbox: a real HTTP server that plays every outside source in its own wire format, with made-up data.

It does: answer for the businesses of a market file and for a book of documented stories, the same business the
same answer for ever (dated today), and misbehave on demand. It does not: hold anything real, or pretend to: every
reply carries `X-Sandbox: synthetic`. The rule it keeps: facts only for synthetic ABNs.

Each source's module is pure: `answer(world, ask) -> Told`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from engine.application import Application
from engine.facts import Facts

MARK = ("X-Sandbox", "synthetic")

# Each source's name, which is its module's, and where its URLs begin.
PREFIXES: Mapping[str, str] = {
    "register": "/abn-lookup",
    "company_register": "/company-register",
    "marketplace": "/marketplace",
    "bank": "/cdr",
    "bureau": "/bureau",
    "sanctions": "/sanctions",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as a source sees it: `path` is below the source's own prefix; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Told:
    """A source's reply."""

    body: bytes
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class World(Protocol):
    """What the sources know: one truth behind all of them."""

    today: date

    def facts(self, abn: str) -> Facts | None:
        """Facts of a made-up business, dated today; None for an ABN nobody has heard of."""
        ...

    def application(self, abn: str) -> Application | None:
        """What it applies for, where that is known."""
        ...

    def abn_of_company(self, acn: str) -> str | None:
        """The ABN of a made-up company."""
        ...
