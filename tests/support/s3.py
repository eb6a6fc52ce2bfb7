"""A small S3-like server on 127.0.0.1: whole objects in one bucket, put, got and deleted, kept in memory.

It does: answer as obstore needs it (which deletes by a list of keys, in one POST to the bucket), take only signed
requests, and fail as it is told. It does not: check signatures. The rule it keeps: as with the real one, a key that
holds nothing is told as deleted.
"""

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

BUCKET = "papers"
_MISSING = "<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>"


@dataclass
class Bucket:
    """What is kept, by path; `refuses` is a status that every request is answered with."""

    url: str = ""
    kept: dict[str, bytes] = field(default_factory=dict)
    refuses: int | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def options(self) -> dict[str, Any]:
        """What obstore is given to reach it."""
        return {
            "endpoint": self.url, "region": "us-east-1", "access_key_id": "sample",
            "secret_access_key": "sample-secret", "virtual_hosted_style_request": False,
            "client_options": {"allow_http": True},
        }  # fmt: skip

    async def answer(self, request: web.Request) -> web.Response:
        """One request."""
        key = request.match_info.get("key", "")
        self.asked.append(f"{request.method} {key}")
        if "Authorization" not in request.headers:
            return web.Response(status=403)
        if self.refuses is not None:
            return web.Response(status=self.refuses, text="<Error><Code>Refused</Code></Error>")
        if request.method == "PUT":
            self.kept[key] = await request.read()
            return web.Response(headers={"ETag": _tag(self.kept[key])})
        if request.method == "POST" and "delete" in request.query:
            return self._delete(re.findall("<Key>([^<]+)</Key>", (await request.read()).decode()))
        if key not in self.kept:
            return web.Response(status=404, text=_MISSING)
        headers = {"ETag": _tag(self.kept[key]), "Last-Modified": "Tue, 03 Mar 2026 00:00:00 GMT"}
        return web.Response(body=self.kept[key], headers=headers)

    def _delete(self, keys: list[str]) -> web.Response:
        for key in keys:
            self.kept.pop(key, None)
        told = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        return web.Response(text=f"<DeleteResult>{told}</DeleteResult>", content_type="application/xml")


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()}"'


@asynccontextmanager
async def serving_bucket() -> AsyncIterator[Bucket]:
    """The server for as long as the block lasts."""
    bucket = Bucket()
    app = web.Application(client_max_size=20_000_000)
    app.router.add_route("POST", f"/{BUCKET}", bucket.answer)
    app.router.add_route("*", f"/{BUCKET}/{{key:.*}}", bucket.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        bucket.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield bucket
    finally:
        await runner.cleanup()
