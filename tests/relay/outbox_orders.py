"""An order in the outbox: what a page tells of it, its payment, and the event they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from relay.outbox import Payment, Record, Told
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.records import NOW, event, record, states, to

WITHOUT_TOLD: dict[str, Literal["waiting", "skipped"]] = {"meta": "skipped", "scalev": "waiting"}


def told(
    name: str = "begin_checkout", email: str = "siti@example.com", at: int = NOW, **more: Any
) -> Told:
    event_id = f"{name}-of-{email}"
    context = {"event_id": event_id, "event_name": name, "received_at": at, "email": email}
    more = {"is_order_event": name == "purchase", **more}
    return Told("toko", "O1", context, **more)


def copy(email: str = "siti@example.com", event_id: str = "O1-purchase") -> Told:
    """The page's copy where it is put at once (`purchase_on = "created"`)."""
    return told("purchase", email, record=record(event_id, "meta", "scalev", name="purchase"))


def payment(at: int = NOW) -> Payment:
    return Payment("toko", "O1", "purchase", 750000, "IDR", "settlement", at, at)


def join(payment: Payment, contexts: Sequence[Mapping[str, Any]]) -> Record:
    """An event with every e-mail told, which meta takes only where there is one."""
    emails = [context["email"] for context in contexts]
    body = event(f"{payment.order_id}-purchase", "purchase", user={"emails": emails})
    body["params"]["id"] = payment.order_id
    state = dict.fromkeys(WITHOUT_TOLD, "waiting") if emails else WITHOUT_TOLD
    return body, [to(name, state[name]) for name in WITHOUT_TOLD]  # type: ignore[arg-type]


async def waiting(outbox: SqliteOutbox, destination: str, at: int = NOW) -> list[dict[str, Any]]:
    """The events that are due at this destination; they wait again."""
    found = await outbox.claim("toko", destination, 100, at)
    await outbox.release(found)
    return [one.event for one in found]


async def put_purchases(outbox: SqliteOutbox) -> list[tuple[str, str, str]]:
    return [row for row in await states(outbox) if row[0].endswith("purchase")]
