"""Staff for the tests: a door with cheap hashes and a clock that a test moves, members, and browsers in this process.

It does: open the door over a migrated database, enrol members, send requests with cookies as a browser does. It does
not: use a socket. The rule it keeps: everything behind the requests is the real thing but the cost of a hash.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import httpx
from argon2 import PasswordHasher
from litestar import Litestar
from litestar.types import ControllerRouterHandler
from sqlalchemy import text

from api.errors import handle
from api.guards import BlindIndex
from api.sealing import Sealer
from api.security import new_id, sha256_of
from api.settings import Settings
from api.staff import codes
from api.staff.door import Door
from api.staff.guarding import enforce
from api.staff.passwords import Passwords
from api.staff.sessions import SESSION_COOKIE, Opened
from api.store import queries as store
from api.store.database import Database
from tests.support.service import Clock

T = TypeVar("T")
ORIGIN = "https://console.lender.example"
PASSWORD = "violet kettle under the stairs"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ADDRESS = "192.0.2.7"


def run(work: Coroutine[Any, Any, T]) -> T:
    """Wait for one coroutine."""
    return asyncio.run(work)


class CountingPasswords(Passwords):
    """Cheap hashes, with a note of every verification: the kept hash that it worked on."""

    def __init__(self) -> None:
        super().__init__(CHEAP)
        self.verified: list[str] = []

    def _matches(self, kept: str, password: str) -> bool:
        self.verified.append(kept)
        return super()._matches(kept, password)


@dataclass(frozen=True)
class Person:
    """A member with what only they know."""

    id: str
    login: str
    seed: str
    password: str = PASSWORD


@dataclass
class House:
    """An opened door with its clock; `app` answers requests once `serve` was called."""

    door: Door
    clock: Clock
    passwords: CountingPasswords
    app: Litestar | None = None

    @property
    def database(self) -> Database:
        """The database behind it."""
        return self.door.database

    def member(self, *roles: str, login: str = "vera", demo: bool = False, enrolled: bool = True) -> Person:
        """Add a member, ready to sign in."""
        person = Person(new_id("stf"), login, codes.new_seed())
        kept = self.passwords.hash_now(person.password) if enrolled else None
        sealed = codes.seal_seed(self.door.sealer, person.id, person.seed) if enrolled else None
        now = self.clock()
        added = store.NewStaff(
            person.id, login, "Vera Sample", frozenset(roles or ("verifier",)), now, "tests", kept, sealed,
            now if enrolled else None, demo,
        )  # fmt: skip
        with self.database.transaction() as connection:
            store.add_staff(connection, added)
        return person

    def link(self, person: Person, token: str = "a token of an enrolment link") -> str:
        """Keep a link for a member and return its token."""
        now = self.clock()
        with self.database.transaction() as connection:
            ends = now + timedelta(hours=24)
            store.add_enrolment(connection, sha256_of(token), person.id, now, ends)
        return token

    def code(self, person: Person, steps: int = 0) -> str:
        """What the member's app shows now, or some steps away."""
        return codes.code_at(person.seed, self.clock() + timedelta(seconds=steps * codes.STEP_SECONDS))

    def look(self, work: Callable[[Any], T]) -> T:
        """Read from the database."""
        with self.database.transaction(read_only=True) as connection:
            return work(connection)

    def count(self, table: str, where: str = "1 = 1") -> int:
        """How many rows a table has."""
        return self.look(
            lambda connection: int(connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())
        )

    def serve(self, handlers: Sequence[ControllerRouterHandler]) -> "House":
        """Join these routes to an application whose guard is the real one."""
        self.app = Litestar(
            route_handlers=handlers, guards=[enforce], exception_handlers={Exception: handle}, openapi_config=None,
            logging_config=None,
        )  # fmt: skip
        self.app.state.settings, self.app.state.staff = Settings(), self.door
        return self

    def browser(self, address: str = ADDRESS) -> "Browser":
        """A browser with no cookies."""
        assert self.app is not None
        return Browser(self, address)


@dataclass
class Browser:
    """One browser: keeps cookies, says where a POST comes from, and finds the token in the page it shows."""

    house: House
    address: str
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    shown: str = ""

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request; redirections are not followed."""
        headers = {"Accept": "text/html", **more.pop("headers", {})}
        if method == "POST":
            headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", **headers}
        headers = {name: value for name, value in headers.items() if value is not None}

        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.house.app, client=(self.address, 40_000))  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=self.cookies) as client:
                reply = await client.request(method, path, headers=headers, **more)
                self.cookies = client.cookies
                return reply

        reply = asyncio.run(once())
        if reply.headers.get("content-type", "").startswith("text/html"):
            self.shown = reply.text
        return reply

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Look at a page."""
        return self.send("GET", path, **more)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of the page that is shown, with its token."""
        return self.send("POST", path, data={"csrf": self.csrf, **fields})

    def post_json(self, path: str, body: object) -> httpx.Response:
        """Send JSON as the page's script does."""
        return self.send("POST", path, json=body, headers={"X-CSRF-Token": self.csrf})

    @property
    def csrf(self) -> str:
        """The token in the page that is shown."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.shown)
        return found[1] if found else ""

    @property
    def token(self) -> str | None:
        """The session's token, which only the browser holds."""
        return self.cookies.get(SESSION_COOKIE)

    def sign_in(self, person: Person) -> None:
        """Go through both stages; the clock moves on so that no code is used twice."""
        self.house.clock.advance(2 * codes.STEP_SECONDS)
        self.get("/console/sign-in")
        assert self.post("/console/sign-in", login=person.login, password=person.password).status_code == 303
        assert self.get("/console/sign-in/code").status_code == 200
        reply = self.post("/console/sign-in/code", code=self.house.code(person))
        assert (reply.status_code, reply.headers["location"]) == (303, "/console")


def opened(outcome: object) -> Opened:
    """The session that an attempt opened."""
    assert isinstance(outcome, Opened), outcome
    return outcome


@contextmanager
def house(url: str, *, development: bool = False) -> Iterator[House]:
    """A door over this database."""
    passwords, clock = CountingPasswords(), Clock()
    with Database.open(url) as database:
        sealer, index = Sealer({"tests": bytes(range(32))}), BlindIndex(b"a key of blind indexes for tests")
        yield House(Door(database, sealer, index, passwords, clock, (ORIGIN,), development), clock, passwords)
    passwords.close()
