"""Every body that the relay decodes: any bytes are a document or a refusal, any document events or
a refusal, and events are what the outbox and the destinations can hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmirror import consent_rules
from relay import midtrans, storefront_body, wire
from relay.body import MAX_DEPTH, MAX_KEY, decoded, read_quickly, read_strictly
from relay.destinations import Answer
from relay.site import MidtransTable, Provider
from relay.storefront_body import Copy, names_of
from tests.properties.strategies import HOSTILE, JSON, ODD_JSON, TEXTS, mutated, refusal_of
from tests.relay.paid_shop import SERVER_KEY, SHOP, notification
from tests.relay.relay_stage import NOW, site
from tests.relay.storefront_bodies import META, SNACKVIDEO, TIKTOK
from tests.relay.test_hostile_bodies import CALLS, EVENTS, SERVER

TOKO = site(SHOP)


def depth(value: Any) -> int:
    """Levels of brackets."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


# --- bytes ---


@given(st.one_of(st.binary(), st.text(alphabet='{}[]":,\\u1e9-.dntf ').map(str.encode)))
def test_any_bytes_are_an_object_or_no_json(raw: bytes) -> None:
    """A `Refusal` of one kind, and no other error."""
    document, code, _ = refusal_of(decoded, raw)
    assert isinstance(document, dict) or code == "invalid_json"


@given(st.dictionaries(st.text(max_size=MAX_KEY), JSON, max_size=5), st.booleans())
def test_what_is_json_is_read_as_it_is(document: dict[str, Any], is_ascii: bool) -> None:
    """Whichever way a sender writes its characters."""
    raw = json.dumps(document, ensure_ascii=is_ascii).encode()
    assert depth(document) <= MAX_DEPTH
    assert decoded(raw) == document


@given(st.integers(1, 2 * MAX_DEPTH), st.sampled_from(["[", '{"a":', '[{"b":']))
def test_the_depth_is_counted_as_it_is(levels: int, opening: str) -> None:
    """One level less than the limit is never one too many, and the other way round."""
    closing = opening.replace('"a":', "").replace('"b":', "")[::-1].translate({91: 93, 123: 125})
    text = f'{{"x": {opening * levels}1{closing * levels}}}'
    is_too_deep = depth(json.loads(text)) > MAX_DEPTH
    _, code, _ = refusal_of(decoded, text.encode())
    assert code == ("invalid_json" if is_too_deep else "")


@given(ODD_JSON)
def test_what_is_read_quickly_is_read_the_same_as_strictly(text: str) -> None:
    """Keys twice, half characters, endless numbers: a quick reader knows what it can't tell."""
    raw = f'{{"a":{text}}}'.encode()
    quickly = read_quickly(raw)
    if quickly is not None:
        assert repr(quickly) == repr(read_strictly(raw))


@given(st.dictionaries(st.text(max_size=MAX_KEY), JSON, max_size=5))
def test_most_bodies_are_read_quickly(document: dict[str, Any]) -> None:
    """All of a modest depth, whose characters are written as they are."""
    raw = json.dumps(document, ensure_ascii=False).encode()
    is_easy = depth(document) <= 8 and rb"\u" not in raw
    assert read_quickly(raw) == document or not is_easy


# --- events ---


def is_sound(event: dict[str, Any]) -> bool:
    """The outbox can store it, and give it back the same."""
    text = json.dumps(event, allow_nan=False)
    return bool(text.encode()) and json.loads(text) == event


def are_sound(found: list[dict[str, Any]]) -> bool:
    """What later code takes for granted."""
    for event in found:
        assert is_sound(event)
        assert 1 <= len(event["event_id"]) <= wire.MAX_ID
        assert event["event_id"].isprintable()
        assert type(event["event_time"]) is int
        assert isinstance(event["params"], dict)
        assert isinstance(event["attribution"], dict)
        assert event["consent"]["status"] in ("granted", "denied", "awaited")
    return True


REFUSED = ("invalid_event", "too_large")


@given(mutated(EVENTS))
def test_a_pages_events_are_sound_or_refused(body: dict[str, Any]) -> None:
    """With the field's path where one is wrong."""
    found, code, field = refusal_of(wire.events, body, TOKO, is_server=False)
    assert are_sound(found) if found else code in REFUSED
    assert field is None or field.startswith("events")
    assert refusal_of(wire.sent_at, body)[1:] in (("", None), ("invalid_event", "sent_at"))


@given(mutated(SERVER))
def test_a_servers_events_are_sound_or_refused(body: dict[str, Any]) -> None:
    """Of the shopper's browser it tells what it may and nothing else."""
    found, code, _ = refusal_of(wire.events, body, TOKO, is_server=True)
    assert are_sound(found) if found else code in REFUSED
    for event in found or ():
        assert set(event.get("client", {})) <= {"ip", "user_agent"}


@given(mutated(CALLS, most=5))
def test_raw_calls_become_sound_events_or_nothing(body: dict[str, Any]) -> None:
    """A call that is wrong costs itself only: the page is gone, nobody reads the answer."""
    found, code, field = refusal_of(wire.events_of_calls, body, TOKO)
    assert are_sound(found or [])
    assert (code in REFUSED and field == "calls") if found is None else code == ""


@given(HOSTILE)
def test_any_document_is_events_or_refused(document: Any) -> None:
    """As the value of each of the two keys."""
    found, code, _ = refusal_of(wire.events, {"events": document}, TOKO, is_server=False)
    assert are_sound(found) if found else code in REFUSED
    found, code, _ = refusal_of(wire.events_of_calls, {"calls": document}, TOKO)
    assert are_sound(found) if found is not None else code in REFUSED


# --- Scalev's bodies ---

PROVIDERS: list[tuple[Provider, dict[str, Any]]] = [
    ("meta", META),
    ("tiktok", TIKTOK),
    ("snackvideo", SNACKVIDEO),
]


@pytest.mark.parametrize(("provider", "sample"), PROVIDERS)
def test_a_storefronts_body_is_sound_events_or_refused(
    provider: Provider, sample: dict[str, Any]
) -> None:
    """An error of the catalogue's is told as any other."""
    consent = consent_rules.initial("granted", "", False)
    copied = Copy(provider, TOKO, names_of(TOKO, provider), consent, NOW)

    @given(mutated(sample))
    def check(body: dict[str, Any]) -> None:
        found, code, _ = refusal_of(storefront_body.read, body, copied)
        assert are_sound(found.events) if found else code in REFUSED

    check()


# --- Midtrans ---


@given(mutated(notification()))
def test_only_what_midtrans_signed_is_signed(body: dict[str, Any]) -> None:
    """Any other value of the three, or of the signature, is another notification."""
    signed = ("order_id", "status_code", "gross_amount", "signature_key")
    is_same = all(body.get(field) == notification()[field] for field in signed)
    assert midtrans.is_signed(body, SERVER_KEY) is is_same
    assert not midtrans.is_signed(body, "another-key")


@given(mutated(notification()), TEXTS)
def test_a_signed_notification_is_paid_or_not(body: dict[str, Any], order_id: str) -> None:
    """What is beside the signature may be anything: an amount or an error, and a sound time."""
    body = {**body, "order_id": order_id, "transaction_status": "settlement"}
    assert midtrans.is_paid(body) in (True, False)
    payment, _, field = refusal_of(midtrans.payment, body, TOKO, NOW)
    if payment is None:
        assert field in ("gross_amount", "currency")
    else:
        assert 0 <= payment.value < 1e15
        assert payment.paid_at <= NOW


@given(st.one_of(st.binary(), HOSTILE.map(lambda said: json.dumps(said).encode())), st.integers())
def test_the_status_api_says_something_or_nothing(said: bytes, status: int) -> None:
    """Only of the order that was asked about."""
    found = midtrans.confirmed(Answer(status, said), notification())
    assert found is None or found["order_id"] == "ORD-77"


@given(TEXTS.filter(bool))
def test_the_status_api_is_asked_at_its_own_address(order_id: str) -> None:
    """An order ID is one segment of the path, whatever it holds."""
    table = MidtransTable(server_key="k", base_url="https://api.example")
    url = midtrans.status_request(order_id, table).url
    assert url.startswith("https://api.example/v2/")
    assert url.removeprefix("https://api.example/v2/").count("/") == 1
    assert url.isascii()
    assert url.isprintable()
