"""The destinations of a site: one line for each kind that has server copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from relay.destinations import Answer, Destination, Event, Judgement, Request, scalev, tracify
from relay.site import DestinationTable, Site

MAKERS: Mapping[str, Callable[[Site, str, Any], Sequence[Destination]]] = {
    "scalev": scalev.destinations,
    "tracify": tracify.destinations,
}


def destinations(site: Site) -> list[Destination]:
    """Everything that the site's server copies go to; pixels without one are not among them."""
    found: list[Destination] = []
    for name, table in site.destinations.items():
        if not table.has_server_copy:
            continue
        if table.kind in MAKERS:
            found += MAKERS[table.kind](site, name, table)
        else:
            found.append(NotConfigured(name, table))
    return found


class NotConfigured:
    """A kind whose server copy is asked for and not to be had: its events show as skipped."""

    batch = 1
    max_age_s = 0

    def __init__(self, name: str, table: DestinationTable) -> None:
        self.name = name
        self.kind = table.kind
        self.categories: Sequence[str] = table.categories
        self._reason = f"not configured: this version sends no server copy to {table.kind}"

    def skips(self, event: Event) -> str | None:
        return self._reason

    def sent_as(self, event: Event) -> str | None:
        return None

    def requests(self, events: Sequence[Event]) -> list[Request]:
        return []

    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        return Judgement("pause", self._reason)
