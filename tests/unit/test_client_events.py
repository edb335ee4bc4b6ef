"""`pixelmirror.client`: what a server tells, and the request that it becomes (DESIGN 5.4)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from pixelmirror import sent_event
from pixelmirror.client import EventError, Relay
from relay import body as relay_body
from tests.unit.client_stage import SECRET, URL, UUID, Stage
from tests.unit.samples import NOW_MS, cup, item

INTERPRETERS = ("cpython",)

ORDER = {"id": "ORD-77", "value": 147000, "currency": "IDR", "items": [item(), cup()]}
CLIENT = {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0 (iPhone)"}


@pytest.fixture(params=["threads", "asyncio"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    one = Stage(request.param)
    yield one
    one.close()


def test_the_request_is_the_contracts_to_the_letter(stage: Stage) -> None:
    """The key in its header, the site beside the events, the time of sending."""
    stage.track("login")
    (request,) = stage.requests
    assert (request.method, str(request.url)) == ("POST", f"{URL}/v1/events")
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["content-type"] == "application/json"
    assert SECRET not in request.content.decode()
    assert stage.bodies == [
        {
            "site": "toko",
            "sent_at": NOW_MS,
            "events": [
                {
                    "event_id": f"login_{UUID}",
                    "event_name": "login",
                    "event_time": NOW_MS,
                    "params": {},
                }
            ],
        }
    ]


def test_all_that_may_be_told_of_an_event_is_sent(stage: Stage) -> None:
    """Field by field of the contract's example, and what follows from the rest."""
    told = {
        "user": {"id": 77, "email": "siti@example.com", "phone": "+6281234567890"},
        "page": {"url": "https://toko.example/p/kaos", "title": "Kaos"},
        "visitor_id": "5d0c",
        "attribution": {"fbc": "fb.1.1760000000000.AbC", "ttp": "2abc"},
        "client": CLIENT,
        "event_time": NOW_MS - 3_600_000,
        "destinations": ["meta"],
        "consent": ["1", "3"],
    }
    assert stage.track("purchase", ORDER, **told) == "ORD-77-purchase"
    derived = {"revenue": 147000, "type": "online", "status": "in_progress"}
    assert stage.event == {
        **told,
        "user": {**stage.event["user"], "id": "77"},
        "event_id": "ORD-77-purchase",
        "event_name": "purchase",
        "params": {**ORDER, **derived, "payment_method": "other"},
        "consent": {"status": "granted", "categories": ["1", "3"]},
    }


@pytest.mark.parametrize(
    ("name", "params", "event_id"),
    [
        ("purchase", ORDER, "ORD-77-purchase"),
        ("refund", {"id": "ORD-77", "value": 147000, "currency": "IDR"}, "ORD-77-refund"),
        ("refund", ORDER, f"refund_{UUID}"),
        ("subscribe", {"id": "MBR-9", "subscription_id": "s", "value": 1}, "MBR-9-subscribe"),
        ("subscribe", {"id": None, "subscription_id": "s", "value": 1}, f"subscribe_{UUID}"),
        ("add_to_cart", {"items": [item()]}, f"add_to_cart_{UUID}"),
    ],
)
def test_an_orders_event_has_the_orders_id_and_any_other_a_new_one(
    stage: Stage, name: str, params: dict[str, Any], event_id: str
) -> None:
    """The page's own rule, so that page and server speak of one event."""
    assert stage.track(name, params) == event_id
    assert stage.event["event_id"] == event_id


def test_an_event_id_of_the_callers_own_is_sent_as_it_is(stage: Stage) -> None:
    assert stage.track("purchase", ORDER, event_id="mine-1") == "mine-1"
    assert stage.event["event_id"] == "mine-1"


# --- the currency ---


@pytest.mark.parametrize(
    ("params", "currency", "expected"),
    [
        ({"items": [item()]}, None, {"value": 120000}),
        ({"items": [item()]}, "IDR", {"value": 120000, "currency": "IDR"}),
        ({"items": [item()], "currency": "usd"}, None, {"value": 120000, "currency": "USD"}),
        ({"value": "10.5"}, None, {"value": 10.5}),
        ({"value": "10.5"}, "IDR", {"value": 11, "currency": "IDR"}),
        ({}, "IDR", {}),
    ],
)
def test_an_amount_without_a_currency_takes_the_sites(
    stage: Stage, params: dict[str, Any], currency: str | None, expected: dict[str, Any]
) -> None:
    """The relay knows it and fills it in, unless the client was told another."""
    stage.send([{"event_name": "generate_lead", "params": params}], currency=currency)
    found = {field: stage.event["params"].get(field) for field in ("value", "currency")}
    assert {field: found[field] for field in found if found[field] is not None} == expected


# --- what Python has and JSON has not ---


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (Decimal("147000.00"), 147000),
        (Decimal("150.000"), 150),
        (Decimal("10.5"), 10.5),
        ("147000.00", 147000),
        (3_000_000_000, 3_000_000_000),
    ],
)
def test_a_decimal_is_the_number_that_it_is(stage: Stage, given: Any, sent: float) -> None:
    """Unlike a text, it can be read in one way only."""
    stage.track("generate_lead", {"value": given, "currency": "USD"})
    assert stage.event["params"]["value"] == sent


def test_a_tuple_is_a_list(stage: Stage) -> None:
    stage.track("view_cart", {"items": (item(),)}, destinations=("meta",), consent=("1",))
    assert len(stage.event["params"]["items"]) == 1
    assert stage.event["destinations"] == ["meta"]
    assert stage.event["consent"]["categories"] == ["1"]


@pytest.mark.parametrize(
    "text", ["Siti Rahmawati", "Kaffee Größe", "\U0001f600", "\ud83d", '"\\\n']
)
def test_any_text_arrives_whole(stage: Stage, text: str) -> None:
    """Half a character too, of which the relay makes a sign that it is one."""
    stage.track("search", {"search_term": text})
    assert stage.event["params"]["search_term"] == text


# --- what is no event ---

WRONG: list[tuple[str, Any, dict[str, Any], str, str]] = [
    ("add_to_card", {}, {}, "event_name", "did you mean 'add_to_cart'"),
    ("quiz", {}, {}, "event_name", "unknown event 'quiz'"),
    ("purchase", {**ORDER, "value": "150.000"}, {}, "params.value", "'147000.00'"),
    ("purchase", {**ORDER, "currency": "idr1"}, {}, "params.currency", "ISO 4217"),
    ("purchase", {**ORDER, "value": Decimal("NaN")}, {}, "params.value", "what JSON can hold"),
    ("purchase", {**ORDER, "value": float("nan")}, {}, "params.value", "a number"),
    ("refund", {"value": 1}, {}, "params.id", "id is required in refund"),
    ("search", {}, {}, "params.search_term", "required"),
    ("search", [], {}, "params", "params must be an object"),
    ("login", {"seen": {1, 2}}, {}, "params.seen", "got a set"),
    ("login", {"by": {1: "x"}}, {}, "params.by", "texts for keys"),
    ("login", {}, {"user": {"email": "siti"}}, "user.email", "name@domain"),
    ("login", {}, {"user": {"emial": "s@x.id"}}, "user.emial", "did you mean 'email'?"),
    ("login", {}, {"page": "https://x"}, "page", "an object"),
    ("login", {}, {"page": {"url": 7}}, "page.url", "a text"),
    ("login", {}, {"client": {"ip": 7}}, "client.ip", "a text"),
    ("login", {}, {"attribution": {"fbc": []}}, "attribution.fbc", "a text"),
    ("login", {}, {"visitor_id": "a\nb"}, "visitor_id", "1 to 200 characters"),
    ("login", {}, {"event_id": ""}, "event_id", "1 to 200 characters"),
    ("login", {}, {"event_time": 1_760_000_000}, "event_time", "milliseconds since 1970"),
    ("login", {}, {"event_time": 1_760_000_000_000.0}, "event_time", "milliseconds since 1970"),
    ("login", {}, {"consent": "yes"}, "consent", "'granted', 'denied' or a list"),
    ("login", {}, {"consent": {"status": "yes"}}, "consent.status", "granted, denied or awaited"),
    ("login", {}, {"destinations": "meta"}, "destinations", "a list of texts"),
]


@pytest.mark.parametrize(("name", "params", "told", "field", "why"), WRONG)
def test_what_is_no_event_is_refused_by_its_field_and_never_sent(
    stage: Stage, name: str, params: Any, told: dict[str, Any], field: str, why: str
) -> None:
    """The page's and the relay's own checks, before anything is sent."""
    with pytest.raises(EventError) as caught:
        stage.track(name, params, **told)
    assert caught.value.field == field
    assert why in str(caught.value)
    assert stage.requests == []


def test_one_wrong_event_keeps_all_of_its_send_back(stage: Stage) -> None:
    """Its place is in the field."""
    right = {"event_name": "login"}
    wrong = {"event_name": "login", "user": {"email": "siti"}}
    with pytest.raises(EventError) as caught:
        stage.send([right, wrong, right])
    assert caught.value.field == "events[1].user.email"
    assert stage.requests == []


def test_personal_data_is_in_no_error(stage: Stage) -> None:
    user = {"email": "siti hush@example.com", "phone": "hush"}
    for field, value in user.items():
        with pytest.raises(EventError) as caught:
            stage.track("login", user={field: value})
        assert "hush" not in str(caught.value)


def test_events_of_the_site_file_are_taken_when_they_are_named(stage: Stage) -> None:
    """A client that was not told of them refuses them, as it can't tell them from a slip."""
    stage.send([{"event_name": "quiz"}], custom_events=["quiz"])
    assert stage.event["event_id"] == f"quiz_{UUID}"


def test_an_argument_that_is_none_of_an_events_is_a_mistake_in_the_call(stage: Stage) -> None:
    with pytest.raises(TypeError, match="usr"):
        stage.track("login", usr={"id": "C-77"})


# --- made now, sent later ---


def test_an_event_can_be_made_now_and_sent_later(stage: Stage) -> None:
    """Under the same ID and with the time when it happened, however often it is sent."""
    event = stage.client().event("login", user={"id": "C-77"})
    assert stage.requests == []
    stage.now_ms += 60_000
    assert stage.send([event]) == [event["event_id"]] == [f"login_{UUID}"]
    assert stage.event == event
    assert stage.bodies[0]["sent_at"] - stage.event["event_time"] == 60_000


def test_a_made_event_may_be_sent_by_another_client_whatever_it_holds(stage: Stage) -> None:
    """What was derived once is taken as it is."""
    made = stage.client().event("purchase", {**ORDER, "currency": None})
    stage.send([made])
    assert stage.event == made
    assert "currency" not in made["params"]


# --- limits ---


def test_the_limits_are_the_relays() -> None:
    assert sent_event.MAX_BYTES == relay_body.MAX_BYTES


def test_nothing_to_send_is_nothing_sent(stage: Stage) -> None:
    assert stage.send([]) == []
    assert stage.requests == []


def test_more_than_500_events_go_in_as_many_requests_as_it_takes_in_order(stage: Stage) -> None:
    """Each with its own time of sending."""
    stage.try_s = 1.0
    event_ids = [f"e{n}" for n in range(1201)]
    sent = stage.send({"event_name": "login", "event_id": one} for one in event_ids)
    assert sent == event_ids
    assert [len(body["events"]) for body in stage.bodies] == [500, 500, 201]
    assert [body["sent_at"] - NOW_MS for body in stage.bodies] == [0, 1000, 2000]
    assert [event["event_id"] for body in stage.bodies for event in body["events"]] == event_ids


def test_a_request_is_never_larger_than_the_relay_takes(stage: Stage) -> None:
    """Filled as far as it goes; text that JSON makes longer is counted as long as it gets."""
    notes = {f"note_{n}": "é" * 2000 for n in range(10)}
    events = [{"event_name": "login", "params": notes} for _ in range(20)]
    stage.send(events)
    sizes = [len(request.content) for request in stage.requests]
    one = max(sizes) // len(stage.bodies[0]["events"])
    assert len(sizes) > 1
    assert sum(len(body["events"]) for body in stage.bodies) == len(events)
    assert all(size <= relay_body.MAX_BYTES for size in sizes)
    assert all(size + one > relay_body.MAX_BYTES for size in sizes[:-1])


@pytest.mark.parametrize("is_over", [False, True])
def test_one_event_may_fill_a_request_and_no_more(stage: Stage, is_over: bool) -> None:
    """The relay would refuse a byte more; so does the client, and sends nothing of it."""
    notes: dict[str, str] = {f"n{n}": "x" * 2048 for n in range(254)}
    client = stage.client()
    stage.run(client.track("login", notes, event_id="e"))
    room = relay_body.MAX_BYTES - len(stage.requests.pop().content) - len(',"more":""')
    assert 0 < room < 2048
    params = {**notes, "more": "x" * (room + is_over)}
    if is_over:
        with pytest.raises(EventError, match="at most") as caught:
            stage.send(
                [
                    {"event_name": "login"},
                    {"event_name": "login", "params": params, "event_id": "e"},
                ]
            )
        assert caught.value.field == "events[1]"
        assert stage.requests == []
    else:
        stage.run(client.track("login", params, event_id="e"))
        assert len(stage.requests[0].content) == relay_body.MAX_BYTES


# --- the client itself ---


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://t.toko.example", "https://t.toko.example/v1/events"),
        ("https://t.toko.example/", "https://t.toko.example/v1/events"),
        ("http://relay:8700", "http://relay:8700/v1/events"),
        ("https://toko.example/relay/", "https://toko.example/relay/v1/events"),
    ],
)
def test_the_relay_may_be_at_any_address(stage: Stage, url: str, asked: str) -> None:
    stage.run(stage.client(url).track("login"))
    assert str(stage.requests[0].url) == asked


@pytest.mark.parametrize(
    "url",
    [
        "",
        "t.toko.example",
        "/s",
        "ftp://x",
        "https://",
        "https://u:p@x",
        "https://x?a=b",
        "https://x:port",
    ],
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="url must be the relay's address"):
        Relay(url, "toko", SECRET)


@pytest.mark.parametrize(
    "secret", ["", "hush key", "hush\n", "hush\r\nX: y", "h\xfcsh", "hush\x7f"]
)
def test_a_key_that_no_header_can_carry_is_refused_without_being_named(secret: str) -> None:
    with pytest.raises(ValueError, match="secret must be") as caught:
        Relay(URL, "toko", secret)
    assert "sh" not in str(caught.value).replace("should", "")


@pytest.mark.parametrize("site", ["", "Toko", "a/b", "toko\n"])
def test_a_site_that_none_can_be_is_refused(site: str) -> None:
    with pytest.raises(ValueError, match="site must be"):
        Relay(URL, site, SECRET)


WRONG_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"currency": "rupiah"}, "currency must be a three-letter ISO 4217 code, got 'rupiah'"),
    ({"currency": ""}, "currency must be a three-letter ISO 4217 code"),
    ({"custom_events": "quiz"}, "custom_events must be a list of names"),
    ({"tries": 0}, "tries must be 1 or more"),
]


@pytest.mark.parametrize(("settings", "why"), WRONG_SETTINGS)
def test_a_wrong_setting_is_said_when_the_client_is_made(
    settings: dict[str, Any], why: str
) -> None:
    """And not with the first event that meets it."""
    with pytest.raises(ValueError, match=why):
        Relay(URL, "toko", SECRET, **settings)


def test_what_the_caller_gave_is_left_as_it_was(stage: Stage) -> None:
    """Normalised and completed is what is sent, not what the shop goes on with."""
    params = {"currency": "idr", "items": [{"id": 7, "quantity": "2", "name": "Kaos", "price": 1}]}
    user = {"email": " siti@example.com "}
    before = copy.deepcopy((params, user))
    stage.track("view_cart", params, user=user)
    assert (params, user) == before


def test_both_clients_can_be_used_in_a_with() -> None:
    """Their connections are closed at its end."""
    with Relay(URL, "toko", SECRET) as relay:
        http = relay._http
        assert not http.is_closed
    assert http.is_closed
