"""`GET /metrics`: what Prometheus reads, per site and destination, and nothing else as a label."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from relay.destinations.registry import destinations
from relay.disk import Disk
from relay.metrics import OTHERWISE_SKIPPED, Metrics, skip_class
from relay.outbox import OutboxUnavailable, Outcome
from relay.outbox.sqlite import SqliteOutbox
from relay.pace import State
from tests.relay.delivery_stage import FakeDestination, says
from tests.relay.delivery_stage import stage as delivery_stage
from tests.relay.records import record
from tests.relay.relay_stage import (
    BATIK,
    EVENT,
    KEY,
    NOW,
    ORDER,
    ORIGIN,
    TRACIFY,
    Stage,
    site,
    stage,
)

ROUTE = {"site": "toko", "destination": "tracify"}


def read(toko: Stage, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """Every series of this name, by its labels."""
    text = toko.ask("GET", "/metrics").text
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"pixelmirror_{name}"
    }


def value(toko: Stage, name: str, **labels: str) -> float | None:
    return read(toko, name).get(tuple(sorted(labels.items())))


def test_it_is_text_that_prometheus_reads(toko: Stage) -> None:
    """Without a key, as it holds nothing personal; in the format that is asked for."""
    answer = toko.ask("GET", "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation, family.name
        assert family.name.startswith("pixelmirror_")
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = toko.ask("GET", "/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text;")
    assert answer.text.endswith("# EOF\n")


def test_every_series_that_an_alarm_needs_is_there_from_the_start(toko: Stage) -> None:
    """At 0, so that its first increase is one."""
    for name in ("toko", "batik"):
        assert value(toko, "events_accepted_total", site=name) == 0
        for outcome in ("delivered", "retried", "dead"):
            labels = {"site": name, "destination": "tracify", "outcome": outcome}
            assert value(toko, "deliveries_total", **labels) == 0
        for gauge in ("deliveries_waiting", "oldest_waiting_seconds", "destination_paused"):
            assert value(toko, gauge, site=name, destination="scalev.meta") == 0


def test_accepted_events_are_counted_by_site(toko: Stage) -> None:
    """Those of a 204, whoever sent them; not those of a refusal."""
    toko.page({"events": [EVENT, ORDER]})
    toko.server({"site": "batik", "events": [EVENT]}, key=BATIK["secret_key"])
    toko.page({"events": [EVENT, {}]})
    assert value(toko, "events_accepted_total", site="toko") == 2
    assert value(toko, "events_accepted_total", site="batik") == 1


# A request that is refused, and what it counts as.
BEARER = {"Authorization": f"Bearer {KEY}"}
REFUSED: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("POST", "/s/toko", {"content": "no JSON", "headers": {"Origin": ORIGIN}}, "toko",
     "unsupported_media_type"),
    ("POST", "/s/toko", {"json": [], "headers": {"Origin": ORIGIN}}, "toko", "invalid_json"),
    ("POST", "/s/toko", {"json": {"events": [{}]}, "headers": {"Origin": ORIGIN}}, "toko",
     "invalid_event"),
    ("POST", "/s/toko", {"json": {}}, "toko", "origin_not_allowed"),
    ("POST", "/s/warung", {"json": {}}, "", "unknown_site"),
    ("GET", "/s/warung.js", {}, "", "unknown_site"),
    ("GET", "/v1/deliveries", {}, "", "unknown_key"),
    ("GET", "/v1/deliveries?limit=x", {"headers": BEARER}, "toko",
     "invalid_event"),
    ("POST", "/v1/events", {"json": {"site": "batik"}, "headers": BEARER}, "toko", "unknown_key"),
    ("POST", "/v3/stores/no/public/analytics/meta/events", {"json": {}}, "", "unknown_store"),
    ("POST", "/webhooks/midtrans/toko", {"json": {}}, "toko", "unknown_site"),
    ("GET", "/nothing/here", {}, "", "not_found"),
    ("DELETE", "/v1/events", {}, "", "method_not_allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "request_", "name", "code"), REFUSED)
def test_refusals_are_counted_by_site_and_code(
    toko: Stage, method: str, path: str, request_: dict[str, Any], name: str, code: str
) -> None:
    """The site as far as it is known; a refusal before its head is read has none."""
    assert toko.ask(method, path, **request_).status_code >= 400
    assert read(toko, "requests_refused_total") == {(("code", code), ("site", name)): 1.0}


def test_what_is_refused_unread_is_counted_too(toko: Stage) -> None:
    """By the connection, before the app sees it."""
    toko.relay.refused_unread("too_slow")
    assert value(toko, "requests_refused_total", site="", code="too_slow") == 1


def test_nothing_from_outside_makes_a_series(toko: Stage) -> None:
    """Whatever path, method, site, key, origin, event or reason is sent: the labels are ours."""
    odd = 'x"y\n{}'
    before: set[str] = set()
    toko.ask("GET", "/metrics")
    for turn in range(3):
        for number in range(20):
            name = f"{odd}{turn}-{number}"
            toko.ask("GET", f"/{turn}/{number}")
            toko.ask(f"ODD{turn}{number}", "/v1/events")
            toko.ask("POST", f"/s/{turn}{number}", json={}, headers={"Origin": f"https://{number}"})
            toko.ask("GET", f"/s/assets/{turn}/{number}")
            toko.ask("POST", f"/v3/stores/{turn}{number}/public/analytics/meta/events", json={})
            only = {**EVENT, "event_id": f"e{turn}-{number}", "destinations": [name]}
            assert toko.page({"events": [only]}).status_code == 204
        text = toko.ask("GET", "/metrics").text
        series = {line.rpartition(" ")[0] for line in text.splitlines() if line[0] != "#"}
        assert not before or series == before
        before = series
    assert odd not in text
    assert len(before) < 500


SKIPS = [
    ("consent denied", "consent"),
    ("consent refused by Global Privacy Control", "consent"),
    ("no consent for category 3", "consent"),
    ("bot: its user agent is a known crawler's or headless browser's", "bot"),
    ("not among the call's destinations", "not_asked_for"),
    ("not among the events set for this destination", "not_asked_for"),
    ("not configured: no access_token", "not_configured"),
    ("sent as 2 events, one for each item: e1.1 to e1.2", "in_parts"),
    ("no click ID", OTHERWISE_SKIPPED),
    ("anything that somebody may have written", OTHERWISE_SKIPPED),
]


@pytest.mark.parametrize(("reason", "expected"), SKIPS)
def test_a_reason_is_counted_as_one_of_a_few(reason: str, expected: str) -> None:
    """Never by its own words, which may be anything."""
    assert skip_class(reason) == expected


def test_skipped_deliveries_are_counted_by_what_kept_them(tmp_path: Path) -> None:
    """Of each destination of its own."""
    tables: dict[str, Any] = {
        "scalev": {"store_id": "s", "api_key": "k", "providers": ["snackvideo"]},
        "tracify": {**TRACIFY, "events": ["purchase"], "categories": ["3"]},
    }
    with stage(tmp_path, site(destinations=tables)) as toko:
        denied = {"consent": {"status": "denied"}}
        toko.page({"events": [{**EVENT, **denied, "event_id": "e1"}]})
        toko.page({"events": [{**EVENT, "event_id": "e2", "attribution": {}}]})
        toko.page({"events": [{**EVENT, "event_id": "e3"}]})
        assert {
            (dict(labels)["destination"], dict(labels)["reason"]): count
            for labels, count in read(toko, "deliveries_skipped_total").items()
        } == {
            ("scalev.snackvideo", "consent"): 1,
            ("scalev.snackvideo", "destination_rule"): 1,
            ("tracify", "consent"): 1,
            ("tracify", "not_asked_for"): 2,
        }


def test_requests_are_measured_by_route(toko: Stage) -> None:
    """The route as it is written in the app, whatever is asked for by it."""
    toko.page({"events": [EVENT]})
    toko.ask("GET", "/s/toko.js", headers={"Host": "t.example"})
    toko.ask("GET", "/s/toko.js?email=siti@example.com")
    toko.ask("GET", "/siti@example.com")
    counted = read(toko, "request_seconds_count")
    found = {(row["method"], row["route"], row["status"]): n for row, n in _dicts(counted)}
    assert found == {
        ("POST", "/s/{site}", "204"): 1,
        ("GET", "/s/{site}.js", "200"): 2,
        ("GET", "none", "404"): 1,
    }
    assert "siti" not in toko.ask("GET", "/metrics").text


def _dicts(
    series: Mapping[tuple[tuple[str, str], ...], float],
) -> list[tuple[dict[str, str], float]]:
    return [(dict(labels), count) for labels, count in series.items()]


# --- what waits ---


def test_what_waits_is_told_with_the_age_of_its_oldest_event(toko: Stage) -> None:
    """By site and destination, since its receipt; 0 where nothing waits."""
    toko.page({"events": [{**EVENT, "event_id": "e1"}]})
    toko.now_ms += 60_000
    toko.page({"events": [{**EVENT, "event_id": "e2"}]})
    assert value(toko, "deliveries_waiting", **ROUTE) == 2
    assert value(toko, "oldest_waiting_seconds", **ROUTE) == 60
    assert value(toko, "deliveries_waiting", site="batik", destination="tracify") == 0


def test_what_waits_is_counted_every_15_seconds_at_most(toko: Stage) -> None:
    """However often it is asked for: counting a million takes half a second."""
    asked = []
    count = toko.outbox.waiting

    async def counted() -> Any:
        asked.append(toko.now_ms)
        return await count()

    vars(toko.outbox)["waiting"] = counted
    for after_ms, waiting in ((0, 0), (14_999, 0), (15_000, 1), (16_000, 1)):
        toko.now_ms = NOW + after_ms
        assert value(toko, "deliveries_waiting", **ROUTE) == waiting
        toko.page({"events": [EVENT]})
    assert asked == [NOW, NOW + 15_000]


def test_what_waits_follows_every_way_out(toko: Stage) -> None:
    """Settled, buried, replayed and dropped: the number is the outbox's own."""

    async def settle(verdict: Any) -> None:
        await toko.relay.routing.caught_up()
        found = await toko.outbox.claim("toko", "tracify", 9, toko.now_ms)
        await toko.outbox.settle([Outcome(one, verdict) for one in found], toko.now_ms)

    async def replay() -> None:
        await toko.outbox.replay("toko", now_ms=toko.now_ms)

    async def drop() -> None:
        await toko.outbox.drop("toko", now_ms=toko.now_ms)

    async def bury() -> None:
        await settle("dead")

    steps = ((bury, 0), (replay, 1), (bury, 0), (drop, 0))
    for number, (work, waiting) in enumerate(steps, start=1):
        toko.page({"events": [EVENT]})
        toko.run(work())
        toko.now_ms = NOW + number * 15_000
        assert value(toko, "deliveries_waiting", **ROUTE) == waiting


def test_requests_that_are_not_routed_are_counted(toko: Stage) -> None:
    """By site, with the age of the oldest; none as a rule."""
    toko.page({"events": [EVENT]})
    assert value(toko, "arrivals_waiting", site="toko") == 0
    assert value(toko, "oldest_arrival_seconds", site="toko") == 0

    async def arrive() -> None:
        for at in (NOW, NOW + 5000):
            await toko.outbox.accept("toko", at, b"{}", b"what no relay has written")

    toko.run(arrive())
    toko.now_ms = NOW + 20_000
    assert value(toko, "arrivals_waiting", site="toko") == 2
    assert value(toko, "oldest_arrival_seconds", site="toko") == 20
    assert value(toko, "arrivals_waiting", site="batik") == 0


def test_a_destination_that_no_site_has_any_more_is_told_while_it_waits(toko: Stage) -> None:
    """An operator took it out of the site file; what waits for it stays in the outbox."""
    toko.run(toko.outbox.put([record("e1", "kwai")]))
    assert value(toko, "deliveries_waiting", site="toko", destination="kwai") == 1
    found = toko.run(toko.outbox.claim("toko", "kwai", 9, NOW))
    toko.run(toko.outbox.settle([Outcome(one, "done") for one in found], NOW))
    toko.now_ms += 15_000
    assert value(toko, "deliveries_waiting", site="toko", destination="kwai") is None


class Unreadable(SqliteOutbox):
    """An outbox that can't be read now."""

    async def waiting(self) -> Any:
        raise OutboxUnavailable("the outbox can't do this now: disk I/O error")


def test_what_is_not_known_is_not_told(tmp_path: Path) -> None:
    """No number is better than a wrong one; the counters are there all the same."""
    with stage(tmp_path, kind=Unreadable) as toko:
        toko.page({"events": [EVENT]})
        assert read(toko, "deliveries_waiting") == {}
        assert value(toko, "events_accepted_total", site="toko") == 1


def test_the_outbox_and_its_disk_are_measured(tmp_path: Path) -> None:
    """In bytes: its files with their write-ahead logs, and what is free."""

    class Usage:
        free = 123_456_789

    disk = Disk(tmp_path / "outbox.db", usage=lambda _: Usage)
    with stage(tmp_path, disk=disk) as toko:
        toko.page({"events": [EVENT]})
        assert value(toko, "disk_free_bytes") == 123_456_789
        names = ("outbox.db", "outbox.db-wal", "outbox.db.arrivals", "outbox.db.arrivals-wal")
        size = sum((tmp_path / name).stat().st_size for name in names)
        assert value(toko, "outbox_bytes") == size > 0


def test_relays_in_one_process_count_each_for_itself(tmp_path: Path) -> None:
    """Nothing is global."""
    with stage(tmp_path / "one") as one, stage(tmp_path / "two") as two:
        one.page({"events": [EVENT]})
        assert value(one, "events_accepted_total", site="toko") == 1
        assert value(two, "events_accepted_total", site="toko") == 0


def test_every_destination_that_delivers_has_its_series(toko: Stage) -> None:
    """As the site file makes them."""
    names = {each.name for each in destinations(site())}
    found = {row["destination"] for row, _ in _dicts(read(toko, "deliveries_waiting"))}
    assert found == names


# --- deliveries ---


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_attempts_are_counted_by_how_they_ended(tmp_path: Path) -> None:
    """Delivered, to be retried or dead; measured are the request and the event's whole way."""
    async with delivery_stage(tmp_path / "outbox.db", FakeDestination("meta")) as on:
        answers = [says(503), says(200), says(400, "no")]
        on.systems["meta"] = lambda ids: _answer(answers.pop(0)(ids))
        await on.put("e1")
        await on.quiet()
        await on.passes(2)
        await on.put("e2")
        await on.quiet()
        metrics, route = on.loop.metrics, {"site": "toko", "destination": "meta"}
        for outcome in ("delivered", "retried", "dead"):
            assert metrics.value("deliveries_total", **route, outcome=outcome) == 1, outcome
        assert metrics.value("attempt_seconds_count", **route) == 3
        assert metrics.value("delivery_seconds_count", **route) == 1
        assert metrics.value("delivery_seconds_sum", **route) == 2


def _answer(answer: Any) -> httpx.Response:
    assert isinstance(answer, httpx.Response)
    return answer


STATES: list[tuple[State, int, int]] = [
    ("closed", 0, 0),
    ("paused", 1, 0),
    ("open", 0, 1),
    ("half_open", 0, 1),
]


@pytest.mark.parametrize(("state", "paused", "down"), STATES)
def test_a_destination_that_gets_nothing_is_told(state: State, paused: int, down: int) -> None:
    """Paused while it refuses our credentials, down while it fails; each of its own."""
    metrics = Metrics(["toko"], [("toko", "meta"), ("toko", "kwai")])
    for states, is_it in (({("toko", "meta"): state}, 1), (dict[Any, State](), 0)):
        metrics.now(NOW, [], states)
        meta = {"site": "toko", "destination": "meta"}
        assert metrics.value("destination_paused", **meta) == paused * is_it
        assert metrics.value("destination_down", **meta) == down * is_it
        assert metrics.value("destination_down", site="toko", destination="kwai") == 0
