"""The samples on a loopback port, with the headers that the service sends, and every form kept that is sent."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from PIL import Image, ImageDraw

from api.console.rendering import ASSETS, PLACE, live_board, show
from api.console.views import BoardView
from api.pages.assets import CACHING
from api.pages.replies import HEADERS
from tests.support.console_samples import SAMPLES
from tests.support.console_samples.boards import BOARD
from tests.support.console_samples.shared import SampleMember

CSRF = "csrf-of-the-sample"


def sheet() -> bytes:
    """A made-up page of a document, as a picture."""
    image = Image.new("L", (900, 1273), 255)
    draw = ImageDraw.Draw(image)
    draw.text((60, 40), "SPECIMEN - synthetic document", fill=90)
    for row in range(36):
        draw.rectangle((72, 140 + row * 30, 240 + (row * 37) % 200, 148 + row * 30), fill=170)
        draw.rectangle((640 + (row * 13) % 60, 140 + row * 30, 820, 148 + row * 30), fill=150)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@dataclass
class Served:
    """Where the samples are served, what the board says now, and every form that was sent.

    `holding` is the status by which a page is told whether its case is still its own.
    """

    address: str = ""
    board: BoardView = BOARD
    holding: int = 200
    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # of the board's own questions
    renewals: list[str] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    def page(self, name: str) -> str:
        """The address of a sample."""
        return f"{self.address}/sample/{name}"


def _handler(served: Served, picture: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def reply(
            self, status: int, body: bytes = b"", media_type: str = "text/html; charset=utf-8", **more: str
        ) -> None:
            self.send_response(status)
            for name, value in {**HEADERS, **{key.replace("_", "-"): value for key, value in more.items()}}.items():
                self.send_header(name, value)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith("/sample/"):
                return self.reply(200, _page(path.removeprefix("/sample/")))
            if path.startswith(PLACE) and path.removeprefix(f"{PLACE}/") in ASSETS.files:
                asset = ASSETS.files[path.removeprefix(f"{PLACE}/")]
                return self.reply(200, asset.body, f"{asset.media_type}; charset=utf-8", Cache_Control=CACHING)
            if path.endswith(".png"):
                return self.reply(200, picture, "image/png")
            if path == "/console/board/version":
                return self.board()
            return self.reply(200, _page({"/console": "board"}.get(path, "message-not-found")))

        def board(self) -> None:
            now = live_board(served.board, csrf=CSRF)
            same = self.headers.get("If-None-Match") == f'"{now.version}"'
            served.statuses.append(304 if same else 200)
            self.reply(304 if same else 200, b"" if same else now.body, ETag=f'"{now.version}"')

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            if self.path.endswith("/renewal"):
                served.renewals.append(self.headers.get("X-CSRF-Token", ""))
                return self.reply(served.holding, b"Tue 14:47", "text/plain")
            served.sent.append((self.path, dict(parse_qsl(body, keep_blank_values=True))))
            served.arrived.set()
            return self.reply(303, Location="/console")

    return Handler


def _page(name: str) -> bytes:
    return show(SAMPLES[name], member=SampleMember(), csrf=CSRF, demo=True)


@contextmanager
def serving() -> Iterator[Served]:
    """The samples on a loopback port, for as long as the block lasts."""
    served = Served()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served, sheet()))
    served.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
