"""The sandbox in this process: the real server on a free port of the loopback interface, in a thread of its own.

It does: start it, set its switches, count what each source was asked, and stop it. It does not: fake anything. The
rule it keeps: every wait is bounded.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from api.sandbox.misbehaviour import Switch
from api.sandbox.server import Sandbox, serving, sydney_today
from api.sources.market import MarketFile

_START_S = 20.0
_STOP_S = 20.0


class SandboxServer:
    """A running sandbox, for as long as a `with` lasts."""

    def __init__(self, market: Path | None = None, today: Callable[[], date] = sydney_today) -> None:
        self._market = None if market is None else MarketFile.open(market)
        self._sandbox = Sandbox(self._market, today=today)
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.url = ""

    @property
    def requests(self) -> Mapping[str, int]:
        """How often each source was asked so far; a source that never was counts 0."""
        return self._sandbox.requests

    def switch(self, source: str, **fields: Any) -> None:
        """Set a source's switch (latency_ms, jitter_ms, fault, share); without fields it behaves again."""
        assert self._loop is not None
        done = threading.Event()

        def set_it() -> None:
            self._sandbox.switch(source, switch)
            done.set()

        switch = Switch(**fields)
        self._loop.call_soon_threadsafe(set_it)
        assert done.wait(_START_S)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise RuntimeError("the sandbox did not get ready")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_S)
        if self._market is not None:
            self._market.close()
        if self._thread.is_alive():
            raise RuntimeError("the sandbox did not stop")

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with serving(self._sandbox) as self.url:
            self._ready.set()
            await self._stop.wait()
