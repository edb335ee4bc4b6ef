"""The storefront-compatible routes: code written for Scalev's analytics API only changes its URL.

Source: DESIGN 5.4, scalev section 2. What the bodies mean stands in `relay.storefront_body`.

Who calls: the store ID of the path finds the sites (404), the publishable key chooses among them
(401). A browser's origin must be one of that site's (403); without an origin it is the shop's
server, which may call too. It is nobody's browser then, so its address and user agent are not
taken for the shopper's, and renewed cookies are nobody's either: no credentials in CORS.

Which destinations: each route is one system's copy of what the shopper did, so it feeds that
system alone, and its destination gets the names, IDs and personal data of that copy and no other:

    meta        kind meta, scalev.meta, and all below that have no route of their own
    tiktok      kind tiktok, scalev.tiktok
    snackvideo  kind kwai, scalev.snackvideo

Tracify, Commanders Act and Alhena take each event from the meta route, so that none counts twice.
A destination that a route does not feed is left alone, not stored as skipped: the copy for it is
yet to come, under the same event ID. What the payment of an order sends is for all of them; every
copy of the order that has its ID tells of the visitor then.

Consent: the bodies can't say it, so the site's setting holds. Where it is `required`, nothing of
these routes leaves. `Sec-GPC: 1` counts as on a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pixelmirror import consent_rules
from pixelmirror.scalev import KEY_HEADER, PATH
from relay.body import read_object
from relay.callers import check_origin, client_ip, is_same
from relay.destinations import Destination
from relay.record import Received
from relay.refusals import Refusal
from relay.refusals import answer as refused
from relay.request_log import SITE
from relay.site import PROVIDER_KINDS, Provider, Site
from relay.storefront_body import Copy, names_of, read

if TYPE_CHECKING:
    from relay.app import Relay

PROVIDERS: tuple[Provider, ...] = ("meta", "tiktok", "snackvideo")

# Scalev's own preflight allows these (scalev section 2).
ALLOWED_HEADERS = f"{KEY_HEADER}, X-Scalev-Guest-Token, Authorization, Content-Type"
PREFLIGHT_S = 86400


def routes(relay: Relay) -> list[Route]:
    """The three routes, for the relay's app."""
    api = StorefrontApi(relay)
    return [
        Route(
            PATH.replace("{provider}", provider),
            partial(api.answer, provider),
            methods=["POST", "OPTIONS"],
        )
        for provider in PROVIDERS
    ]


def fed_by(destination: Destination) -> Provider:
    """The one route from which the destination takes its events."""
    for provider in PROVIDERS:
        is_scalevs = destination.kind == "scalev" and destination.name.endswith(f".{provider}")
        if is_scalevs or destination.kind == PROVIDER_KINDS[provider]:
            return provider
    return "meta"


def feeds(every: Sequence[Destination]) -> dict[str, Sequence[Destination]]:
    """Which of these destinations each of the routes feeds; all of them, by the name of none."""
    fed: dict[str, Sequence[Destination]] = {"": every}
    for provider in PROVIDERS:
        fed[provider] = [one for one in every if fed_by(one) == provider]
    return fed


class StorefrontApi:
    """Scalev's three routes on the relay's sites."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._names = {
            (name, provider): names_of(site, provider)
            for name, site in relay.sites.items()
            for provider in PROVIDERS
        }

    async def answer(self, provider: Provider, request: Request) -> Response:
        """204 once the events of the body are durable, or the reason why not."""
        sites = self._of_store(request.path_params["store_id"])
        origin = request.headers.get("origin")
        cors = _cors(origin, sites)
        try:
            if request.method == "OPTIONS":
                return _preflight(cors)
            site = _site_of_key(request, sites)
            request.scope[SITE] = site.site
            await self._take(provider, site, request)
            response = Response(status_code=204)
        except Refusal as refusal:
            response = refused(self._relay.strangers.judged(request, refusal))
        response.headers.update(cors)
        return response

    def _of_store(self, store_id: str) -> list[Site]:
        sites = [site for site in self._relay.sites.values() if site.store_id == store_id]
        if not sites:
            raise Refusal("unknown_store", "this relay has no such store")
        return sites

    async def _take(self, provider: Provider, site: Site, request: Request) -> None:
        is_browser = "origin" in request.headers
        if is_browser:
            check_origin(request, site)
        ip = client_ip(request, site.trusted_proxies)
        self._relay.limits[site.site].check(ip, self._relay.clock_s())
        _check_media_type(request)
        body = await read_object(request)
        now_ms = self._relay.now_ms()
        has_gpc = request.headers.get("sec-gpc") == "1"
        consent = consent_rules.initial(site.consent, "", has_gpc)
        names = self._names[site.site, provider]
        found = read(body, Copy(provider, site, names, consent, now_ms))
        client = {}
        if is_browser:
            client = {"ip": ip, "user_agent": request.headers.get("user-agent", "")}
        if found.user_agent:
            client["user_agent"] = found.user_agent
        received = Received(now_ms, None, client or None, feed=provider)
        await self._relay.ingest.store(site, found.events, received)


def _site_of_key(request: Request, sites: Sequence[Site]) -> Site:
    """The site of the publishable key, which is no secret; raises Refusal 401."""
    key = request.headers.get(KEY_HEADER, "")
    found = [site for site in sites if is_same(site.publishable_key, key)]
    if not found:
        message = f"{KEY_HEADER} must be the publishable key of this store's site"
        raise Refusal("unknown_key", message)
    return found[0]


def _check_media_type(request: Request) -> None:
    """Pages may send text/plain to the tracker's route; Scalev takes JSON as JSON only (R4)."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refusal("unsupported_media_type", "Content-Type must be application/json")


def _preflight(cors: dict[str, str]) -> Response:
    """It carries no key, so any site of the store may have the origin."""
    if "Access-Control-Allow-Origin" not in cors:
        raise Refusal("origin_not_allowed", "this origin is not among the site's origins")
    headers = {
        **cors,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Max-Age": str(PREFLIGHT_S),
    }
    return Response(status_code=204, headers=headers)


def _cors(origin: str | None, sites: Sequence[Site]) -> dict[str, str]:
    """The exact origin where it is a listed one, so that a page can read every refusal too."""
    headers = {"Vary": "Origin"}
    if origin is not None and any(origin in site.origins for site in sites):
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = "Retry-After"
    return headers
