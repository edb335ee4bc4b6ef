"""Which request carries which deliveries, and what is left when a request is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relay.destinations import Destination, Judgement, Request
from relay.outbox import Delivery


@dataclass(frozen=True)
class Load:
    """A request with the deliveries it carries."""

    request: Request
    deliveries: Sequence[Delivery]


class EventsLeftOut(Exception):
    """A destination's requests do not carry each event exactly once."""


def in_batches(deliveries: Sequence[Delivery], size: int) -> list[Sequence[Delivery]]:
    """The deliveries in their order, at most `size` together.

    After its second failed attempt a delivery travels in a quarter of the company, then in a
    sixteenth and so on: an event at which the system breaks is alone in the end, and takes down
    no other.
    """
    companies: dict[int, list[Delivery]] = {}
    for delivery in deliveries:
        most = max(size >> 2 * max(delivery.attempts - 1, 0), 1)
        companies.setdefault(most, []).append(delivery)
    return [batch for most, some in companies.items() for batch in _chunks(some, most)]


def loads(
    destination: Destination, deliveries: Sequence[Delivery]
) -> tuple[list[Load], list[tuple[Delivery, Exception]]]:
    """The requests for these deliveries, and each for which the destination made none but raised.

    One event that cannot be put in a request takes no other with it.
    """
    try:
        requests = destination.requests([delivery.event for delivery in deliveries])
        return _matched(requests, deliveries), []
    except Exception as error:
        if len(deliveries) == 1:
            return [], [(deliveries[0], error)]
    made: list[Load] = []
    failed: list[tuple[Delivery, Exception]] = []
    for half in halves(deliveries):
        some, others = loads(destination, half)
        made += some
        failed += others
    return made, failed


def halves(deliveries: Sequence[Delivery]) -> list[Sequence[Delivery]]:
    """The deliveries in two parts."""
    return _chunks(deliveries, (len(deliveries) + 1) // 2)


def may_split(load: Load, judgement: Judgement) -> bool:
    """Whether a dead request may be sent again in parts, to find the event it died of.

    Safe where a repeat cannot count twice, or where nothing of it was taken.
    """
    is_safe = load.request.repeatable or judgement.took_nothing
    return judgement.verdict == "dead" and len(load.deliveries) > 1 and is_safe


def too_old(delivery: Delivery, max_age_s: int, now_ms: int) -> str | None:
    """Why the event is too old for the destination; None while it is not."""
    if now_ms - int(delivery.event["event_time"]) <= max_age_s * 1000:
        return None
    last = f"; the last attempt: {delivery.reason}" if delivery.attempts else ""
    return f"older than {_span(max_age_s)}, the most this destination takes{last}"


def _chunks(deliveries: Sequence[Delivery], size: int) -> list[Sequence[Delivery]]:
    return [deliveries[start : start + size] for start in range(0, len(deliveries), size)]


def _span(seconds: int) -> str:
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size and seconds % size == 0:
            return f"{seconds // size} {name}"
    return f"{seconds} seconds"


def _matched(requests: Sequence[Request], deliveries: Sequence[Delivery]) -> list[Load]:
    left = {delivery.event_id: delivery for delivery in deliveries}
    try:
        matched = [
            Load(request, [left.pop(event["event_id"]) for event in request.events])
            for request in requests
        ]
    except KeyError:
        raise EventsLeftOut from None
    if left:
        raise EventsLeftOut
    return matched
