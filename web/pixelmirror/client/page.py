"""httpx in a Pyodide page: its requests go by pyodide-http, as a page has no sockets."""

from __future__ import annotations

import httpx

# What a browser sets itself and lets no script set, as httpx does by itself.
BROWSERS = ("accept-encoding", "connection", "content-length", "host", "user-agent")

# The browser has undone these already.
UNDONE = ("content-encoding", "content-length", "transfer-encoding")


class PageTransport(httpx.BaseTransport):
    """Sends by the page's XMLHttpRequest, which holds the page until the answer is there.

    Time-outs count in a worker only: browsers allow none in a page's main thread.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # Only a page has them.
        from pyodide.ffi import JsException
        from pyodide_http import _core as pyodide_http

        headers = {name: text for name, text in request.headers.items() if name not in BROWSERS}
        asked = pyodide_http.Request(
            request.method,
            str(request.url),
            body=request.read(),
            headers=headers,
            timeout=request.extensions.get("timeout", {}).get("read") or 0,
        )
        try:
            answer = pyodide_http.send(asked)
        except JsException as error:
            # The browser tells no script why: refused, no such name, or not allowed by CORS.
            failure = httpx.ReadTimeout if error.name == "TimeoutError" else httpx.ConnectError
            message = f"the browser could not send it: {error.name}"
            raise failure(message, request=request) from error
        if not answer.status_code:
            raise httpx.ConnectError("the browser broke it off", request=request)
        kept = {name: text for name, text in answer.headers.items() if name.lower() not in UNDONE}
        return httpx.Response(
            answer.status_code, headers=kept, content=answer.body, request=request
        )
