"""Replies of pages: HTML, a step on by GET, a file; all with the same headers.

The rule: only our own files are sent compressed. A page holds a token beside what somebody typed, and the length of the
two pressed together would tell a listener about the token.
"""

from collections.abc import Sequence

from litestar import Response
from litestar.datastructures import Cookie

from api.pages.assets import CACHING, Asset

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def html(body: bytes, status: int = 200, cookies: Sequence[Cookie] = ()) -> Response[bytes]:
    """A page."""
    return Response(body, status_code=status, media_type="text/html", headers=HEADERS, cookies=list(cookies))


def go_to(place: str, cookies: Sequence[Cookie] = ()) -> Response[bytes]:
    """On to another page, by GET."""
    return Response(
        b"", status_code=303, media_type="text/plain", headers={**HEADERS, "Location": place}, cookies=list(cookies)
    )


def asset_reply(asset: Asset, accepts: str = "") -> Response[bytes]:
    """One of our own files, kept by browsers for as long as its address names it; compressed for who `accepts` it."""
    headers = {"Cache-Control": CACHING, "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
    if "gzip" not in accepts:
        return Response(asset.body, media_type=asset.media_type, headers=headers)
    return Response(asset.gzipped, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
