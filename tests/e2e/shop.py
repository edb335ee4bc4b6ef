"""The shop under test: serves whatever HTML a test gives it, on another origin than the relay."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx

HOST = "toko.localhost"

# The stub for templates that call before the tag has arrived (DESIGN 5.3, to the letter).
STUB = (
    "<script>window.pixelmirror=window.pixelmirror||function(){(pixelmirror.q=pixelmirror.q||[])"
    ".push([Date.now()].concat([].slice.call(arguments)))}</script>"
)


class Shop:
    """Pages by path, whatever the host name they are asked for by."""

    def __init__(self, relay: str) -> None:
        self.relay = relay
        self.start = ""  # what the tag says of it
        self.posted: list[str] = []  # bodies posted to the shop itself
        self._pages: dict[str, tuple[bytes, dict[str, str]]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.port: int = self._server.server_address[1]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def clear(self) -> None:
        self._pages.clear()
        self.posted.clear()

    def origin(self, host: str = HOST) -> str:
        return f"http://{host}:{self.port}"

    def url(self, path: str, host: str = HOST) -> str:
        return self.origin(host) + path

    def tag(self, site: str = "toko", *, attributes: str = "async", relay: str = "") -> str:
        """The tag to paste; `attributes` as they stand in the markup."""
        return f'<script {attributes}{self.start} src="{relay or self.relay}/s/{site}.js"></script>'

    def page(
        self,
        path: str,
        body: str = "",
        *,
        tag: str | None = None,
        head: str = "",
        headers: dict[str, str] | None = None,
    ) -> str:
        """There is a page under this path now; toko's tag is in its head unless `tag` is given."""
        tag = self.tag() if tag is None else tag
        text = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Toko</title>'
            f'<link rel="icon" href="data:,">{tag}{head}</head>'
            f"<body><h1>Toko</h1>{body}</body></html>"
        )
        kept = {"Content-Type": "text/html; charset=utf-8", **(headers or {})}
        self._pages[path] = (text.encode(), kept)
        return path

    def file(self, path: str, content: bytes, media_type: str) -> str:
        """There is a file of the shop's own under this path now."""
        self._pages[path] = (content, {"Content-Type": media_type})
        return path

    def relay_here(self, site: str) -> str:
        """The path of a loader that takes the shop for its relay, so that `posted` holds it all.

        Chromium does not tell of a beacon that a page sends while it goes.
        """
        text = httpx.get(f"{self.relay}/s/{site}.js").text
        there, here = (
            f'"//{urlsplit(base).netloc}/s/{site}"' for base in (self.relay, self.origin())
        )
        assert there in text
        content = text.replace(there, here).encode()
        return self.file(f"/s/{site}.js", content, "text/javascript")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pages, posted = self._pages, self.posted

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                content, headers = pages.get(urlsplit(self.path).path, (b"", {}))
                self.send_response(200 if content else 404)
                for name, value in {"Cache-Control": "no-store", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                posted.append(self.rfile.read(length).decode())
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its own name
                """Nothing is logged: a test says itself what it saw."""

        return Handler
