"""What a relay counts and measures, as Prometheus reads it (`GET /metrics`).

Every label is a name of a site file, of a route or of a short list: nothing from outside makes a
new series. Each relay has a registry of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Gauge, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from relay.outbox import Backlog, NewDelivery
from relay.pace import State
from relay.tallies import Durations, Tally

# When each series began: as many lines again, that nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]

Route = tuple[str, str]
"""A site and one of its destinations."""

REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ATTEMPT_BUCKETS_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DELIVERY_BUCKETS_S = (0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0)

SKIPPED = (
    ("consent", "consent"),
    ("no consent for", "consent"),
    ("bot:", "bot"),
    ("not among", "not_asked_for"),
    ("not configured", "not_configured"),
    ("sent as", "in_parts"),
)
"""How a delivery's reason begins, and what it is counted as; all else is the system's own rule."""
OTHERWISE_SKIPPED = "destination_rule"

OUTCOMES = {"done": "delivered", "retry": "retried", "dead": "dead"}


class Metrics:
    """The counters of the relay of these sites. `now` sets what is true at the moment."""

    def __init__(self, sites: Iterable[str] = (), routes: Sequence[Route] = ()) -> None:
        self._registry = CollectorRegistry()
        self._routes = routes
        route = ("site", "destination")
        self._accepted = self._tally(
            "events_accepted", "Events answered with 204, repeats included", "site"
        )
        self._refused = self._tally("requests_refused", "Requests refused", "site", "code")
        self._skipped = self._tally(
            "deliveries_skipped",
            "Deliveries decided against when the event was taken, repeats included",
            *route,
            "reason",
        )
        self._settled = self._tally("deliveries", "How attempts ended", *route, "outcome")
        self._requests = self._durations(
            "request_seconds",
            "From a request's head to the end of its answer",
            REQUEST_BUCKETS_S,
            *("route", "method", "status"),
        )
        self._attempts = self._durations(
            "attempt_seconds", "One request to a destination", ATTEMPT_BUCKETS_S, *route
        )
        self._delivered = self._durations(
            "delivery_seconds",
            "From an event's receipt to its delivery",
            DELIVERY_BUCKETS_S,
            *route,
        )
        self._waiting = self._gauge("deliveries_waiting", "Deliveries not yet done", *route)
        self._oldest = self._gauge(
            "oldest_waiting_seconds", "Since the receipt of the oldest event that waits", *route
        )
        self._arrived = self._gauge("arrivals_waiting", "Requests not yet routed", "site")
        self._oldest_arrival = self._gauge(
            "oldest_arrival_seconds", "Since the oldest request that is not yet routed", "site"
        )
        self._paused = self._gauge("destination_paused", "1: it refuses our credentials", *route)
        self._down = self._gauge("destination_down", "1: it fails, and is hardly asked", *route)
        self._outbox_bytes = self._gauge("outbox_bytes", "Size of the outbox's files")
        self._free_bytes = self._gauge("disk_free_bytes", "Room on the outbox's disk")
        self._sites = list(sites)
        for site in self._sites:
            self._accepted.add((site,), 0)
        for each in routes:
            for outcome in OUTCOMES.values():
                self._settled.add((*each, outcome), 0)

    # --- what happens ---

    def accepted(self, site: str, count: int) -> None:
        """So many events of one request are durable."""
        self._accepted.add((site,), count)

    def refused(self, site: str, code: str) -> None:
        """A request was refused; `site` is empty where it is not known."""
        self._refused.add((site, code))

    def routed(self, site: str, deliveries: Iterable[NewDelivery]) -> None:
        """These deliveries of an event are durable; the skipped ones are counted."""
        for one in deliveries:
            if one["state"] == "skipped":
                self._skipped.add((site, one["destination"], skip_class(one["reason"])))

    def requested(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.add((route, method, status), seconds)

    def attempted(self, site: str, destination: str, seconds: float) -> None:
        """A request to this destination ended, however it did."""
        self._attempts.add((site, destination), seconds)

    def settled(self, site: str, destination: str, verdict: str, seconds: float) -> None:
        """An attempt's outcome is durable, so long after its event was received."""
        self._settled.add((site, destination, OUTCOMES[verdict]))
        if verdict == "done":
            self._delivered.add((site, destination), seconds)

    # --- what is ---

    def now(
        self, now_ms: int, backlogs: Sequence[Backlog] | None, states: Mapping[Route, State]
    ) -> None:
        """This waits, None where nobody knows, and so is each destination asked."""
        self._waiting.clear()
        self._oldest.clear()
        for route in self._routes:
            state = states.get(route, "closed")
            self._paused.labels(*route).set(state == "paused")
            self._down.labels(*route).set(state in ("open", "half_open"))
            if backlogs is not None:
                self._waiting.labels(*route).set(0)
                self._oldest.labels(*route).set(0)
        for one in backlogs or ():
            self._waiting.labels(one.site, one.destination).set(one.count)
            age_s = max(now_ms - one.oldest_ms, 0) / 1000
            self._oldest.labels(one.site, one.destination).set(age_s)

    def arrived(self, now_ms: int, backlogs: Sequence[Backlog] | None) -> None:
        """These requests are not routed yet, None where nobody knows."""
        for gauge in (self._arrived, self._oldest_arrival):
            gauge.clear()
            for site in self._sites if backlogs is not None else ():
                gauge.labels(site).set(0)
        for one in backlogs or ():
            self._arrived.labels(one.site).set(one.count)
            self._oldest_arrival.labels(one.site).set(max(now_ms - one.oldest_ms, 0) / 1000)

    def disk(self, outbox_bytes: int, free_bytes: int) -> None:
        """The outbox takes this of its disk and leaves that."""
        self._outbox_bytes.set(outbox_bytes)
        self._free_bytes.set(free_bytes)

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """Everything, in the format that the `Accept` header asks for, and its media type."""
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type

    def value(self, name: str, **labels: str) -> float:
        """One of them, 0 when it has not been counted."""
        return self._registry.get_sample_value(f"pixelmirror_{name}", labels) or 0.0

    def _tally(self, name: str, about: str, *labels: str) -> Tally:
        tally = Tally(f"pixelmirror_{name}", about, labels)
        self._registry.register(tally)
        return tally

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(f"pixelmirror_{name}", about, labels, registry=self._registry)

    def _durations(
        self, name: str, about: str, buckets_s: Sequence[float], *labels: str
    ) -> Durations:
        durations = Durations(f"pixelmirror_{name}", about, labels, buckets_s)
        self._registry.register(durations)
        return durations


def skip_class(reason: str) -> str:
    """What a skipped delivery is counted as: one of a few words, whatever the reason says."""
    return next((name for start, name in SKIPPED if reason.startswith(start)), OTHERWISE_SKIPPED)
