"""A browser at the console of a service on a socket: it keeps its session, and finds the token in the page it shows.

It does: sign in through both stages, look at pages, send their forms. It does not: run scripts. The rule it keeps: what
it sends is what a browser would send from that page.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from api.staff import codes
from api.staff.demo import DEMO_PASSWORD, demo_seed
from api.staff.sessions import SESSION_COOKIE


@dataclass
class Visitor:
    """One browser; `origin` is the console's address. `replies` is all that it got."""

    origin: str
    session: str = ""
    shown: str = ""
    replies: list[httpx.Response] = field(default_factory=list)

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request; redirections are not followed."""
        headers = {"Accept": "text/html", "Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        if self.session:
            headers["Cookie"] = f"{SESSION_COOKIE}={self.session}"
        headers |= more.pop("headers", {})
        reply = httpx.request(method, f"{self.origin}{path}", headers=headers, timeout=60, verify=False, **more)
        self.replies.append(reply)
        for told in reply.headers.get_list("set-cookie"):
            if found := re.match(rf"{SESSION_COOKIE}=([^;]*)", told):
                self.session = found[1].strip('"')
        if reply.headers.get("content-type", "").startswith("text/html"):
            self.shown = reply.text
        return reply

    @property
    def csrf(self) -> str:
        """The token in the page that is shown."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.shown)
        return found[1] if found else ""

    def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        return self.send("GET", path)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form with the token of the page that is shown."""
        return self.send("POST", path, data={"csrf": self.csrf, **fields})

    def sign_in(self, login: str, password: str, seed: str) -> None:
        """Go through both stages with the code of this moment."""
        assert self.post("/console/sign-in", login=login, password=password).status_code == 303
        assert self.get("/console/sign-in/code").status_code == 200
        reply = self.post("/console/sign-in/code", code=codes.code_at(seed, datetime.now(UTC)))
        assert (reply.status_code, reply.headers["location"]) == (303, "/console"), reply.text

    @classmethod
    def demo(cls, origin: str, login: str) -> "Visitor":
        """A demo member, signed in."""
        made = cls(origin)
        made.sign_in(login, DEMO_PASSWORD, demo_seed(login))
        return made
