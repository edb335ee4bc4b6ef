"""Cookies over HTTP: ours, which some browsers keep longer than a script's, and the `CAID`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from ipaddress import ip_address
from typing import Any

from publicsuffixlist import PublicSuffixList

from pixelmirror.attribution import COOKIES, cookie_text, encode
from relay.destinations.commanders_act import CAID
from relay.site import CommandersActTable, Site

MAX_DOMAIN = 254  # characters, with a dot at its end

PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
"""What `encode` leaves as it is; most values are nothing else."""


def widest_domain(origin: str, setting: str) -> str:
    """The domain on which a browser keeps the cookies of this origin's pages, as their tracker
    finds by trying; empty for the page's host alone.

    `setting`: the site's `cookie_domain`. Browsers refuse public suffixes, those of platforms too:
    `co.id`, `myshopify.com`.
    """
    host = _without_port(origin.partition("://")[2])
    if setting != "auto":
        return setting if setting and f".{host}".endswith(f".{setting}") else ""
    name = host.removesuffix(".")
    if "." not in name or _is_address(name):
        return ""
    found = _public_suffixes().privatesuffix(name)
    return found + host[len(name) :] if found else ""


def renewed(domain: object, host: str, origin: str, event: Mapping[str, Any]) -> list[str]:
    """The `Set-Cookie` texts for an event from a page of this origin, sent to this host.

    `domain` is where the page's tracker says that it keeps its cookies, empty for the page's host
    alone. None where the relay does not share that domain, the shopper has not consented, or his
    browser sends Global Privacy Control: all of them are for ads.
    `_ttp` is TikTok's own and never written (scalev R21).
    """
    consent = event["consent"]
    if consent["status"] != "granted" or consent.get("gpc"):
        return []
    if not isinstance(domain, str) or len(domain) > MAX_DOMAIN:
        return []
    found = event["attribution"]
    return [
        start + (found[field] if PLAIN.fullmatch(found[field]) else encode(found[field])) + end
        for field, start, end in _blanks(domain, host, origin)
        if field in found
    ]


@lru_cache(1024)
def _blanks(domain: str, host: str, origin: str) -> Sequence[tuple[str, str, str]]:
    """Each field of attribution with the text before and after its value; none without a place."""
    scheme, _, page = origin.partition("://")
    hosts = [_without_port(name) for name in (host, page)]
    if domain and not all(f".{name}".endswith(f".{domain}") for name in hosts):
        return ()
    if not domain and hosts[0] != hosts[1]:
        return ()
    texts = [
        (field, cookie_text(name, "", max_age_s, domain, scheme == "https"))
        for field, name, _, max_age_s in COOKIES
        if max_age_s
    ]
    parts = [(field, text.partition("=")) for field, text in texts]
    return [(field, name + sign, end) for field, (name, sign, end) in parts]


def needs_caid(site: Site) -> bool:
    """Whether any of its destinations does."""
    tables = site.destinations.values()
    return any(isinstance(one, CommandersActTable) and one.has_server_copy for one in tables)


def caid(jar: Mapping[str, str], site: Site) -> str:
    """Commanders Act's ID of the visitor, which no script can read; empty where nobody needs it.

    Its server sets the cookie on the main domain, so a relay below that gets it with each request.
    Source: specs/commanders-act.md section 3.
    """
    value = jar.get("CAID", "")
    return value if CAID.fullmatch(value) and needs_caid(site) else ""


@cache
def _public_suffixes() -> PublicSuffixList:
    """The list that browsers have too; it takes a sixth of a second to read."""
    return PublicSuffixList()


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host.strip("[]")))
    except ValueError:
        return False


def _without_port(host: str) -> str:
    return re.sub(r":[0-9]+$", "", host.lower())
