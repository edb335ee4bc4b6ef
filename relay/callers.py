"""Who is calling: the site by its path or key, the page by its origin, the shopper by address."""

from __future__ import annotations

import hmac
import math
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from starlette.requests import Request

from relay.refusals import Refusal
from relay.site import Site

REMEMBERED = 4096
"""Of the hosts and addresses that were made out last, so many are not made out again."""
MAX_HOST = 261  # characters: a name of 253, a colon and a port; what is longer is none

BURST = 4  # times the rate
MAX_CLIENTS = 100_000

# Of a whole site: so many times one client's rate, and never less than the second.
SITE_TIMES = 20
SITE_RATE = 1000

STRANGERS_RATE = 50
GUESSES = ("unknown_key", "unknown_site", "unknown_store", "wrong_signature")

Networks = Iterable[IPv4Network | IPv6Network]

# A name has at most 253 characters (RFC 1035): what is made for each host stays as short.
HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(:[0-9]{1,5})?")


def site_named(sites: Mapping[str, Site], name: object) -> Site:
    """The site of this name; raises Refusal 404."""
    if not isinstance(name, str) or name not in sites:
        raise unknown_site()
    return sites[name]


def unknown_site() -> Refusal:
    """Of a site that is not ours."""
    return Refusal("unknown_site", "this relay has no such site", field="site")


def public_host(request: Request) -> str:
    """Our host as the caller knows it, with its port; empty when the Host header holds none."""
    return host_of(request.headers.get("host", "").encode("latin-1"))


def host_of(header: bytes) -> str:
    """The same of the header as it came."""
    return _host(header) if len(header) <= MAX_HOST else ""


@lru_cache(REMEMBERED)
def _host(header: bytes) -> str:
    host = header.decode("latin-1")
    return host if HOST.fullmatch(host) else ""


def check_origin(request: Request, site: Site) -> str:
    """The page's origin, one of the site's; raises Refusal 403."""
    origin = request.headers.get("origin", "")
    if origin not in site.origins:
        message = "this origin is not among the site's origins"
        raise Refusal("origin_not_allowed", message)
    return origin


def site_of_key(sites: Iterable[Site], request: Request) -> Site:
    """The site whose secret key came as `Authorization: Bearer`; raises Refusal 401.

    Every key is compared, in constant time, so that the answer's time tells nothing.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    found = [site for site in sites if is_same(site.secret_key, key.strip())]
    if not found or scheme.lower() != "bearer":
        raise Refusal("unknown_key", "Authorization must be: Bearer and a site's secret key")
    return found[0]


def is_same(ours: str, given: str) -> bool:
    """Two keys are the same, told in constant time."""
    return hmac.compare_digest(ours.encode(), given.encode())


def client_ip(request: Request, trusted_proxies: Networks) -> str:
    """The shopper's address: the peer's, or behind trusted proxies the rightmost other one.

    Only a trusted peer's `X-Forwarded-For` counts; what the shopper wrote into it stands further
    left. Empty when nothing is known.
    """
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    address = _address(request.client.host if request.client else "")
    while hops and address and any(address in network for network in trusted_proxies):
        address = _address(hops.pop())
    return str(address) if address else ""


@lru_cache(REMEMBERED)
def peer_ip(host: str) -> str:
    """The peer's own address, for where no proxy is trusted or none has forwarded anything."""
    address = _address(host)
    return str(address) if address else ""


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address, without the port that some proxies write behind it."""
    return _made_out(text) if len(text) <= MAX_HOST else None


@lru_cache(REMEMBERED)
def _made_out(text: str) -> IPv4Address | IPv6Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@lru_cache(REMEMBERED)
def network(address: str) -> str:
    """By what a client is counted: its address, or the /64 that one line has of IPv6."""
    if ":" not in address:
        return address
    return str(ip_network(f"{address.partition('%')[0]}/64", strict=False))


class RateLimit:
    """Requests a second for each client, bursts of four times that; 0 is no limit."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, client: str, now_s: float) -> None:
        """Takes one request of this client; raises Refusal 429 with when to come again."""
        if not self.rate:
            return
        left = self._left(client, now_s)
        self.buckets[client] = (left - (left >= 1), now_s)
        self.buckets.move_to_end(client)
        if len(self.buckets) > MAX_CLIENTS:
            self.buckets.popitem(last=False)
        self._refuse_below_1(left)

    def look(self, client: str, now_s: float) -> None:
        """Raises Refusal 429 as `check` would, and takes nothing."""
        if self.rate:
            self._refuse_below_1(self._left(client, now_s))

    def _left(self, client: str, now_s: float) -> float:
        full = float(self.rate * BURST)
        left, at = self.buckets.get(client, (full, now_s))
        return min(full, left + (now_s - at) * self.rate)

    def _refuse_below_1(self, left: float) -> None:
        if left < 1:
            wait_s = math.ceil((1 - left) / self.rate)
            raise Refusal("rate_limited", "too many requests", retry_after_s=wait_s)


class SiteLimit:
    """What a site's callers may ask: each client its rate, all pages together many times it.

    So that a flood of one shop's events, from however many addresses, leaves the others their
    relay, and the shop's own servers, who have a key, their way in.
    """

    def __init__(self, rate: int) -> None:
        self.clients = RateLimit(rate)
        self.all = RateLimit(max(rate * SITE_TIMES, SITE_RATE) if rate else 0)

    def check(self, client: str, now_s: float, *, is_server: bool = False) -> None:
        """Takes one request; raises Refusal 429."""
        self.clients.check(network(client), now_s)
        if not is_server:
            self.all.check("", now_s)


class Strangers:
    """Who names no site or key that we know, or guesses: counted by address, over all sites.

    Where too many were wrong, a key is not even looked at. Where no guess can hit, in what is
    public or signed, only the wrong ones are refused.
    """

    def __init__(self, sites: Iterable[Site], clock_s: Callable[[], float]) -> None:
        self._limit = RateLimit(STRANGERS_RATE)
        self._clock_s = clock_s
        self._proxies = [network for site in sites for network in site.trusted_proxies]

    def look(self, request: Request) -> None:
        """Raises Refusal 429 for one who was wrong too often."""
        self._limit.look(self._who(request), self._clock_s())

    def count(self, request: Request) -> None:
        """One more; raises Refusal 429 for one too many."""
        self._limit.check(self._who(request), self._clock_s())

    def judged(self, request: Request, refusal: Refusal) -> Refusal:
        """The refusal to be told: this one, or 429 for one wrong guess too many."""
        if refusal.code in GUESSES:
            try:
                self.count(request)
            except Refusal as too_many:
                return too_many
        return refusal

    def _who(self, request: Request) -> str:
        return network(client_ip(request, self._proxies))
