"""Orders in SQLite: what was told of each, and whether it is paid.

Everything about one order happens in one transaction, so that a payment and the page's copy of it
find each other whichever comes first, also after a crash. `relay.outbox.Outbox` has the promises.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple, cast

from relay.outbox import HOLD_MS, Join, Payment, PaymentRow, Told
from relay.outbox.sqlite_put import FIND_EVENT, PUT_DELIVERY, StoredDelivery, put, stored
from relay.outbox.sqlite_statements import SITES_OF, Route, erase

FIND_ORDER = """
SELECT is_told, state, status, payment, event_id FROM orders WHERE site = ? AND order_id = ?
"""
PUT_TOLD = """
INSERT INTO orders (site, order_id, is_told, updated_at) VALUES (?, ?, 1, ?)
ON CONFLICT (site, order_id) DO UPDATE SET is_told = 1
"""
PUT_PAID = """
INSERT INTO orders (site, order_id, is_told, state, status, payment, event_id, updated_at)
VALUES (?, ?, ?, 'paid', ?, ?, ?, ?)
ON CONFLICT (site, order_id) DO UPDATE SET is_told = excluded.is_told, state = 'paid',
    status = excluded.status, payment = excluded.payment, event_id = excluded.event_id,
    updated_at = excluded.updated_at
"""
PUT_REVERSED = """
INSERT INTO orders (site, order_id, state, status, updated_at) VALUES (?, ?, 'reversed', ?, ?)
ON CONFLICT (site, order_id) DO UPDATE SET state = 'reversed', status = excluded.status,
    updated_at = excluded.updated_at
"""
PUT_CONTEXT = """
INSERT INTO contexts (site, order_id, event_id, received_at, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (site, order_id, event_id) DO NOTHING
"""
# The page's copies and the newest of the rest. The plus: the few rows of an order are sorted,
# instead of all of the site's read in order.
CONTEXTS = """
SELECT body FROM (
    SELECT body, received_at, rowid AS n FROM contexts WHERE site = ? AND order_id = ?
    ORDER BY json_extract(body, '$.event_name') IN ('purchase', 'subscribe') DESC,
        +received_at DESC, n DESC LIMIT 20)
ORDER BY received_at DESC, n DESC
"""
REMOVE_CONTEXTS = "DELETE FROM contexts WHERE site = ? AND order_id = ?"
PAYMENTS = """
SELECT order_id, state, status, event_id, updated_at FROM orders
WHERE site = ? AND state IS NOT NULL ORDER BY updated_at DESC LIMIT ?
"""
PAYMENTS_OF_ORDER = """
SELECT order_id, state, status, event_id, updated_at FROM orders
WHERE site = ? AND state IS NOT NULL AND order_id = ? LIMIT ?
"""

# Something of it was sent, may be under way, or is due.
FIND_TOUCHED = """
SELECT 1 FROM deliveries WHERE event = ? AND (
    attempts > 0 OR begun = 1 OR state IN ('done', 'dead') OR state = 'waiting' AND due_ms <= ?)
"""
RENAME_EVENT = "UPDATE OR IGNORE events SET event_id = ? WHERE id = ?"
RENAME_PAID = "UPDATE orders SET event_id = ? WHERE site = ? AND order_id = ?"
COMPLETE_BODY = """
UPDATE events SET body = ? WHERE id = ? AND EXISTS (
    SELECT 1 FROM deliveries d WHERE d.event = events.id AND d.state IN ('waiting', 'dead'))
"""
SET_CONSENT = "UPDATE events SET consent = ? WHERE id = ?"
# What was tried is left as it is, and so is what was done, or dropped after a try.
REVIVE = """
UPDATE deliveries SET state = 'waiting', reason = '', sent_as = ?, due_ms = ?, updated_at = ?
WHERE event = ? AND destination = ? AND state = 'skipped' AND attempts = 0
"""
HURRY = """
UPDATE deliveries SET due_ms = ?, sent_as = ?
WHERE event = ? AND destination = ? AND state = 'waiting' AND attempts = 0 AND due_ms > ?
"""
SKIP = """
UPDATE deliveries SET state = 'skipped', reason = ?, updated_at = ?
WHERE event = ? AND destination = ? AND state IN ('waiting', 'skipped')
    AND attempts = 0 AND begun = 0
"""

SITES_WITH_ORDERS = SITES_OF.format(table="orders")
SITES_WITH_CONTEXTS = SITES_OF.format(table="contexts")
REMOVE_OLD_CONTEXTS = """
DELETE FROM contexts WHERE rowid IN (
    SELECT rowid FROM contexts WHERE site = ? AND received_at < ? LIMIT ?)
"""
REMOVE_CONTEXTS_OF_PAID = """
DELETE FROM contexts WHERE rowid IN (
    SELECT c.rowid FROM orders o JOIN contexts c ON c.site = o.site AND c.order_id = o.order_id
    WHERE o.site = ? AND o.updated_at < ? AND o.state IS NOT NULL LIMIT ?)
"""
REMOVE_ORDERS = """
DELETE FROM orders WHERE (site, order_id) IN (
    SELECT site, order_id FROM orders WHERE site = ? AND updated_at < ? LIMIT ?)
"""


class Order(NamedTuple):
    """An order's row; of one that nothing is known of, `Order()`."""

    is_told: int = 0
    state: str | None = None
    status: str | None = None
    payment: str | None = None
    event_id: str | None = None


def tell(db: sqlite3.Connection, told: Told, join: Join) -> set[Route]:
    """It is kept as long as it is of use, and its order's event put or completed with it."""
    order = _order(db, told.site, told.order_id)
    copy = [stored(told.record)] if told.record and told.record[1] else []
    if order.is_told:
        return put(db, copy)
    if order.state == "reversed":
        return set()
    at = told.context["received_at"]
    key = (told.site, told.order_id)
    body = json.dumps(told.context, separators=(",", ":"))
    db.execute(PUT_CONTEXT, (*key, told.context["event_id"], at, body))
    if order.state == "paid":
        routes = _complete(db, order, _contexts(db, *key), join, at)
    else:
        routes = put(db, copy)
    if told.is_order_event and (told.record or order.state == "paid"):
        db.execute(PUT_TOLD, (*key, at))
        db.execute(REMOVE_CONTEXTS, key)
    return routes


def pay(db: sqlite3.Connection, payment: Payment, join: Join) -> set[Route]:
    """The order is paid, and its event put unless the page's copy was."""
    key = (payment.site, payment.order_id)
    order = _order(db, *key)
    if order.state:
        return set()
    routes: set[Route] = set()
    is_told, event_id = bool(order.is_told), None
    if not is_told:
        contexts = _contexts(db, *key)
        record = join(payment, contexts)
        event_id = record[0]["event_id"]
        if record[1]:
            routes = put(db, [stored(record)], hold_ms=0 if contexts else HOLD_MS)
        is_told = any(one["event_name"] == payment.event_name for one in contexts)
    body = json.dumps(asdict(payment))
    row = (*key, is_told, payment.status, body, event_id, payment.received_at)
    db.execute(PUT_PAID, row)
    if is_told:
        db.execute(REMOVE_CONTEXTS, key)
    return routes


def reverse(
    db: sqlite3.Connection, site: str, order_id: str, status: str, now_ms: int, was_paid: bool
) -> bool:
    """Whether it was news that the order's payment was taken back."""
    order = _order(db, site, order_id)
    if (order.state, order.status) == ("reversed", status) or not (order.state or was_paid):
        return False
    db.execute(PUT_REVERSED, (site, order_id, status, now_ms))
    db.execute(REMOVE_CONTEXTS, (site, order_id))
    return True


def payments(
    db: sqlite3.Connection, site: str, order_id: str | None, limit: int
) -> list[PaymentRow]:
    """The orders that have a state, last changed first."""
    names = list(PaymentRow.__annotations__)
    if order_id is None:
        found = db.execute(PAYMENTS, (site, limit))
    else:
        found = db.execute(PAYMENTS_OF_ORDER, (site, order_id, limit))
    return [cast(PaymentRow, dict(zip(names, row, strict=True))) for row in found]


def _complete(
    db: sqlite3.Connection,
    order: Order,
    contexts: Sequence[Mapping[str, Any]],
    join: Join,
    now_ms: int,
) -> set[Route]:
    """The event that the payment sent has what is told of it now, as far as it is not done.

    It keeps its ID once something of it was due: sent under another one, it would count twice.
    """
    payment = Payment(**json.loads(order.payment or ""))
    found = db.execute(FIND_EVENT, (payment.site, order.event_id)).fetchone()
    if found is None:  # so long ago that it is forgotten: sent again, it would count twice
        return set()
    kept = replace(payment, event_id=order.event_id)
    is_touched = db.execute(FIND_TOUCHED, (found[0], now_ms)).fetchone()
    new = stored(join(kept if is_touched else payment, contexts))
    if new.event_id != order.event_id:
        if db.execute(RENAME_EVENT, (new.event_id, found[0])).rowcount:
            db.execute(RENAME_PAID, (new.event_id, payment.site, payment.order_id))
        else:  # another event has that ID
            new = stored(join(kept, contexts))
    routes: set[Route] = set()
    for delivery in new.deliveries:
        routes |= _change(db, found[0], new.site, delivery, now_ms)
    db.execute(COMPLETE_BODY, (new.body, found[0]))
    db.execute(SET_CONSENT, (new.consent, found[0]))
    erase(db, [found[0]])
    return routes


def _change(
    db: sqlite3.Connection,
    event: int,
    site: str,
    delivery: StoredDelivery,
    now_ms: int,
) -> set[Route]:
    """The delivery is as decided now, if it was not tried before; the routes that got work."""
    destination, state, reason, sent_as, parts = delivery
    if state == "skipped":
        is_changed = db.execute(SKIP, (reason, now_ms, event, destination)).rowcount > 0
        return put(db, parts) if is_changed else set()
    row = (event, destination, site, state, now_ms, reason, sent_as, now_ms)
    is_due = (
        db.execute(PUT_DELIVERY, row).rowcount
        + db.execute(REVIVE, (sent_as, now_ms, now_ms, event, destination)).rowcount
        + db.execute(HURRY, (now_ms, sent_as, event, destination, now_ms)).rowcount
    ) > 0
    return {(site, destination)} if is_due else set()


def _order(db: sqlite3.Connection, site: str, order_id: str) -> Order:
    row = db.execute(FIND_ORDER, (site, order_id)).fetchone()
    return Order(*row) if row else Order()


def _contexts(db: sqlite3.Connection, site: str, order_id: str) -> list[dict[str, Any]]:
    """What was told of the order, newest first."""
    return [json.loads(body) for (body,) in db.execute(CONTEXTS, (site, order_id))]
