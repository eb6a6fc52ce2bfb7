"""The door as a process opens it: by what the operator set.

The rule: outside development the console has one origin, it is set, and it is https.
"""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from api.guards import BlindIndex
from api.sealing import Sealer
from api.staff.door import Door
from api.staff.passwords import Passwords
from api.store.database import Database


def open_door(
    database: Database,
    sealer: Sealer,
    index: BlindIndex,
    clock: Callable[[], datetime],
    *,
    origin: str,
    port: int,
    development: bool,
) -> Door:
    """The people's entrance; close its `passwords` with the service.

    `origin` is where browsers find the console, such as https://console.lender.example; empty in development, which
    then is the loopback interface. ValueError for one that is no such address.
    """
    told = urlsplit(origin)
    if origin and (f"{told.scheme}://{told.netloc}" != origin or told.scheme not in {"https", "http"}):
        raise ValueError("CREDITLINE_ORIGIN is written https://host, without a path")
    if not development and told.scheme != "https":
        raise ValueError("CREDITLINE_ORIGIN must be set, and https: staff sign in there")
    origins = (origin,) if origin else (f"http://127.0.0.1:{port}", f"http://localhost:{port}")
    return Door(database, sealer, index, Passwords(), clock, origins, development)
