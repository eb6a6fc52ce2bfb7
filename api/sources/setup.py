"""The ladder as the settings say: one client and one line a source.

It does: join clients, lines, credentials and the sanctions list. It does not: ask anybody. The rules it keeps: what is
not set up is simply missing from the ladder, which refers every application and names it; outside development nothing
is asked for without encryption.
"""

import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from api.sources import Client, Source, SourceFailed
from api.sources.bank import Bank
from api.sources.bureau import Bureau
from api.sources.company_register import Companies
from api.sources.exchange import Exchange
from api.sources.ladder import Ladder, Post
from api.sources.line import Line
from api.sources.marketplace import Marketplace
from api.sources.register import Register
from api.sources.sanctions import Compliance
from api.sources.sanctions.workbook import MOST_BYTES
from api.sources.settings import Place, SourceSettings

_MOST_BYTES = {"bank": 8_000_000, "marketplace": 2_000_000, "bureau": 2_000_000}
_MOST_BYTES_ELSE = 200_000


class Unencrypted(RuntimeError):
    """A source would be asked in plain text outside development; the message names it, never its address."""


def ladder(settings: SourceSettings, clock: Callable[[], datetime], *, development: bool) -> Ladder:
    """Every source that is set up, as one ladder; raises Unencrypted."""
    if not development:
        refuse_plain_text(settings)
    beside = settings.company_register
    register_of_companies = None if beside is None else Exchange(_line("company-register", beside))
    companies = None if register_of_companies is None else Companies(register_of_companies)
    made: dict[Source, tuple[str, Place | None, Callable[[Place], Client[Any]]]] = {
        "registry": ("register", settings.register, lambda place: Register(place.credential.reveal(), companies)),
        "marketplace": ("marketplace", settings.marketplace, lambda _: Marketplace()),
        "bank": ("bank", settings.bank, lambda _: Bank()),
        "bureau": ("bureau", settings.bureau, lambda _: Bureau()),
    }
    posts = {
        source: Post(client(place), Exchange(_line(name, place)))
        for source, (name, place, client) in made.items()
        if place is not None
    }
    origin = _Published(settings.sanctions_list) if settings.sanctions_list else None
    compliance = None if origin is None else Compliance(origin.content if origin.exchange else Path(origin.place))
    also = (register_of_companies, None if origin is None else origin.exchange)
    return Ladder(
        posts, compliance, clock, development=development, made_up_list=lambda: origin is not None and origin.made_up,
        also=[exchange for exchange in also if exchange is not None],
    )  # fmt: skip


def refuse_plain_text(settings: SourceSettings) -> None:
    """Raise Unencrypted for an address that is not https."""
    urls = {name: place.url for name, place in settings.places} | {"sanctions_list": settings.sanctions_list or ""}
    for name, url in urls.items():
        if url.startswith("http://"):
            raise Unencrypted(f"the address of {name} is not https, which only development may do")


class _Published:
    """The sanctions list at an address, or a file of the operator's."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.made_up = False
        self.exchange = None
        if place.startswith(("http://", "https://")):
            base, _, self._name = place.rpartition("/")
            self.exchange = Exchange(Line("sanctions-list", base, {}, timeout_s=60.0, most_bytes=MOST_BYTES))

    async def content(self) -> bytes:
        """The list's bytes as they are published now; raises SourceFailed."""
        if self.exchange is None:
            raise SourceFailed("not_configured")
        async with self.exchange.conversation(math.inf) as conversation:
            reply = await conversation.get(f"/{self._name}", text=False)
        self.made_up = conversation.sandbox
        return reply.body


def _line(name: str, place: Place) -> Line:
    """How a place is reached: with its token as a bearer, except the register, which wants it in the address."""
    headers = {} if name == "register" else {"Authorization": f"Bearer {place.credential.reveal()}"}
    return Line(
        name=name, base_url=place.url, headers=headers, timeout_s=place.timeout_s,
        most_bytes=largest_answer(name),
    )  # fmt: skip


def largest_answer(name: str) -> int:
    """How many bytes one answer of this source may have."""
    return _MOST_BYTES.get(name, _MOST_BYTES_ELSE)
