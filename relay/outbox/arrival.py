"""Arrivals: requests whose events are durable, and not yet routed to their destinations.

What a request brought is kept whole, as one row, before it is answered; what each destination is to
get of it is worked out afterwards (`relay.routing`) and takes its place in one transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from relay.outbox import Backlog, Join, Record, Told


class Arrival(NamedTuple):
    """One request. `id`: the store's own mark, higher than that of any that came before.

    `facts`: what is known of the request, as JSON; `body`: its events. Both are personal data, and
    the store reads neither.
    """

    id: int
    site: str
    received_at: int
    facts: bytes
    body: bytes


class Arrivals(Protocol):
    """What an outbox promises of arrivals. Every method raises `OutboxUnavailable`."""

    def on_arrivals(self, tell: Callable[[Sequence[Arrival]], None]) -> int:
        """The `id` of the newest that is durable; 0 where there is none.

        Of all that are durable from now on `tell` hears in the event loop, oldest first.
        """
        ...

    def accept(self, site: str, received_at: int, facts: bytes, body: bytes) -> Awaitable[None]:
        """The request is durable."""
        ...

    async def arrivals(self, limit: int, after: int) -> list[Arrival]:
        """Those on disk after that `id`, oldest first, at most `limit`; fewer where they are large.

        An empty list only where there is none.
        """
        ...

    async def arrivals_waiting(self) -> list[Backlog]:
        """How many are on disk, by site; `destination` is empty."""
        ...

    async def routed(
        self, ids: Sequence[int], records: Sequence[Record], told: Sequence[Told], join: Join
    ) -> set[tuple[str, str]]:
        """`Outbox.tell`, and these arrivals are gone, bytes and all.

        Should the process die, what is put is, or they are there: mostly one, never neither.
        """
        ...
