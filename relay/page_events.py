"""`POST /s/{site}`: what the tracker, or a page that left early, sends.

Plain ASGI and before the router: it is asked more than all other routes together. All that can be
known of a site before its first request is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from relay import cookies, wire
from relay.body import Head, decoded, read
from relay.callers import client_ip, host_of, peer_ip
from relay.canonical import canonical
from relay.record import Received
from relay.refusals import Refusal
from relay.refusals import answer as refused
from relay.request_log import SITE
from relay.security_headers import HEADERS
from relay.site import Site

if TYPE_CHECKING:
    from relay.app import Relay

METHODS = ("POST", "OPTIONS")
PREFLIGHT_S = 86400

Event = dict[str, Any]
RawHeaders = list[tuple[bytes, bytes]]


class Answers(NamedTuple):
    """The answers to the pages of one origin, as far as they are the same each time."""

    origin: str
    taken: RawHeaders
    preflight: Response
    cors: dict[str, str]


class Door:
    """One site as its pages find it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.answers = {origin.encode(): _answers(origin) for origin in site.origins}
        self.needs_caid = cookies.needs_caid(site)


class PageEvents:
    """Answers the pages of the relay's sites; every other request goes on to `app`."""

    def __init__(self, app: ASGIApp, relay: Relay) -> None:
        self.app = app
        self._relay = relay
        self._doors = {f"{relay.path}/{name}": Door(site) for name, site in relay.sites.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._door(scope) if scope["type"] == "http" else None
        if door is None or scope["method"] not in METHODS:
            await self.app(scope, receive, send)
            return
        scope["route"], scope[SITE] = self._relay.page_events, door.site.site
        head: Head = dict(reversed(scope["headers"]))
        answers = door.answers.get(head.get(b"origin", b""))
        if answers is None:
            message = "this origin is not among the site's origins"
            response = _refused(Refusal("origin_not_allowed", message), {})
        elif scope["method"] == "OPTIONS":
            response = answers.preflight
        else:
            try:
                headers = await self._take(door, answers, head, scope, receive)
            except Refusal as refusal:
                response = _refused(refusal, answers.cors)
            else:
                await send({"type": "http.response.start", "status": 204, "headers": headers})
                await send({"type": "http.response.body"})
                return
        await response(scope, receive, send)

    def _door(self, scope: Scope) -> Door | None:
        path = scope["path"]
        if root := scope.get("root_path"):
            path = path.removeprefix(root)
        return self._doors.get(path)

    async def _take(
        self, door: Door, answers: Answers, head: Head, scope: Scope, receive: Receive
    ) -> RawHeaders:
        """The events are durable; what came back is the headers that say so. Raises Refusal."""
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
            domain, events = _checked(document, site, answers.origin)
            received = Received(at_ms, wire.sent_at(document), client, caid)
            await relay.ingest.store(site, events, received)
            if not events:
                return answers.taken
            last = events[-1]
        renewed = cookies.renewed(domain, host_of(head.get(b"host", b"")), answers.origin, last)
        return [*answers.taken, *((b"set-cookie", text.encode("latin-1")) for text in renewed)]


def _answers(origin: str) -> Answers:
    """CORS names the exact origin, with credentials so that renewed cookies are taken."""
    cors = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "Retry-After",
        "Vary": "Origin",
    }
    asked = {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": str(PREFLIGHT_S),
    }
    taken = Response(status_code=204, headers={**cors, **HEADERS}).raw_headers
    preflight = Response(status_code=204, headers={**cors, **asked, **HEADERS})
    return Answers(origin, taken, preflight, cors)


def _refused(refusal: Refusal, cors: Mapping[str, str]) -> Response:
    response = refused(refusal)
    response.headers.update({**cors, **HEADERS})
    return response


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
