"""Asking a confined process about a file, a few at a time.

It does: bound how many processes run at once, and read their answers strictly. It does not: parse the file here. The
rule it keeps: a file is refused for what it is, or for what it did to the process that looked; a process that failed
for any other reason says nothing about the file, and whoever asked tries again, or leaves it to people.
"""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

import msgspec
import structlog

from api.documents.confinement import ChildFailed, Limits, run

log = structlog.get_logger()
MODULE = "api.documents.inspection"
PAGE_WIDTH = 1_100
LIMITS: Final = Limits(cpu_seconds=5, wall_seconds=30.0, memory_mb=1_280)
BLAMED: Final = {"cpu": "took_too_much", "memory": "took_too_much", "crashed": "broke_the_reader"}
_PNG = b"\x89PNG\r\n\x1a\n"
Boxes = Iterable[tuple[int, int, int, int, int]]


class Inspected(msgspec.Struct, frozen=True):
    """What the file is: `clean` with type, pages and the hash of its first page, or `rejected` with a code."""

    verdict: Literal["clean", "rejected"]
    network: Literal["none", "host"]
    media_type: Literal["application/pdf", "image/png", "image/jpeg"] | None = None
    pages: Annotated[int, msgspec.Meta(ge=1, le=200)] | None = None
    perceptual: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")] | None = None
    code: Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,40}$")] | None = None


class Inspector:
    """Runs confined processes, so many at once: of those that look, and as many again for people who want a page."""

    def __init__(self, at_once: int = 1) -> None:
        # Checks take up to two minutes: whoever looks at a page does not wait behind them.
        self._looks, self._pages = asyncio.Semaphore(at_once), asyncio.Semaphore(at_once)
        self._warned = False

    async def inspect(self, content: bytes) -> Inspected:
        """What a file is; one that broke its process or took all it may is rejected. Raises ChildFailed otherwise."""
        try:
            told, _ = await self.run(MODULE, {"do": "inspect"}, content, LIMITS)
            inspected = msgspec.convert(told, Inspected)
        except ChildFailed as failed:
            if failed.why not in BLAMED:
                raise
            return Inspected("rejected", "host", code=BLAMED[failed.why])
        except msgspec.ValidationError:
            raise ChildFailed("answer") from None
        if inspected.network == "host" and not self._warned:
            self._warned = True
            log.warning("documents_not_confined", says="this system neither cuts the network of a process nor locks it")
        return inspected

    async def render(self, content: bytes, page: int, boxes: Boxes = (), width: int = PAGE_WIDTH) -> bytes:
        """A page as PNG, boxes blacked out; raises ChildFailed."""
        header = {"do": "render", "page": page, "width": width, "boxes": [list(box) for box in boxes]}
        async with self._pages:
            _, picture = await run(MODULE, header, content, LIMITS)
        if not picture.startswith(_PNG):
            raise ChildFailed("answer")
        return picture

    async def run(
        self, module: str, header: dict[str, Any], content: bytes, limits: Limits
    ) -> tuple[dict[str, Any], bytes]:
        """One piece of work of any confined module, in its turn; raises ChildFailed."""
        async with self._looks:
            return await run(module, header, content, limits)
