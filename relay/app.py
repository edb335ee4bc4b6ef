"""The relay's Starlette app: routes, and what each of them does in the order it does it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from relay import storefront_api, wire
from relay.assets import Assets
from relay.body import read_object
from relay.callers import (
    SiteLimit,
    Strangers,
    client_ip,
    public_host,
    site_named,
    site_of_key,
    unknown_site,
)
from relay.delivery import DeliveryLoop, system_now_ms
from relay.destinations.registry import destinations
from relay.disk import Disk
from relay.ingest import RETRY_AFTER_S, Ingest
from relay.metrics import Metrics
from relay.outbox import Outbox, OutboxUnavailable
from relay.page_events import METHODS, PageEvents
from relay.pages import HEADERS as PAGE_HEADERS
from relay.pages import SitePages
from relay.record import Received
from relay.refusals import Refusal
from relay.refusals import answer as refused
from relay.request_log import REQUEST_ID, SITE, RequestLog
from relay.routing import Routing
from relay.security_headers import HEADERS, SecurityHeaders
from relay.sending import Sender, Transport
from relay.site import Site
from relay.texts import Texts
from relay.watch import Watch
from relay.webhooks import Webhooks

MAX_ROWS = 1000
FINISH_WITHIN_S = 8.0
ROUTE_WITHIN_S = 0.5
COUNTED_WITHIN_S = 0.2
STATES = ("waiting", "done", "dead", "skipped")


class Relay:
    """The relay of some sites on one outbox.

    `now_ms` tells the time, `clock_s` only how it passes (for the rate limit), `transport` makes
    the connections outward; tests replace them. `disk` is the outbox's, `finish_within_s` what is
    in flight at the end may take. `public_url` is what pages know the relay by; without it what
    each request's Host says, so no cache may keep the answers to one host for another.
    """

    def __init__(
        self,
        sites: Sequence[Site],
        outbox: Outbox,
        assets: Assets,
        path: str = "/s",
        *,
        public_url: str = "",
        now_ms: Callable[[], int] = system_now_ms,
        clock_s: Callable[[], float] = time.monotonic,
        transport: Transport | None = None,
        disk: Disk | None = None,
        finish_within_s: float = FINISH_WITHIN_S,
    ) -> None:
        self.sites = {site.site: site for site in sites}
        self.outbox = outbox
        self.path = page_path(path)
        self._public_url = public_url
        self.now_ms = now_ms
        self.clock_s = clock_s
        self.assets = assets
        self.pages = {site.site: SitePages(site, assets) for site in sites}
        self.texts = Texts(PAGE_HEADERS, clock_s)
        self.limits = {site.site: SiteLimit(site.rate_limit) for site in sites}
        self.strangers = Strangers(sites, clock_s)
        every = {site.site: destinations(site) for site in sites}
        routes = [(name, each) for name, some in every.items() for each in some]
        self.metrics = Metrics(self.sites, [(name, each.name) for name, each in routes])
        self.delivery = DeliveryLoop(
            outbox,
            routes,
            retention_days={site.site: site.retention_days for site in sites},
            transport=transport,
            now_ms=now_ms,
            metrics=self.metrics,
            is_asked=lambda: self.routing.turns.under_way > 0,
        )
        self.watch = Watch(outbox, self.delivery, self.metrics, disk, now_ms)
        self._finish_within_s = finish_within_s
        self._stopping: asyncio.Task[None] | None = None
        fed = {name: storefront_api.feeds(some) for name, some in every.items()}
        self.routing = Routing(outbox, self.sites, fed, self.delivery.wake, self.metrics)
        self.ingest = Ingest(outbox, self.routing, self.metrics)
        self.webhooks = Webhooks(
            self.sites, self.ingest, outbox, Sender(transport), self.strangers, now_ms
        )

    # --- pages ---

    async def loader(self, request: Request) -> Response:
        site = site_named(self.sites, request.path_params["site"])
        text = self.pages[site.site].loader(self._base(request))
        return self.texts.answer(request, text, "text/javascript")

    async def pyscript_config(self, request: Request) -> Response:
        site = site_named(self.sites, request.path_params["site"])
        text = self.pages[site.site].pyscript_config(self._base(request))
        return self.texts.answer(request, text, "application/json")

    async def client_config(self, request: Request) -> Response:
        site = site_named(self.sites, request.path_params["site"])
        text = self.pages[site.site].client_config(self._base(request))
        return self.texts.answer(request, text, "application/json")

    def _base(self, request: Request) -> str:
        """Our public address as the page sees it, in the page's own scheme."""
        if self._public_url:
            return self._public_url + self.path
        host = public_host(request)
        if not host:
            raise Refusal("not_found", "the Host header is not a host")
        return f"//{host}{self.path}"

    async def no_page_events(self, request: Request) -> Response:
        """`POST /s/{site}` of a site that is not ours: for ours, see `relay.page_events`."""
        raise unknown_site()

    def _admit(self, request: Request, site: Site, *, is_server: bool = False) -> str:
        """The caller's address, which has not asked too often; raises Refusal 429."""
        ip = client_ip(request, site.trusted_proxies)
        self.limits[site.site].check(ip, self.clock_s(), is_server=is_server)
        return ip

    # --- servers and operators ---

    def _keyholder(self, request: Request) -> Site:
        """The site of the secret key; a stranger may not try keys for ever."""
        self.strangers.look(request)
        site = site_of_key(self.sites.values(), request)
        request.scope[SITE] = site.site
        return site

    async def server_events(self, request: Request) -> Response:
        """`POST /v1/events`: what the shop's own servers send."""
        site = self._keyholder(request)
        self._admit(request, site, is_server=True)
        body = await read_object(request)
        if site_named(self.sites, body.get("site")) is not site:
            raise Refusal("unknown_key", "this key is another site's", field="site")
        events = wire.events(body, site, is_server=True)
        await self.ingest.store(site, events, Received(self.now_ms(), wire.sent_at(body), None))
        return Response(status_code=204)

    async def deliveries(self, request: Request) -> Response:
        """`GET /v1/deliveries`: what became of each event, newest first."""
        query = request.query_params
        site = self._operated(request, query.get("site"))
        state = query.get("state")
        if state is not None and state not in STATES:
            message = f"state must be one of {', '.join(STATES)}"
            raise Refusal("invalid_event", message, field="state")
        await self.routing.caught_up()
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
        await self.routing.caught_up()
        rows = await self.outbox.dead_letters(site.site, destination=query.get("destination"))
        return JSONResponse({"dead_letters": rows})

    async def replay(self, request: Request) -> Response:
        """`POST /v1/dead-letters/replay`: those that match are tried again from now on."""
        self._keyholder(request)  # nobody else's body is read
        body = await read_object(request)
        site = self._operated(request, body.get("site"))
        only = {}
        for field in ("destination", "event_id"):
            if body.get(field) is not None and not isinstance(body[field], str):
                raise Refusal("invalid_event", f"{field} must be a text", field=field)
            only[field] = body.get(field)
        since = body.get("since")
        if since is not None and (type(since) is not int or not 0 <= since < wire.LATEST_MS):
            raise Refusal("invalid_event", "since must be milliseconds since 1970", field="since")
        await self.routing.caught_up()
        count = await self.outbox.replay(site.site, since_ms=since, now_ms=self.now_ms(), **only)
        self.delivery.wake(site.site)
        return JSONResponse({"replayed": count})

    async def payments(self, request: Request) -> Response:
        """`GET /v1/payments`: which orders are paid, or taken back, last changed first."""
        query = request.query_params
        site = self._operated(request, query.get("site"))
        limit = _limit(query.get("limit", "100"))
        await self.routing.caught_up()
        rows = await self.outbox.payments(site.site, order_id=query.get("order_id"), limit=limit)
        return JSONResponse({"payments": rows})

    def _operated(self, request: Request, name: object) -> Site:
        """The site of the operator's key, which must be the one he names, if he names one."""
        site = self._keyholder(request)
        if name is not None and site_named(self.sites, name) is not site:
            raise Refusal("unknown_key", "this key is another site's", field="site")
        return site

    async def healthz(self, request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(self, request: Request) -> Response:
        """200 while the outbox can store, has room on its disk, and we go on; else 503."""
        why = "stopping" if self._stopping else await self.watch.trouble()
        return PlainTextResponse(f"not ready: {why}", 503) if why else PlainTextResponse("ready")

    async def metrics_page(self, request: Request) -> Response:
        """What Prometheus reads."""
        await self.routing.caught_up(COUNTED_WITHIN_S)
        await self.watch.measure()
        text, media_type = self.metrics.text(request.headers.get("accept", ""))
        return Response(text, media_type=media_type)

    async def refused(self, request: Request, error: Exception) -> Response:
        """Starlette's handler for `Refusal`."""
        assert isinstance(error, Refusal)
        return refused(self.strangers.judged(request, error))

    # --- the app ---

    def routes(self) -> list[Route]:
        return [
            Route(f"{self.path}/assets/{{path:path}}", self.assets.endpoint),
            Route(f"{self.path}/{{site}}.js", self.loader),
            Route(f"{self.path}/{{site}}/pyscript.json", self.pyscript_config),
            Route(f"{self.path}/{{site}}/client.json", self.client_config),
            Route(f"{self.path}/{{site}}", self.no_page_events, methods=METHODS),
            Route("/v1/events", self.server_events, methods=["POST"]),
            Route("/v1/deliveries", self.deliveries),
            Route("/v1/dead-letters", self.dead_letters),
            Route("/v1/dead-letters/replay", self.replay, methods=["POST"]),
            Route("/v1/payments", self.payments),
            *storefront_api.routes(self),
            Route("/webhooks/midtrans/{site}", self.webhooks.notified, methods=["POST"]),
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics_page),
        ]

    @asynccontextmanager
    async def running(self, app: Starlette) -> AsyncIterator[None]:
        """Delivery runs, and the watch; at the end what is in flight is finished."""
        self.delivery.start()
        self.routing.start()
        watching = asyncio.create_task(self.watch.run())
        try:
            yield
        finally:
            watching.cancel()
            await self.begin_stop()
            await self.routing.stop(ROUTE_WITHIN_S)
            await self.webhooks.close()

    def begin_stop(self) -> asyncio.Task[None]:
        """Not ready any more, and nothing new is delivered; done when nothing is in flight."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self.delivery.stop(self._finish_within_s))
        return self._stopping

    def refused_unread(self, code: str) -> None:
        """A request was refused before the app saw it: its site is not known."""
        self.metrics.refused("", code)


def create_app(relay: Relay) -> Starlette:
    """The app of a relay; its lifespan runs the delivery."""
    app = Starlette(
        routes=relay.routes(),
        lifespan=relay.running,
        middleware=[
            Middleware(RequestLog, relay.metrics, relay.sites),
            Middleware(SecurityHeaders),
        ],
        exception_handlers={
            Refusal: relay.refused,
            OutboxUnavailable: _unavailable,
            Exception: _failed,
            404: _not_found,
            405: _wrong_method,
        },
    )
    app.router.redirect_slashes = False  # a path that is nearly right is wrong
    app.middleware_stack = PageEvents(app.build_middleware_stack(), relay)
    return app


def page_path(path: str) -> str:
    """The path below which pages find the relay: `/s`, or empty for the root."""
    return "/" + path.strip("/") if path.strip("/") else ""


async def _unavailable(request: Request, error: Exception) -> Response:
    """What only reads the outbox, while that can't."""
    message = "the outbox can't do this now, ask again"
    return refused(Refusal("not_durable", message, retry_after_s=RETRY_AFTER_S))


async def _failed(request: Request, error: Exception) -> Response:
    """A mistake of ours. It is logged by who runs the app; the caller learns nothing of it."""
    response = refused(Refusal("internal_error", "the relay made a mistake"))
    response.headers.update(HEADERS)  # it stands outside of the middleware
    response.headers["X-Request-Id"] = request.scope[REQUEST_ID]
    return response


async def _not_found(request: Request, error: Exception) -> Response:
    return refused(Refusal("not_found", "no such path"))


async def _wrong_method(request: Request, error: Exception) -> Response:
    response = refused(Refusal("method_not_allowed", "not with this method"))
    response.headers.update(getattr(error, "headers", None) or {})
    return response


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MAX_ROWS:
        message = f"limit must be a whole number from 1 to {MAX_ROWS}"
        raise Refusal("invalid_event", message, field="limit")
    return int(text)
