"""Who is calling: the site by its path or key, the page by its origin, the shopper by address."""

from __future__ import annotations

import hmac
import math
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import Request

from relay.refusals import Refusal
from relay.site import Site

BURST = 4  # times the rate
MAX_CLIENTS = 100_000

Networks = Iterable[IPv4Network | IPv6Network]

HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?")


def site_named(sites: Mapping[str, Site], name: object) -> Site:
    """The site of this name; raises Refusal 404."""
    if not isinstance(name, str) or name not in sites:
        raise Refusal("unknown_site", "this relay has no such site", field="site")
    return sites[name]


def public_host(request: Request) -> str:
    """Our host as the caller knows it, with its port; empty when the Host header holds none."""
    host = request.headers.get("host", "")
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
    found = None
    for site in sites:
        is_it = hmac.compare_digest(site.secret_key.encode(), key.strip().encode())
        if is_it and scheme.lower() == "bearer":
            found = site
    if found is None:
        raise Refusal("unknown_key", "Authorization must be: Bearer and a site's secret key")
    return found


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


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address, without the port that some proxies write behind it."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


class RateLimit:
    """Requests a second for each client, bursts of four times that; 0 is no limit."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def check(self, client: str, now_s: float) -> None:
        """Takes one request of this client; raises Refusal 429 with when to come again."""
        if not self.rate:
            return
        full = float(self.rate * BURST)
        left, at = self.buckets.pop(client, (full, now_s))
        left = min(full, left + (now_s - at) * self.rate)
        is_taken = left >= 1
        self.buckets[client] = (left - is_taken, now_s)
        if len(self.buckets) > MAX_CLIENTS:
            self.buckets.popitem(last=False)
        if not is_taken:
            wait_s = math.ceil((1 - left) / self.rate)
            raise Refusal("rate_limited", "too many requests", retry_after_s=wait_s)
