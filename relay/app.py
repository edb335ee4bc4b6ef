"""The relay's Starlette app: routes, and what each of them does in the order it does it."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pixelmirror.attribution import COOKIES, cookie_text
from pixelmirror.check import EventError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from relay import wire
from relay.assets import Assets
from relay.callers import RateLimit, check_origin, client_ip, site_named, site_of_key
from relay.delivery import DeliveryLoop
from relay.destinations.registry import destinations
from relay.ingest import Ingest, Received
from relay.outbox import Outbox, OutboxError
from relay.pages import SitePages, answer
from relay.refusals import Refusal, on_refusal
from relay.refusals import answer as refused
from relay.site import Site

PREFLIGHT_S = 86400
MAX_ROWS = 1000
STOP_WITHIN_S = 10.0
STATES = ("waiting", "done", "dead", "skipped")

HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?")


class Relay:
    """The relay of some sites on one outbox."""

    def __init__(
        self, sites: Sequence[Site], outbox: Outbox, assets: Assets, path: str = "/s"
    ) -> None:
        self.sites = {site.site: site for site in sites}
        self.outbox = outbox
        self.path = "/" + path.strip("/")
        self.assets = assets
        self.pages = {site.site: SitePages(site, assets) for site in sites}
        self.limits = {site.site: RateLimit(site.rate_limit) for site in sites}
        every = {site.site: destinations(site) for site in sites}
        self.delivery = DeliveryLoop(
            outbox,
            [(name, each) for name, some in every.items() for each in some],
            retention_days={site.site: site.retention_days for site in sites},
        )
        self.ingest = Ingest(outbox, every, self.delivery.wake)

    # --- pages ---

    async def loader(self, request: Request) -> Response:
        site = site_named(self.sites, request.path_params["site"])
        text = self.pages[site.site].loader(self._base(request))
        return answer(request, text, "text/javascript")

    async def pyscript_config(self, request: Request) -> Response:
        site = site_named(self.sites, request.path_params["site"])
        text = self.pages[site.site].pyscript_config(self._base(request))
        return answer(request, text, "application/json")

    def _base(self, request: Request) -> str:
        """Our public address as the page sees it, in the page's own scheme."""
        host = request.headers.get("host", "")
        if not HOST.fullmatch(host):
            raise Refusal("not_found", "the Host header is not a host")
        return f"//{host}{self.path}"

    async def page_events(self, request: Request) -> Response:
        """`POST /s/{site}`: what the tracker, or a page that left early, sends."""
        site = site_named(self.sites, request.path_params["site"])
        origin = check_origin(request, site)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_cors(origin, is_preflight=True))
        try:
            return await self._take_page_events(request, site, origin)
        except Refusal as refusal:
            response = refused(refusal)
            response.headers.update(_cors(origin))
            return response

    async def _take_page_events(self, request: Request, site: Site, origin: str) -> Response:
        ip = client_ip(request, site.trusted_proxies)
        self.limits[site.site].check(ip, time.monotonic())
        body = await wire.read_object(request)
        if "calls" in body:
            events = wire.events_of_calls(body, site)
        else:
            events = wire.events(body, site, is_server=False)
        client = {"ip": ip, "user_agent": request.headers.get("user-agent", "")}
        await self.ingest.store(site, events, _received(body, client))
        response = Response(status_code=204, headers=_cors(origin))
        for text in _renewed_cookies(request, body, events):
            response.headers.append("Set-Cookie", text)
        return response

    # --- servers and operators ---

    async def server_events(self, request: Request) -> Response:
        """`POST /v1/events`: what the shop's own servers send."""
        site = site_of_key(self.sites.values(), request)
        self.limits[site.site].check(_peer(request), time.monotonic())
        body = await wire.read_object(request)
        if site_named(self.sites, body.get("site")) is not site:
            raise Refusal("unknown_key", "this key is another site's", field="site")
        events = wire.events(body, site, is_server=True)
        await self.ingest.store(site, events, _received(body, None))
        return Response(status_code=204)

    async def deliveries(self, request: Request) -> Response:
        """`GET /v1/deliveries`: what became of each event, newest first."""
        query = request.query_params
        site = self._operated(request, query.get("site"))
        state = query.get("state")
        if state is not None and state not in STATES:
            message = f"state must be one of {', '.join(STATES)}"
            raise Refusal("invalid_event", message, field="state")
        rows = await self.outbox.deliveries(
            site.site,
            event_id=query.get("event_id"),
            order_id=query.get("order_id"),
            state=state,  # type: ignore[arg-type]
            destination=query.get("destination"),
            limit=_limit(query.get("limit", "100")),
        )
        return JSONResponse({"deliveries": rows})

    async def dead_letters(self, request: Request) -> Response:
        """`GET /v1/dead-letters`: what will not be tried again by itself."""
        query = request.query_params
        site = self._operated(request, query.get("site"))
        rows = await self.outbox.dead_letters(site.site, destination=query.get("destination"))
        return JSONResponse({"dead_letters": rows})

    async def replay(self, request: Request) -> Response:
        """`POST /v1/dead-letters/replay`: those that match are tried again from now on."""
        body = await wire.read_object(request)
        site = self._operated(request, body.get("site"))
        only = {}
        for field in ("destination", "event_id"):
            if body.get(field) is not None and not isinstance(body[field], str):
                raise Refusal("invalid_event", f"{field} must be a text", field=field)
            only[field] = body.get(field)
        since = body.get("since")
        if since is not None and (isinstance(since, bool) or not isinstance(since, int)):
            raise Refusal("invalid_event", "since must be milliseconds since 1970", field="since")
        now_ms = int(time.time() * 1000)
        count = await self.outbox.replay(site.site, since_ms=since, now_ms=now_ms, **only)
        self.delivery.wake(site.site)
        return JSONResponse({"replayed": count})

    def _operated(self, request: Request, name: object) -> Site:
        """The site of the operator's key, which must be the one he names, if he names one."""
        site = site_of_key(self.sites.values(), request)
        if name is not None and site_named(self.sites, name) is not site:
            raise Refusal("unknown_key", "this key is another site's", field="site")
        return site

    async def healthz(self, request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(self, request: Request) -> Response:
        """200 while the outbox can store, else 503."""
        try:
            await self.outbox.check()
        except OutboxError as error:
            return PlainTextResponse(f"not ready: {error}", 503)
        return PlainTextResponse("ready")

    # --- the app ---

    def routes(self) -> list[Route]:
        return [
            Route(f"{self.path}/assets/{{path:path}}", self.assets.endpoint),
            Route(f"{self.path}/{{site}}.js", self.loader),
            Route(f"{self.path}/{{site}}/pyscript.json", self.pyscript_config),
            Route(f"{self.path}/{{site}}", self.page_events, methods=["POST", "OPTIONS"]),
            Route("/v1/events", self.server_events, methods=["POST"]),
            Route("/v1/deliveries", self.deliveries),
            Route("/v1/dead-letters", self.dead_letters),
            Route("/v1/dead-letters/replay", self.replay, methods=["POST"]),
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
        ]

    @asynccontextmanager
    async def running(self, app: Starlette) -> AsyncIterator[None]:
        """Delivery runs; at the end what is in flight is finished."""
        self.delivery.start()
        try:
            yield
        finally:
            await self.delivery.stop(STOP_WITHIN_S)


def create_app(relay: Relay) -> Starlette:
    """The app of a relay; its lifespan runs the delivery."""
    return Starlette(
        routes=relay.routes(),
        lifespan=relay.running,
        exception_handlers={Refusal: on_refusal, 404: _not_found, 405: _wrong_method},
    )


async def _not_found(request: Request, error: Exception) -> Response:
    return refused(Refusal("not_found", "no such path"))


async def _wrong_method(request: Request, error: Exception) -> Response:
    response = refused(Refusal("method_not_allowed", "not with this method"))
    response.headers.update(getattr(error, "headers", None) or {})
    return response


def _cors(origin: str, *, is_preflight: bool = False) -> dict[str, str]:
    """The exact origin, with credentials so that renewed cookies are taken."""
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "Retry-After",
        "Vary": "Origin",
    }
    if is_preflight:
        headers["Access-Control-Allow-Methods"] = "POST"
        headers["Access-Control-Allow-Headers"] = "Content-Type"
        headers["Access-Control-Max-Age"] = str(PREFLIGHT_S)
    return headers


def _received(body: dict[str, Any], client: dict[str, str] | None) -> Received:
    try:
        return Received(int(time.time() * 1000), wire.sent_at(body), client)
    except EventError as error:
        raise Refusal("invalid_event", error.message, field=error.field) from error


def _renewed_cookies(
    request: Request, body: dict[str, Any], events: Sequence[dict[str, Any]]
) -> list[str]:
    """Our attribution cookies over HTTP, which some browsers keep longer than a script's.

    Only where the relay stands below the domain on which the page's tracker keeps them, which
    the tracker says in `cookie_domain`.
    """
    domain = body.get("cookie_domain")
    host = request.url.hostname or ""
    origin_host = request.headers.get("origin", "").rpartition("/")[2].partition(":")[0]
    if not isinstance(domain, str) or not events:
        return []
    is_below = domain and all(f".{each}".endswith(f".{domain}") for each in (host, origin_host))
    if not is_below and (domain or host != origin_host):
        return []
    found = events[-1]["attribution"]
    is_https = request.headers["origin"].startswith("https:")
    return [
        cookie_text(name, found[field], max_age_s, domain, is_https)
        for field, name, _, max_age_s in COOKIES
        if field in found and max_age_s
    ]


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _limit(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MAX_ROWS:
        message = f"limit must be a whole number from 1 to {MAX_ROWS}"
        raise Refusal("invalid_event", message, field="limit")
    return int(text)
