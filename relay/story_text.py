"""An event's story: found in the outbox, and told to people line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

from relay.outbox import KeptRow, Outbox, PaymentRow, Step, StoryRow

MOST = 1000


class EventStory(TypedDict):
    """An event and what became of it; `deliveries` by destination."""

    event_id: str
    event_name: str
    order_id: str | None
    received_at: int
    source: str | None
    consent: dict[str, Any] | None
    deliveries: list[dict[str, Any]]


class Story(TypedDict):
    """All that is known of an event ID or an order ID at one site."""

    site: str
    events: list[EventStory]
    payments: list[PaymentRow]
    kept: list[KeptRow]


OF_EVENT = ("event_id", "event_name", "order_id", "received_at", "source", "consent")


async def find_story(outbox: Outbox, site: str, mark: str) -> Story:
    """What is known of this event, or of the events of this order; it may be nothing."""
    rows = await outbox.deliveries(site, event_id=mark, limit=MOST)
    rows += await outbox.deliveries(site, order_id=mark, limit=MOST)
    for row in list(rows):
        if row["state"] == "skipped" and row["reason"].startswith("sent as "):
            rows += await _parts(outbox, site, row["event_id"])
    return {
        "site": site,
        "events": _events(rows),
        "payments": await outbox.payments(site, order_id=mark),
        "kept": await outbox.kept(site, mark),
    }


async def _parts(outbox: Outbox, site: str, event_id: str) -> list[StoryRow]:
    """The deliveries of the events that were made of this one (`relay.ingest`)."""
    found: list[StoryRow] = []
    number = 1
    while rows := await outbox.deliveries(site, event_id=f"{event_id}.{number}", limit=MOST):
        found += rows
        number += 1
    return found


def _events(rows: Sequence[StoryRow]) -> list[EventStory]:
    """The events of these deliveries, first received first."""
    found: dict[str, EventStory] = {}
    for row in sorted(rows, key=lambda row: (row["received_at"], row["event_id"])):
        told: Mapping[str, Any] = row
        of_event = {key: told[key] for key in OF_EVENT}
        own = {key: told[key] for key in told if key not in OF_EVENT}
        story = found.setdefault(row["event_id"], {**of_event, "deliveries": []})  # type: ignore[typeddict-item]
        if own not in story["deliveries"]:
            story["deliveries"].append(own)
    for story in found.values():
        story["deliveries"].sort(key=lambda own: own["destination"])
    return list(found.values())


# --- as text ---


def moment(ms: int) -> str:
    """The time in UTC, with milliseconds where it has some: `2025-10-09T08:53:20.500Z`."""
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").removesuffix("+00:00").removesuffix(".000") + "Z"


def story_lines(story: Story) -> Iterator[str]:
    """The story as people read it; events in the order in which they were received."""
    blocks = [list(_event_lines(story["site"], event)) for event in story["events"]]
    told = {event["event_id"] for event in story["events"]}
    kept = [one for one in story["kept"] if one["event_id"] not in told]
    blocks.append([_kept_line(one) for one in kept])
    blocks.append([_payment_line(one) for one in story["payments"]])
    lines = [line for block in blocks if block for line in (*block, "")]
    yield from lines[:-1]


def _event_lines(site: str, event: EventStory) -> Iterator[str]:
    order = f", order {event['order_id']}" if event["order_id"] else ""
    yield f"{event['event_name']} {event['event_id']} (site {site}{order})"
    yield (
        f"  {moment(event['received_at'])} received{_from(event['source'])} and checked; "
        f"{_consent(event['consent'])}"
    )
    for delivery in event["deliveries"]:
        sent_as = delivery["sent_as"] if delivery["state"] != "skipped" else None
        other = f", sent as {sent_as}" if sent_as and sent_as != event["event_id"] else ""
        yield f"  {delivery['destination']}: {delivery['state']}{other}"
        attempt_before = 0
        for step in delivery["history"]:
            if step["attempt"] and step["attempt"] > attempt_before + 1:
                yield "    (earlier attempts are not kept)"
            attempt_before = step["attempt"] or 0
            yield f"    {moment(step['at'])} {_step(step)}"
        if delivery["due_at"]:
            yield f"    {moment(delivery['due_at'])} next attempt, at the earliest"


SOURCES = {"page": " from a page", "server": " from a server", "payment": " as a payment"}


def _from(source: str | None) -> str:
    return SOURCES.get(source or "", "")


def _consent(consent: Mapping[str, Any] | None) -> str:
    if consent is None:
        return "consent not recorded"
    text = f"consent {consent.get('status', 'unknown')}"
    if consent.get("categories"):
        text += f" for {', '.join(consent['categories'])}"
    return text + (", Global Privacy Control is on" if consent.get("gpc") else "")


WHAT = {
    "queued": "queued",
    "replayed": "replayed",
    "skipped": "skipped",
    "dropped": "given up",
    "retry": "failed, to be tried again",
    "done": "done",
    "dead": "dead letter",
}


def _step(step: Step) -> str:
    attempt = f"attempt {step['attempt']}: " if step["attempt"] else ""
    status = f"{step['status']} " if step["status"] else ""
    reason = f": {step['reason']}" if step["reason"] else ""
    return f"{attempt}{status}{WHAT[step['what']]}{reason}"


def _kept_line(kept: KeptRow) -> str:
    return (
        f"{moment(kept['received_at'])} {kept['event_id']} received and checked; kept for the "
        f"payment of order {kept['order_id']}"
    )


def _payment_line(payment: PaymentRow) -> str:
    sent = f"; it sent {payment['event_id']}" if payment["event_id"] else ""
    return (
        f"{moment(payment['updated_at'])} order {payment['order_id']} {payment['state']} "
        f"({payment['status']}){sent}"
    )
