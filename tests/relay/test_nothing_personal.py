"""Personal data and secrets are in no log, no metric and no error, wherever they are sent in.

E-mail addresses, phone numbers and tokens stand in every field, header and path here, and every
way to fail is gone. Names can't be known by their looks: they are in no log, as nothing of an
event's content is.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from relay.app import Relay, create_app
from relay.outbox import OutboxUnavailable
from relay.outbox.sqlite import SqliteOutbox
from tests.relay.process_shop import DIRECT, SCALEV, event
from tests.relay.relay_stage import (
    EVENT,
    KEY,
    ORDER,
    ORIGIN,
    SITE,
    Stage,
    page_assets,
    site,
    stage,
)

EMAIL = "siti.hush+x@example.co.id"
PHONE = "+62 812-3456-7890"
TOKEN = "EAABhush0123456789"
PRIVATE = (EMAIL, PHONE, TOKEN)
MARKS = ("hush", "hush".upper(), "812-3456", "81234567890", "8123456789", "Rahmahush")

FULL: dict[str, Any] = {
    **EVENT,
    "user": {**EVENT["user"], "firstname": "Sitihush", "lastname": "Rahmahush"},
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a document that holds nothing else."""
    inner: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        yield path
    for key, each in inner:
        yield from places(each, (*path, key))


def with_(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with this value there."""
    copy = json.loads(json.dumps(document))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


def with_key(document: Any, path: tuple[Any, ...], key: str) -> Any:
    """The document with one more key beside that one."""
    return with_(document, (*path[:-1], key), 1) if isinstance(path[-1], str) else document


def refusals(toko: Stage) -> Iterator[httpx.Response]:
    """Answers to every field that holds something private, from a page and from a server."""
    for kind in (FULL, ORDER):
        for path in places(kind):
            for private in PRIVATE:
                body = {"events": [with_(kind, path, private)]}
                yield toko.page(body)
                yield toko.page({"events": [with_key(kind, path, private)]})
                yield toko.server({**body, "site": "toko"})
    for private in PRIVATE:
        yield toko.page(private)
        yield toko.page({"events": private, "sent_at": private})
        yield toko.page({"calls": [[1, "track", private, {}]]})
        yield toko.page({"events": [FULL]}, path=f"/s/{private}")
        yield toko.page({"events": [FULL]}, headers={"Origin": f"https://{private}"})
        yield toko.page({"events": [FULL]}, headers={"Content-Type": private})
        yield toko.page({"events": [FULL]}, headers={"X-Request-Id": private, "Host": private})
        yield toko.server({"site": private})
        yield toko.server({"site": "toko"}, key=private)
        yield toko.ask("GET", f"/{private}?x={private}", headers={"Authorization": private})
        yield toko.replay({"site": "toko", "destination": private, "since": private})
        yield toko.replay({"site": private})
        for query in ("site", "state", "limit", "event_id", "order_id", "destination"):
            yield toko.operator("/v1/deliveries", **{query: private})
        key = {"X-Scalev-Storefront-Api-Key": private}
        for store in ("store_1", private):
            path_ = f"/v3/stores/{store}/public/analytics/meta/events"
            yield toko.ask("POST", path_, json={}, headers=key)
        for order_id in (private, "ORD-1"):
            notice = {"order_id": order_id, "signature_key": private, "status_code": private}
            yield toko.ask("POST", "/webhooks/midtrans/toko", json=notice)


MIDTRANS = {"server_key": TOKEN}


@pytest.mark.parametrize("is_full", [False, True], ids=["", "full disk"])
def test_no_answer_no_log_and_no_metric_tells_what_was_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, is_full: bool
) -> None:
    """Neither what is right nor what is wrong with it, nor while nothing can be stored."""
    caplog.set_level(logging.DEBUG)
    raw = {**SITE, "store_id": "store_1", "midtrans": MIDTRANS}
    statuses = set()
    with stage(tmp_path, site(raw), kind=FullDisk if is_full else SqliteOutbox) as toko:
        for answer in refusals(toko):
            statuses.add(answer.status_code)
            if answer.status_code >= 400:
                assert found(answer.text) == []
        assert found(toko.ask("GET", "/metrics").text) == []
    assert statuses >= {400, 401, 403, 404, 415, 422} | ({503} if is_full else {204})
    assert found(caplog.text) == []


class FullDisk(SqliteOutbox):
    """An outbox that can't store, and whose words quote what it can't."""

    def accept(self, *arrival: Any) -> Any:
        raise OutboxUnavailable(f"can't store for {EMAIL} {PHONE} with {TOKEN}")


class Broken(SqliteOutbox):
    """An outbox with a mistake in it, whose words quote the event."""

    def accept(self, site: str, received_at: int, facts: bytes, body: bytes) -> Any:
        raise KeyError(body.decode())


def test_no_log_tells_of_whom_we_made_a_mistake(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception's own words are in none."""
    caplog.set_level(logging.DEBUG)
    with stage(tmp_path, kind=Broken) as toko, pytest.raises(KeyError, match="hush"):
        toko.page({"events": [with_(FULL, ("user", "email"), EMAIL)]})
    assert "internal_error" in caplog.text
    assert found(caplog.text) == []


def found(text: str) -> list[str]:
    """What is private in it."""
    return [mark for mark in MARKS if mark in text]


# What every system answers: with all that it was sent, so that nothing is left out.
ANSWERS = (400, 401, 403, 404, 422, 429, 500, 200)


@pytest.mark.parametrize("status", ANSWERS)
@pytest.mark.parametrize("tables", [SCALEV, DIRECT], ids=["scalev", "direct"])
def test_no_log_and_no_metric_tells_what_a_system_quotes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, tables: dict[str, Any], status: int
) -> None:
    """Each answers with the whole request: its URL, headers and body."""
    caplog.set_level(logging.DEBUG)

    def quotes(request: httpx.Request) -> httpx.Response:
        sent = f"{request.url} {dict(request.headers)} {request.content.decode()}"
        error = {"error": {"message": sent, "code": 100}, "message": sent, "code": 40002}
        return httpx.Response(status, json=error)

    async def run() -> tuple[list[Any], str]:
        shop = site({**SITE, "destinations": tables})
        assets = page_assets(tmp_path / "dist")
        async with await SqliteOutbox.open(tmp_path / "outbox.db") as outbox:
            relay = Relay([shop], outbox, assets, transport=lambda: httpx.MockTransport(quotes))
            app = create_app(relay)
            transport = httpx.ASGITransport(app, client=("203.0.113.7", 1))
            client = httpx.AsyncClient(transport=transport, base_url="https://t")
            async with relay.running(app), client as http:
                body = {"events": [event("ORD-1-purchase", name="purchase")]}
                headers = {"Origin": ORIGIN, "User-Agent": "Mozilla/5.0 (Linux; Android 10; K)"}
                sent = await http.post("/s/toko", json=body, headers=headers)
                assert sent.status_code == 204
                await relay.routing.caught_up()
                async with asyncio.timeout(20):
                    # The outbox's threads have no event to wait for.
                    while not all(row["attempts"] for row in await outbox.deliveries("toko")):  # noqa: ASYNC110
                        await asyncio.sleep(0)
                return list(await outbox.deliveries("toko")), (await http.get("/metrics")).text

    rows, metrics = asyncio.run(run())
    assert len(rows) == len(DIRECT if tables is DIRECT else (1, 2, 3, 4))
    for text in (caplog.text, metrics, json.dumps(rows)):
        assert found(text) == []
        assert "203.0.113.7" not in text
        assert "Mozilla" not in text


def test_the_key_of_a_site_is_in_no_log(toko: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever sends it, and wherever."""
    caplog.set_level(logging.DEBUG)
    toko.operator("/v1/deliveries")
    toko.server({"site": "batik"})
    toko.ask("GET", f"/v1/deliveries?key={KEY}")
    assert KEY not in caplog.text
