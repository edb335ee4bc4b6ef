"""The destinations of a site: one line for each kind that has server copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from relay.destinations import (
    Destination,
    alhena,
    commanders_act,
    kwai,
    meta,
    scalev,
    tiktok,
    tracify,
)
from relay.site import Site

MAKERS: Mapping[str, Callable[[Site, str, Any], Sequence[Destination]]] = {
    "meta": meta.destinations,
    "tiktok": tiktok.destinations,
    "kwai": kwai.destinations,
    "scalev": scalev.destinations,
    "tracify": tracify.destinations,
    "commanders_act": commanders_act.destinations,
    "alhena": alhena.destinations,
}


def destinations(site: Site) -> list[Destination]:
    """Everything that the site's server copies go to; pixels without one are not among them."""
    return [
        destination
        for name, table in site.destinations.items()
        if table.has_server_copy
        for destination in MAKERS[table.kind](site, name, table)
    ]
