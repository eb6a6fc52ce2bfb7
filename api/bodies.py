"""Reading the body of a request within a bounded time.

It does: read a whole body, or hand over its pieces, until an absolute moment after the first byte was asked for. It
does not: bound the bytes (each route says how many it reads). The rule it keeps: nobody holds a place by sending
slowly; neither the framework nor the server sets such a limit.
"""

import asyncio
from collections.abc import AsyncIterator

from litestar.exceptions import InternalServerException

from api.errors import Problem
from api.requests import AnyRequest

RECEIVE_SECONDS = 10.0


async def whole_body(request: AnyRequest, seconds: float | None = None) -> bytes:
    """The whole body; Problem `request-timeout`, or `malformed-request` where the connection ends before the body does.

    A connection that stops making sense reads as one that ended.
    """
    try:
        async with asyncio.timeout(RECEIVE_SECONDS if seconds is None else seconds):
            return await request.body()
    except TimeoutError:
        raise Problem("request-timeout") from None
    except InternalServerException:
        raise Problem("malformed-request") from None


async def pieces(request: AnyRequest, seconds: float) -> AsyncIterator[bytes]:
    """The body piece by piece, all of it within so many seconds; the same problems."""
    until = asyncio.get_running_loop().time() + seconds
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout_at(until):
                piece = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Problem("request-timeout") from None
        except InternalServerException:
            raise Problem("malformed-request") from None
        yield piece
