"""Events and records as the ingest hands them to the outbox, and a look at the raw disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from relay.outbox import Delivery, NewDelivery, Outcome, Record
from relay.outbox.sqlite import SqliteOutbox
from relay.outbox.sqlite_file import connect

NOW = 1_760_000_000_000
DAY_MS = 86_400_000


def event(event_id: str = "e1", name: str = "add_to_cart", **more: Any) -> dict[str, Any]:
    return {
        "site": "toko",
        "event_id": event_id,
        "event_name": name,
        "event_time": NOW,
        "received_at": NOW,
        "params": {"value": 3_000_000_000, "currency": "IDR"},
        "user": {"email": "siti@example.com"},
        **more,
    }


def to(destination: str, state: Literal["waiting", "skipped"] = "waiting") -> NewDelivery:
    reason = "no consent" if state == "skipped" else ""
    return {"destination": destination, "state": state, "reason": reason, "sent_as": "sent-e1"}


def record(event_id: str = "e1", *destinations: str, **more: Any) -> Record:
    return event(event_id, **more), [to(name) for name in destinations or ("meta",)]


async def claim(
    outbox: SqliteOutbox, destination: str = "meta", limit: int = 100
) -> list[Delivery]:
    return await outbox.claim("toko", destination, limit, NOW)


async def end(
    outbox: SqliteOutbox, verdict: Literal["done", "dead"], destination: str = "meta", at: int = NOW
) -> None:
    """Everything due for this destination has ended so."""
    found = await outbox.claim("toko", destination, 100, at)
    await outbox.settle([Outcome(one, verdict, 400, "words") for one in found], at)


async def states(outbox: SqliteOutbox, **which: Any) -> list[tuple[str, str, str]]:
    rows = await outbox.deliveries("toko", **which)
    return sorted((row["event_id"], row["destination"], row["state"]) for row in rows)


async def plan(path: Path, statement: str, values: Any) -> list[str]:
    """The steps by which SQLite would find what the statement asks of a new outbox."""
    await (await SqliteOutbox.open(path)).close()
    db = connect(path)
    steps = [str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    db.close()
    return steps


def raw(path: Path) -> bytes:
    """Every byte on disk: the file, its write-ahead log, its lock."""
    return b"".join(one.read_bytes() for one in sorted(path.parent.iterdir()))
