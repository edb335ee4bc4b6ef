"""What all destinations share: the registry, and the judgement of an HTTP answer."""

import time
from typing import Any

import pytest

from relay.destinations import (
    Answer,
    Judgement,
    Request,
    judge_transport,
    refused,
    retry_after_s,
    vendor_words,
)
from relay.destinations.registry import destinations
from tests.relay import shop

NOW = 1445412480.0  # Wed, 21 Oct 2015 07:28:00 GMT, RFC 9110's example
SCALEV: dict[str, Any] = {"store_id": "store_1", "api_key": "sfpk_abc"}
TRACIFY: dict[str, Any] = {
    "customer_site_id": "5f0c9c52-7f0e-4c55-9a7a-2f2c8b6d1e10",
    "token": "tok-1",
}
PIXEL = {"pixel_ids": ["1"]}


def names(tables: dict[str, Any]) -> list[str]:
    return [each.name for each in destinations(shop.site(tables))]


# --- the registry ---

TABLES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"tracify": TRACIFY}, ["tracify"]),
    ({"scalev": SCALEV}, ["scalev.meta", "scalev.tiktok", "scalev.snackvideo"]),
    ({"scalev": {**SCALEV, "providers": ["tiktok"]}}, ["scalev.tiktok"]),
    ({"scalev": {**SCALEV, "providers": ["meta", "meta"]}}, ["scalev.meta"]),
    (
        {"iklan": {**SCALEV, "kind": "scalev", "providers": ["meta"]}, "tracify": TRACIFY},
        ["iklan.meta", "tracify"],
    ),
    ({"meta": PIXEL}, ["meta"]),
    ({"meta": {**PIXEL, "mode": "server"}, "tiktok": {**PIXEL, "mode": "browser"}}, ["meta"]),
    ({"kwai": PIXEL, "commanders_act": {"site_id": "1"}, "alhena": {}}, []),
]


@pytest.mark.parametrize(("tables", "expected"), TABLES)
def test_a_site_has_a_destination_for_each_server_copy(
    tables: dict[str, Any], expected: list[str]
) -> None:
    """DESIGN 5.2: the table's name is the destination's; a Scalev table has one a provider."""
    assert names(tables) == expected


@pytest.mark.parametrize(
    ("kind", "table", "key"),
    [
        ("meta", PIXEL, "access_token"),
        ("tiktok", PIXEL, "access_token"),
        ("kwai", {**PIXEL, "mode": "both"}, "access_token"),
        ("commanders_act", {"site_id": "1", "mode": "server"}, "source_key"),
        ("alhena", {"mode": "server"}, "company_key"),
    ],
)
def test_a_destination_without_its_key_is_seen_to_skip(
    kind: str, table: dict[str, Any], key: str
) -> None:
    """DESIGN 5.4: every event is `skipped: not configured` there, and none waits."""
    destination = shop.destination(kind, {kind: table})
    assert destination.kind == kind
    assert destination.skips(shop.add_to_cart()) == f"not configured: no {key}"


def test_consent_categories_are_the_tables() -> None:
    """DESIGN 5.2: each of a table's destinations needs the same ones."""
    tables = {"scalev": SCALEV, "tracify": TRACIFY, "alhena": {"mode": "server"}}
    tables = {name: {**table, "categories": ["3"]} for name, table in tables.items()}
    found = destinations(shop.site(tables))
    assert [(each.kind, list(each.categories)) for each in found] == [
        ("scalev", ["3"]),
        ("scalev", ["3"]),
        ("scalev", ["3"]),
        ("tracify", ["3"]),
        ("alhena", ["3"]),
    ]


# --- answers ---


def request(repeatable: bool) -> Request:
    return Request("https://api.example/", b"{}", {}, [shop.add_to_cart()], repeatable)


TWICE = "; it may have arrived, and a repeat would count twice"
TRANSPORT: list[tuple[Answer, Judgement | None, Judgement | None]] = [
    # the answer; its judgement where a repeat is dropped by the system; where it is not
    (
        Answer(failure="not_sent", detail="refused"),
        Judgement("retry", "no connection: refused"),
        Judgement("retry", "no connection: refused"),
    ),
    (
        Answer(failure="no_answer", detail="late"),
        Judgement("retry", "no answer: late"),
        Judgement("dead", "no answer: late" + TWICE, may_have_arrived=True),
    ),
    (
        Answer(429, headers={"Retry-After": "3"}),
        Judgement("retry", "throttled (429)", 3.0),
        Judgement("retry", "throttled (429)", 3.0),
    ),
    (
        Answer(503, headers={"Retry-After": "3"}),
        Judgement("retry", "server error (503)", 3.0),
        Judgement("dead", "server error (503)" + TWICE, 3.0, may_have_arrived=True),
    ),
    (
        Answer(500),
        Judgement("retry", "server error (500)"),
        Judgement("dead", "server error (500)" + TWICE, may_have_arrived=True),
    ),
    (
        Answer(401),
        Judgement("pause", "credentials refused (401)"),
        Judgement("pause", "credentials refused (401)"),
    ),
    (
        Answer(403),
        Judgement("pause", "credentials refused (403)"),
        Judgement("pause", "credentials refused (403)"),
    ),
    (
        Answer(308),
        Judgement("pause", "redirected (308), check base_url"),
        Judgement("pause", "redirected (308), check base_url"),
    ),
    (Answer(200), None, None),
    (Answer(204), None, None),
    (Answer(400), None, None),
    (Answer(404), None, None),
]


@pytest.mark.parametrize(("answer", "repeatable", "once"), TRANSPORT)
def test_judgement_of_the_transport(
    answer: Answer, repeatable: Judgement | None, once: Judgement | None
) -> None:
    """DESIGN 5.5: an ambiguous end is tried again only where a repeat cannot count twice."""
    assert judge_transport(request(True), answer, NOW) == repeatable
    assert judge_transport(request(False), answer, NOW) == once


WAITS = [
    ({}, None),
    ({"retry-after": "120"}, 120.0),
    ({"RETRY-AFTER": " 0 "}, 0.0),
    ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"}, 30.0),
    ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 -0000"}, 30.0),
    ({"Retry-After": "Wed, 21 Oct 2015 09:28:30 +0200"}, 30.0),
    ({"Retry-After": "Wed, 21 Oct 2015 07:27:00 GMT"}, 0.0),
    ({"Retry-After": "soon"}, None),
    ({"Retry-After": "-5"}, None),
    ({"Retry-After": "²"}, None),
    ({"Retry-After": ""}, None),
]


@pytest.mark.parametrize(("headers", "expected"), WAITS)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], expected: float | None) -> None:
    """RFC 9110 10.2.3; a date that is past means now, nonsense means nothing."""
    assert retry_after_s(Answer(503, headers=headers), NOW) == expected


def test_retry_after_dates_are_in_gmt(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9110 5.6.7: wherever the relay stands."""
    monkeypatch.setenv("TZ", "Asia/Jakarta")
    time.tzset()
    try:
        headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:30 -0000"}
        assert retry_after_s(Answer(503, headers=headers), NOW) == 30.0
    finally:
        monkeypatch.undo()
        time.tzset()


WORDS = [
    (b'{"message": "event_name is unknown", "error": "bad_request"}', "event_name is unknown"),
    (b'{"error": "bad_request"}', "bad_request"),
    (b'{"message": " ", "error": "bad\\r\\nrequest"}', "bad request"),
    (b'{"message": {"en": "no"}, "error": null}', ""),
    (b'{"message": "em siti@example.com is invalid"}', "em ... is invalid"),
    (b'{"message": "em=\\"siti%40example.com\\" is invalid"}', "... is invalid"),
    (b'{"message": "ph 6281234567890 is invalid"}', "ph ... is invalid"),
    (b'{"message": "ph +62 812-3456-7890 is invalid"}', "ph ... is invalid"),
    (b'{"message": "Malformed token EAAG1234567890abcDEF"}', "Malformed token ..."),
    (b'{"message": "at most 50000 rows"}', "at most 50000 rows"),
    (b'{"message": "' + b"a" * 300 + b'"}', "a" * 200),
    (b"<!doctype html>", ""),
    (b'["message"]', ""),
    (b"[" * 100_000, ""),
    (b"\xff\xfe", ""),
    (b"", ""),
]


@pytest.mark.parametrize(("body", "expected"), WORDS)
def test_a_systems_words_hold_no_personal_data(body: bytes, expected: str) -> None:
    """DESIGN 5.5: what a system quotes back to us goes into no reason and no log."""
    assert vendor_words(body) == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"", "refused (422)"), (b'{"error": "no items"}', "refused (422): no items")],
)
def test_a_refusal_names_status_and_words(body: bytes, reason: str) -> None:
    """DESIGN 5.5: a permanent refusal is a dead letter with its reason."""
    assert refused(Answer(422, body)) == Judgement("dead", reason, took_nothing=True)
