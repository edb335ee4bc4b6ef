"""The outbox: the durable store of deliveries, as everything else sees it.

`relay.outbox.sqlite` stores them in one file. Another store takes its place by keeping the
promises of `Outbox`; nothing here says how they are kept.

    OutboxError
    ├── OutboxRefused       it cannot be opened: of a newer version, not an outbox
    │   └── OutboxInUse     another process has it
    └── OutboxUnavailable   it can't store or read now: disk full, locked, closed
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, Protocol, TypedDict

from relay.destinations import Event
from relay.outbox.arrival import Arrival as Arrival
from relay.outbox.arrival import Arrivals

State = Literal["waiting", "done", "dead", "skipped"]
"""A delivery's state; `skipped` was decided before it was stored, or by dropping a dead letter."""

UNIQUE_DAYS = 7
"""Days for which an (event, destination) is remembered at least once it needs no delivery."""


class OutboxError(Exception):
    """Anything the outbox says no to."""


class OutboxRefused(OutboxError):
    """The outbox cannot be opened; the message says why and what to do."""


class OutboxInUse(OutboxRefused):
    """Another process has the outbox open; when it ends, this one may."""


class OutboxUnavailable(OutboxError):
    """The outbox can't do it now and nothing of the call is stored; later it may."""


class NewDelivery(TypedDict):
    """What one destination is to get of an event.

    Example: `{"destination": "scalev.meta", "state": "skipped", "reason": "no consent",
    "sent_as": "O1-Purchase-FORM"}`. `sent_as`: the event ID that destination is given. `parts`:
    what it gets instead of the event, which is skipped for that; stored with this delivery, and
    not at all where that was stored before.
    """

    destination: str
    state: Literal["waiting", "skipped"]
    reason: str
    sent_as: str | None
    parts: NotRequired[Sequence[Record]]


Record = tuple[Event, Sequence[NewDelivery]]
"""An event with everything that is to become of it."""

HOLD_MS = 10_000
"""A paid order of which no page has told anything waits so long for one that does."""

ORDER_DAYS = 180
"""Days for which an order is remembered; a chargeback may come 120 days after the payment."""


@dataclass(frozen=True)
class Told:
    """What an event with an order's ID told of the visitor, for the payment that may follow.

    `context` holds `event_id`, `event_name` and `received_at`; the rest is for `Join`.
    `is_order_event`: it is the page's copy of what the payment sends. `record`: such a copy's, to
    be put unless the payment came first; None where only the payment sends it.
    """

    site: str
    order_id: str
    context: Mapping[str, Any]
    is_order_event: bool = False
    record: Record | None = None


@dataclass(frozen=True)
class Payment:
    """An order that is paid. `event_name`: what it sends; `status`: the payment system's word.

    `event_id`: of the event that it has sent already, which is to be completed under that ID.
    """

    site: str
    order_id: str
    event_name: str
    value: float
    currency: str
    status: str
    paid_at: int
    received_at: int
    event_id: str | None = None


Join = Callable[[Payment, Sequence[Mapping[str, Any]]], Record]
"""The record of a paid order from what was told of it last, newest first.

Pure: the store calls it within its transaction.
"""


class PaymentRow(TypedDict):
    """A paid order as operators see it; it holds no personal data.

    `event_id`: of the event that the payment sent; None where the page's copy was sent before.
    """

    order_id: str
    state: Literal["paid", "reversed"]
    status: str
    event_id: str | None
    updated_at: int


@dataclass(frozen=True)
class Delivery:
    """One event for one destination, claimed and on its way.

    `attempts` are those already made, `reason` how the last one ended. `handle` is the store's
    own mark: it goes back unchanged.
    """

    site: str
    event_id: str
    destination: str
    event: dict[str, Any]
    attempts: int
    reason: str
    sent_as: str | None
    handle: object


@dataclass(frozen=True)
class Outcome:
    """How a claimed delivery ended: `done`, `dead`, or `retry` at `due_ms`.

    `attempted`: false where nothing was sent, so that no attempt is counted.
    """

    delivery: Delivery
    verdict: Literal["done", "retry", "dead"]
    status: int | None = None
    reason: str = ""
    due_ms: int = 0
    attempted: bool = True


class Step(TypedDict):
    """Something that became of a delivery. It holds no personal data.

    `retry`, `done` and `dead` are how the attempt `attempt` ended, or what was decided without one
    (None). Example: `{"at": 1760000001113, "what": "retry", "attempt": 1, "status": 503,
    "reason": "server error (503)"}`.
    """

    at: int
    what: Literal["queued", "skipped", "retry", "done", "dead", "replayed", "dropped"]
    attempt: int | None
    status: int | None
    reason: str


class DeliveryRow(TypedDict):
    """A delivery as operators see it (DESIGN 5.4); it holds no personal data."""

    event_id: str
    event_name: str
    destination: str
    state: State
    attempts: int
    status: int | None
    reason: str
    updated_at: int
    sent_as: str | None


class StoryRow(DeliveryRow, total=False):
    """A delivery with all that became of it, where an event or an order is asked for.

    `source`: who told the event, `page`, `server` or `payment`; None, as `consent`, of what schema
    2 stored. `due_at`: of what waits. `history`: the oldest first; of many attempts the last ones.
    """

    order_id: str | None
    received_at: int
    source: str | None
    consent: dict[str, Any] | None
    due_at: int | None
    history: list[Step]


class KeptRow(TypedDict):
    """An event that is kept for the payment of its order, as operators see it."""

    event_id: str
    order_id: str
    received_at: int


@dataclass(frozen=True)
class Backlog:
    """What waits for one destination; `oldest_ms`: when the oldest of its events was received."""

    site: str
    destination: str
    count: int
    oldest_ms: int


class Outbox(Arrivals, Protocol):
    """The promises of DESIGN 5.5 about storing. Times are milliseconds since 1970.

    A `destination` that filters also means those below it: `scalev` is `scalev.meta` too.
    Every method raises `OutboxUnavailable`.
    """

    async def put(self, records: Sequence[Record]) -> set[tuple[str, str]]:
        """All of it is durable; what came back is each (site, destination) with new work.

        Each (site, event ID, destination) is stored once: a repeat changes nothing. A later copy
        adds the destinations that have no delivery yet, and they get the event as it tells it. An
        event that nothing waits for is stored without its personal data.
        """
        ...

    async def tell(
        self, records: Sequence[Record], told: Sequence[Told], join: Join
    ) -> set[tuple[str, str]]:
        """`put`, and durable with it what was told of orders; with the same result.

        It is kept until its order is paid and the page's copy of it has come. Told of an order that
        is paid, it completes what the payment has sent and is not done yet: deliveries held for it
        are due, those skipped may wait now.
        """
        ...

    async def pay(self, payment: Payment, join: Join) -> set[tuple[str, str]]:
        """The order is paid, durable with its event; what came back is as for `put`.

        Once an order: a repeat changes nothing. Where the page's copy was put before, no event is.
        """
        ...

    async def reverse(
        self, site: str, order_id: str, status: str, now_ms: int, *, was_paid: bool
    ) -> bool:
        """Whether this is news: the order's payment was taken back; it sends nothing any more.

        `was_paid`: even an order of which no payment was heard must have had one.
        """
        ...

    async def payments(
        self, site: str, *, order_id: str | None = None, limit: int = 100
    ) -> list[PaymentRow]:
        """The paid and the reversed orders, last changed first."""
        ...

    async def claim(self, site: str, destination: str, limit: int, now_ms: int) -> list[Delivery]:
        """Those waiting and due, oldest first, at most `limit`; no other claim gets them.

        Fewer where they are large: what waits must not fill memory.

        They are ours until settled or released, or until the process ends. What a clock put off
        that was ahead then is due when it would have been by a right one.
        """
        ...

    async def begin(self, deliveries: Sequence[Delivery]) -> None:
        """These are about to be sent in a way that must not be repeated.

        Should the process die before they are settled or released, they are dead letters when the
        outbox is opened again: whether they arrived, nobody knows.
        """
        ...

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        """These were claimed and not sent; they wait again as if they had not been claimed."""
        ...

    async def settle(self, outcomes: Sequence[Outcome], now_ms: int) -> None:
        """The outcomes are durable; an event that nobody needs any more has no personal data.

        Needed by: a delivery that waits, a dead letter.
        """
        ...

    async def next_due(self, site: str, destination: str) -> int | None:
        """When the first delivery that is waiting and not claimed is due; None without one."""
        ...

    async def deliveries(
        self,
        site: str,
        *,
        event_id: str | None = None,
        order_id: str | None = None,
        state: State | None = None,
        destination: str | None = None,
        limit: int = 100,
    ) -> list[StoryRow]:
        """The deliveries that match, last changed first. `order_id`: every event of that order.

        Of an event or an order, with all that became of each.
        """
        ...

    async def dead_letters(
        self,
        site: str,
        *,
        destination: str | None = None,
        event_id: str | None = None,
        since_ms: int | None = None,
        limit: int = 1000,
    ) -> list[DeliveryRow]:
        """The dead letters, last changed first; `since_ms`: dead since then."""
        ...

    async def kept(self, site: str, mark: str) -> list[KeptRow]:
        """What is kept for the payment of its order; `mark`: the event's ID or the order's."""
        ...

    async def replay(
        self,
        site: str,
        *,
        destination: str | None = None,
        event_id: str | None = None,
        since_ms: int | None = None,
        now_ms: int,
    ) -> int:
        """How many dead letters now wait again, as if never tried; `since_ms`: dead since then."""
        ...

    async def drop(
        self,
        site: str,
        *,
        destination: str | None = None,
        event_id: str | None = None,
        since_ms: int | None = None,
        now_ms: int,
    ) -> int:
        """How many dead letters were given up: skipped now, a repeat still stores nothing."""
        ...

    async def sites(self) -> list[str]:
        """Every site of which something is stored."""
        ...

    async def waiting(self) -> list[Backlog]:
        """What waits, by site and destination."""
        ...

    async def purge(self, now_ms: int, retention_days: Mapping[str, int]) -> int:
        """How many deliveries were forgotten.

        Forgotten is what was done or skipped `UNIQUE_DAYS` ago. Dead letters older than their
        site's `retention_days` (30 for a site not named) are dropped, and so is what was told of an
        order; that of a paid one already after `UNIQUE_DAYS`, when nothing is left to complete.
        Where much was forgotten, the store is smaller.
        """
        ...

    async def check(self) -> None:
        """Something was stored just now."""
        ...

    async def close(self) -> None:
        """What was asked is stored and the store is free for the next process."""
        ...
