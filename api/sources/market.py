"""The reading side of a market file: facts and applications of made-up businesses, by ABN.

It does: open the file read-only and give back exactly what the simulator wrote. It does not: make, change
or re-date anything, nor give the later performance (that is training's alone). The rule it keeps: only a
file that says of itself that it is synthetic is read, so that pretend facts never pass for real ones.
"""

import sqlite3
import threading
import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.application import Application
from engine.facts import Facts

_MOST_FACTS_BYTES = 32_000_000  # inflated; 20,000 transactions take under 1 MB


class MarketFileError(Exception):
    """The file is absent, not a market file, or damaged; the message names the file, never its content."""


class MarketFile:
    """An open market file. Safe to use from several threads; close it, or use it in a `with`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open read-only; raises MarketFileError where this is no synthetic market file."""
        try:
            uri = f"{path.resolve().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        except sqlite3.Error:
            raise MarketFileError(f"{path} cannot be opened") from None
        try:
            told = connection.execute("SELECT value FROM market WHERE key = 'synthetic'").fetchone()
        except sqlite3.Error:
            told = None
        if told != ("true",):
            connection.close()
            raise MarketFileError(f"{path} is not a synthetic market file")
        return cls(connection, path)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def meta(self) -> dict[str, str]:
        """Seed, count, versions and digest, as the simulator wrote them."""
        return {str(key): str(value) for key, value in self._rows("SELECT key, value FROM market ORDER BY key")}

    def __len__(self) -> int:
        return int(str(self._rows("SELECT count(*) FROM business")[0][0]))

    def facts_for(self, abn: str) -> Facts | None:
        """The facts as stored, as of the day the business applied; None for an ABN not in the market."""
        found = self._rows("SELECT facts FROM business WHERE abn = ?", abn)
        return Facts.model_validate_json(self._inflate(found[0][0])) if found else None

    def application_of(self, abn: str) -> Application | None:
        """What the business of this ABN applied for; None for an ABN not in the market."""
        found = self._rows("SELECT application FROM business WHERE abn = ?", abn)
        return Application.model_validate_json(str(found[0][0])) if found else None

    def application_at(self, index: int) -> Application | None:
        """What the business of this number applied for, counted from 0; None past the end."""
        found = self._rows("SELECT application FROM business WHERE idx = ?", index)
        return Application.model_validate_json(str(found[0][0])) if found else None

    def sample_applications(self, count: int) -> tuple[Application, ...]:
        """Up to `count` applications, spread evenly over the market, the same ones every time."""
        total = len(self)
        picks = [place * total // count for place in range(count)] if 0 < count < total else range(total)
        found = (self.application_at(pick) for pick in (picks if count > 0 else ()))
        return tuple(application for application in found if application is not None)

    def _rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock:
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.Error:
                raise MarketFileError(f"{self.path} cannot be read") from None

    def _inflate(self, packed: object) -> bytes:
        stream = zlib.decompressobj()
        try:
            data = stream.decompress(packed if isinstance(packed, bytes) else b"", _MOST_FACTS_BYTES)
        except zlib.error:
            raise MarketFileError(f"{self.path} holds facts that cannot be inflated") from None
        if not stream.eof:
            raise MarketFileError(f"{self.path} holds facts that are cut short or too large")
        return data
