"""`pixelmirror.client.page`: httpx on pyodide-http, the real one, in a page that is faked."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pixelmirror.client import Relay, Unreachable
from pixelmirror.client.page import PageTransport
from tests.unit.client_stage import SECRET, URL

INTERPRETERS = ("cpython",)


class JsException(Exception):
    """As Pyodide has it: JavaScript's name of the exception."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class XMLHttpRequest:
    """The page's own: `answer` is what the next one gets."""

    answer: Any = (204, {}, b"")
    made: list[XMLHttpRequest]

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.timeout = 0
        XMLHttpRequest.made.append(self)

    @classmethod
    def new(cls) -> XMLHttpRequest:
        return cls()

    def overrideMimeType(self, media_type: str) -> None:  # noqa: N802 - JavaScript's name
        self.media_type = media_type

    def open(self, method: str, url: str, is_async: bool) -> None:
        self.opened = (method, url, is_async)

    def setRequestHeader(self, name: str, text: str) -> None:  # noqa: N802 - JavaScript's name
        self.headers[name] = text

    def send(self, body: Any) -> None:
        self.sent = body
        if isinstance(self.answer, Exception):
            raise self.answer
        self.status, self.told, content = self.answer
        in_worker = getattr(self, "responseType", "") == "arraybuffer"
        buffer = types.SimpleNamespace(to_py=lambda: memoryview(content))
        self.response = buffer if in_worker else content.decode("ISO-8859-15")

    def getAllResponseHeaders(self) -> str:  # noqa: N802 - JavaScript's name
        return "".join(f"{name}: {text}\r\n" for name, text in self.told.items())


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[XMLHttpRequest]]:
    """The modules that Pyodide has in a page's main thread, and `XMLHttpRequest` among them."""
    js: Any = types.ModuleType("js")
    js.XMLHttpRequest = XMLHttpRequest
    js.crossOriginIsolated = False
    pyodide: Any = types.ModuleType("pyodide")
    ffi: Any = types.ModuleType("pyodide.ffi")
    ffi.JsException = JsException
    ffi.to_js = lambda value: value
    pyodide.ffi = ffi
    for name, module in {"js": js, "pyodide": pyodide, "pyodide.ffi": ffi}.items():
        monkeypatch.setitem(sys.modules, name, module)
    XMLHttpRequest.made = []
    XMLHttpRequest.answer = (204, {}, b"")
    yield XMLHttpRequest
    for name in [name for name in sys.modules if name.startswith("pyodide_http")]:
        del sys.modules[name]  # it has the fake in it


def client() -> Relay:
    """What a page makes; its waits are none, as nobody must wait for a test."""
    return Relay(URL, "toko", SECRET, transport=PageTransport(), sleep=lambda _: None)


def test_the_request_goes_by_the_pages_own_means(page: type[XMLHttpRequest]) -> None:
    """The same request as a server's, but for the headers that are the browser's to set."""
    event_id = client().track("login")
    (asked,) = page.made
    assert asked.opened == ("POST", f"{URL}/v1/events", False)
    assert asked.headers == {
        "accept": "*/*",
        "authorization": f"Bearer {SECRET}",
        "content-type": "application/json",
    }
    assert event_id.encode() in asked.sent


def test_the_answer_is_read_as_the_browser_has_decoded_it(page: type[XMLHttpRequest]) -> None:
    """It still names the coding that the browser has undone."""
    told = {"Content-Encoding": "gzip", "Content-Length": "7", "Retry-After": "3", "X": "y"}
    page.answer = (503, told, '{"ä": 1}'.encode())
    with httpx.Client(transport=PageTransport()) as http:
        answer = http.get(URL)
    assert (answer.status_code, answer.json()) == (503, {"ä": 1})
    assert answer.headers["retry-after"] == "3"
    assert "content-encoding" not in answer.headers


FAILURES = [("NetworkError", httpx.ConnectError), ("TimeoutError", httpx.ReadTimeout)]


@pytest.mark.parametrize(("name", "error"), FAILURES)
def test_what_the_browser_can_not_send_is_an_error_of_httpxs(
    page: type[XMLHttpRequest], name: str, error: type[httpx.TransportError]
) -> None:
    """So it is tried again as anywhere, and in the end Unreachable."""
    page.answer = JsException(name)
    with httpx.Client(transport=PageTransport()) as http, pytest.raises(error, match=name):
        http.get(URL)
    page.made.clear()
    with pytest.raises(Unreachable, match=name):
        client().track("login")
    assert len(page.made) == 5


def test_a_request_that_was_broken_off_is_no_answer(page: type[XMLHttpRequest]) -> None:
    """Browsers say so with status 0, and without an exception."""
    page.answer = (0, {}, b"")
    with httpx.Client(transport=PageTransport()) as http, pytest.raises(httpx.ConnectError):
        http.get(URL)


@pytest.mark.parametrize("is_worker", [False, True])
def test_time_outs_count_where_browsers_take_them(
    page: type[XMLHttpRequest], monkeypatch: pytest.MonkeyPatch, is_worker: bool
) -> None:
    """In a worker, told by its `importScripts`; a page's main thread may set none."""
    if is_worker:
        monkeypatch.setattr(sys.modules["js"], "importScripts", print, raising=False)
    client().track("login")
    assert page.made[0].timeout == (10_000 if is_worker else 0)


# --- as a page imports it ---

IN_PYODIDE = """
import sys
sys.platform = "emscripten"
import types
sys.modules["js"] = types.ModuleType("js")
from pixelmirror.client import AsyncRelay, Relay
from pixelmirror.client.page import PageTransport
print(type(Relay("https://t.toko.example", "toko", "key")._http._transport).__name__)
print({"pixelmirror.tracker", "httpcore", "h11", "certifi"} & set(sys.modules))
try:
    AsyncRelay("https://t.toko.example", "toko", "key")
except RuntimeError as error:
    print(error)
"""


def test_importing_it_in_a_page_starts_no_tracker_and_picks_the_pages_transport() -> None:
    """Nor does it need the loader, or what opens sockets; what can't work there says so."""
    done = subprocess.run(
        [sys.executable, "-c", IN_PYODIDE], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "PageTransport",
        "set()",
        "in a page pyodide-http sends, which can't be awaited: use Relay",
    ]
