"""`POST /s/{site}`: what the tracker, or a page that left early, sends.

Plain ASGI and before all else of the app: it is asked more than everything else together, and to
find a route and pass each middleware takes as long as what is done here. All that can be known of a
site before its first request is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from relay import cookies, logs, wire
from relay.body import Head, decoded, read
from relay.callers import client_ip, host_of, peer_ip
from relay.canonical import canonical
from relay.record import Received
from relay.refusals import Refusal
from relay.refusals import answer as refused
from relay.request_log import Asked, new_id, tell
from relay.security_headers import HEADERS
from relay.site import Site

if TYPE_CHECKING:
    from relay.app import Relay

METHODS = ("POST", "OPTIONS")
PREFLIGHT_S = 86400

Event = dict[str, Any]


class Answer(NamedTuple):
    """What is sent, but for the request's ID; `code` is a refusal's."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    code: str | None = None


class Page:
    """The pages of one origin: the answers to them, as far as they are the same each time."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.cors = {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",  # so that renewed cookies are taken
            "Access-Control-Expose-Headers": "Retry-After",
            "Vary": "Origin",
        }
        asked = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": str(PREFLIGHT_S),
        }
        self.taken = _answer(Response(status_code=204), self.cors)
        self.preflight = _answer(Response(status_code=204), self.cors | asked)


class Door:
    """One site as its pages find it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.pages = {origin.encode(): Page(origin) for origin in site.origins}
        self.needs_caid = cookies.needs_caid(site)


class PageEvents:
    """Answers the pages of the relay's sites; every other request goes on to `app`."""

    def __init__(self, app: ASGIApp, relay: Relay) -> None:
        self.app = app
        self._relay = relay
        self._route = f"{relay.path}/{{site}}"
        self._doors = {f"{relay.path}/{name}": Door(site) for name, site in relay.sites.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._door(scope) if scope["type"] == "http" else None
        if door is None or scope["method"] not in METHODS:
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        request_id = new_id()
        before = logs.REQUEST_ID.set(request_id)
        mistake: Exception | None = None
        try:
            answer = await self._answer(door, scope, receive)
        except Exception as error:
            answer, mistake = FAILED, error
        status, headers, body, code = answer
        headers = [*headers, (b"x-request-id", request_id.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        asked = Asked(scope["method"], self._route, door.site.site, status, code)
        tell(self._relay.metrics, asked, request_id, time.perf_counter() - start)
        if mistake is not None:
            raise mistake  # the server tells of it, by this request's ID
        logs.REQUEST_ID.reset(before)

    def _door(self, scope: Scope) -> Door | None:
        path = scope["path"]
        if root := scope.get("root_path"):
            path = path.removeprefix(root)
        return self._doors.get(path)

    async def _answer(self, door: Door, scope: Scope, receive: Receive) -> Answer:
        head: Head = dict(reversed(scope["headers"]))
        page = door.pages.get(head.get(b"origin", b""))
        if page is None:
            return STRANGE
        if scope["method"] == "OPTIONS":
            return page.preflight
        try:
            renewed = await self._take(door, page, head, scope, receive)
        except Refusal as refusal:
            return _refused(refusal, page.cors)
        if not renewed:
            return page.taken
        return Answer(204, [*page.taken.headers, *(_set_cookie(text) for text in renewed)])

    async def _take(
        self, door: Door, page: Page, head: Head, scope: Scope, receive: Receive
    ) -> Sequence[str]:
        """The events are durable; what came back is the cookies to renew. Raises Refusal."""
        relay, site = self._relay, door.site
        ip = _ip(site, head, scope)
        relay.limits[site.site].check(ip, relay.clock_s())
        body = await read(head, receive)
        at_ms = relay.now_ms()
        client = {"ip": ip, "user_agent": head.get(b"user-agent", b"").decode("latin-1")}
        caid = ""
        if door.needs_caid and b"CAID" in head.get(b"cookie", b""):
            caid = cookies.caid(Request(scope).cookies, site)
        if said := canonical(body):
            received = Received(at_ms, said.sent_at, client, caid)
            await relay.ingest.accept(site, body, received, said.count)
            domain, last = said.cookie_domain, said.last
        else:
            document = decoded(body)
            domain, events = _checked(document, site, page.origin)
            received = Received(at_ms, wire.sent_at(document), client, caid)
            await relay.ingest.store(site, events, received)
            if not events:
                return ()
            last = events[-1]
        return cookies.renewed(domain, host_of(head.get(b"host", b"")), page.origin, last)


def _answer(response: Response, cors: Mapping[str, str], code: str | None = None) -> Answer:
    response.headers.update({**cors, **HEADERS})
    return Answer(response.status_code, response.raw_headers, bytes(response.body), code)


def _refused(refusal: Refusal, cors: Mapping[str, str]) -> Answer:
    return _answer(refused(refusal), cors, refusal.code)


FAILED = _refused(Refusal("internal_error", "the relay made a mistake"), {})
STRANGE = _refused(Refusal("origin_not_allowed", "this origin is not among the site's origins"), {})


def _set_cookie(text: str) -> tuple[bytes, bytes]:
    return b"set-cookie", text.encode("latin-1")


def _ip(site: Site, head: Head, scope: Scope) -> str:
    peer = scope["client"][0] if scope.get("client") else ""
    if not site.trusted_proxies or b"x-forwarded-for" not in head:
        return peer_ip(peer)
    return client_ip(Request(scope), site.trusted_proxies)


def _checked(document: Mapping[str, Any], site: Site, origin: str) -> tuple[Any, list[Event]]:
    """Where the page's browser keeps its cookies, by what it says, and the events.

    Raises Refusal.
    """
    if "calls" in document:  # from a page that had no time to try
        domain = cookies.widest_domain(origin, site.cookie_domain)
        return domain, wire.events_of_calls(document, site, domain)
    return document.get("cookie_domain"), wire.events(document, site, is_server=False)
