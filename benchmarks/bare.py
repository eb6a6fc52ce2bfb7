"""The same server and framework with one empty handler: what a service costs before it does anything.

It does: answer GET /health. It does not: import anything of ours. The rule it keeps: same server, same interface,
same number of workers as the service.
"""

import os

from granian import Granian
from granian.constants import Interfaces
from litestar import Litestar, get


@get("/health")
async def health() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok"}


def create() -> Litestar:
    """The application."""
    return Litestar([health], openapi_config=None, logging_config=None)


if __name__ == "__main__":
    Granian(
        "benchmarks.bare:create", factory=True, interface=Interfaces.ASGINL, address="127.0.0.1",
        port=int(os.environ["CREDITLINE_PORT"]), workers=1, log_access=False,
    ).serve()  # fmt: skip
