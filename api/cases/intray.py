"""What documents come in through: storage, the confined processes that look at them, the scanner."""

import asyncio
from dataclasses import dataclass, field

from api.documents.inspector import Inspector
from api.documents.receiving import Door
from api.documents.scanner import Scanner
from api.documents.storage import Storage


@dataclass(frozen=True, slots=True)
class Intray:
    """`arrived` is set when a document came, so that the worker need not wait for its next tick."""

    storage: Storage
    inspector: Inspector
    scanner: Scanner
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    door: Door = field(default_factory=Door)
