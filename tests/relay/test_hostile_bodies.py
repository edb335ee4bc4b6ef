"""Nothing that anyone can send is an error of ours: each answer is a yes or a refusal."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.relay.relay_stage import EVENT, NOW, ORDER, ORIGIN, UUID, Stage
from tests.relay.sandbox_client import changed

CALL = {
    "uuid": UUID,
    "time": NOW,
    "args": ["track", "add_to_cart", EVENT["params"], {"event_id": "e1", "destinations": ["meta"]}],
    "page": {"url": "https://toko.example/?fbclid=AbC&ttclid=x", "referrer": "", "title": "Kaos"},
}
CALLS = {
    "sent_at": NOW,
    "calls": [
        {**CALL, "args": ["consent", ["1", "3"]]},
        {**CALL, "args": ["identify", EVENT["user"]]},
        CALL,
        {**CALL, "args": ["page", {"page_name": "Home"}]},
    ],
    "cookies": "_fbp=fb.1.1750000000000.4821; _pm_consent=1,3; _pm_visitor=5d0c",
    "consent": "required",
    "gpc": True,
}
EVENTS = {"sent_at": NOW, "cookie_domain": "toko.example", "events": [EVENT, ORDER]}
SERVER = {
    "sent_at": NOW,
    "site": "toko",
    "events": [{**EVENT, "client": {"ip": "203.0.113.7", "user_agent": "Mozilla"}}, ORDER],
}
REPLAY = {"site": "toko", "destination": "scalev", "event_id": "e1", "since": NOW}

# JSON texts that stand for what they say; Python's own types can't.
RAW = {
    "an infinite number": "1e400",
    "a negative infinite number": "-1e400",
    "a tiny number": "1e-400",
    "negative zero": "-0.0",
    "half an emoji": r'"Kaos \ud83d"',
    "the other half": r'"\ude00 Kaos"',
    "two wrong halves": r'"\ude00\ud83d"',
    "a whole emoji": r'"\ud83d\ude00"',
    "a backslash before a u": r'"\\ud83d"',
    "one key twice": '{"id": "a", "id": ["b"], "id": null}',
    "nested 500 deep": "[" * 500 + "]" * 500,
}
VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "zero": 0,
    "a negative number": -1,
    "a fraction": 0.1,
    "more than 64 bits": 2**64,
    "401 digits": 10**400,
    "4300 digits": int("9" * 4300),
    "an empty text": "",
    "spaces": " \t\n",
    "NUL": "\0",
    "a line break": "a\r\nSet-Cookie: a=b",
    "a long text": "x" * 20_000,
    "percent signs": "%%%2%zz%00%ff",
    "a path": "../../etc/passwd",
    "markup": "</script><script>\u2028",
    "a format": "{order_id}{0}%s",
    "no list": {"0": 1},
    "an empty list": [],
    "a list of lists": [[[]]],
    "a list of all": [None, True, 1, 1.5, "a", [], {}],
    "an empty object": {},
    "an empty key": {"": ""},
    "nested 6 deep": {"a": {"a": {"a": {"a": {"a": {}}}}}},
}
MARK = "<the value>"


def places(held: Any, path: str = "") -> Iterator[str]:
    """The dotted path of each value in a JSON value."""
    rows = held.items() if isinstance(held, dict) else enumerate(held)
    for key, value in rows:
        yield f"{path}{key}"
        if isinstance(value, dict | list):
            yield from places(value, f"{path}{key}.")


def nasty() -> Iterator[str]:
    yield from RAW.values()
    yield from map(json.dumps, VALUES.values())


Send = Callable[[Stage, str | bytes], httpx.Response]


def to_page(toko: Stage, text: str | bytes) -> httpx.Response:
    return toko.page(text)


def to_server(toko: Stage, text: str | bytes) -> httpx.Response:
    return toko.server(text)


def to_replay(toko: Stage, text: str | bytes) -> httpx.Response:
    return toko.replay(text)


ROUTES = {
    "events of a page": (to_page, EVENTS),
    "calls of a page": (to_page, CALLS),
    "events of a server": (to_server, SERVER),
    "a replay": (to_replay, REPLAY),
}
USUAL = {200, 204, 400, 401, 404, 413, 422}


def is_sound(answer: httpx.Response) -> bool:
    return answer.status_code in USUAL and (
        answer.status_code < 300 or bool(answer.json()["error"]["message"])
    )


@pytest.mark.parametrize(("send", "body"), ROUTES.values(), ids=ROUTES)
def test_any_value_at_any_place_gets_a_yes_or_a_refusal(
    toko: Stage, send: Send, body: dict[str, Any]
) -> None:
    """Wrong types, endless numbers, half characters, wherever a body can hold them."""
    for place in places(body):
        text = json.dumps(changed(body, place, MARK))
        for value in nasty():
            answer = send(toko, text.replace(json.dumps(MARK), value))
            assert is_sound(answer), (place, value[:80], answer.status_code)


@pytest.mark.parametrize(("send", "body"), ROUTES.values(), ids=ROUTES)
def test_any_key_at_any_place_gets_a_yes_or_a_refusal(
    toko: Stage, send: Send, body: dict[str, Any]
) -> None:
    """Also keys that are our own words, or half a character."""
    own = {"body": body, "events": EVENT, "calls": CALL, "user": {}, "args": {}}
    for key in ("", "\0", "__proto__", "events", "calls", "site", "client", "user", "id", "x" * 99):
        for value in ("null", "{}", json.dumps(own)):
            text = f"{{{json.dumps(key)}: {value}, {json.dumps(body)[1:]}"
            assert is_sound(send(toko, text))
    text = json.dumps(body).replace('"items"', r'"items", "\ud83d"', 1)
    assert is_sound(send(toko, text.replace(r'"items", "\ud83d"', r'"\ud83d": 1, "items"')))


@pytest.mark.parametrize(("send", "body"), ROUTES.values(), ids=ROUTES)
def test_a_damaged_body_gets_a_yes_or_a_refusal(
    toko: Stage, send: Send, body: dict[str, Any]
) -> None:
    """300 bodies with a few bytes cut out, doubled or changed; the same 300 each time."""
    chance = random.Random(7)  # noqa: S311 - not for secrets
    text = json.dumps(body).encode()
    for _ in range(300):
        damaged = bytearray(text)
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(damaged))
            end = min(start + chance.randint(1, 20), len(damaged))
            part = bytes(damaged[start:end])
            damaged[start:end] = chance.choice(
                [b"", part * 2, b"null", b'"', b"[", b"}", b"\xff", b"\\ud800", b"1e999"]
            )
        answer = send(toko, bytes(damaged))
        assert is_sound(answer), bytes(damaged)


def test_half_a_character_is_replaced_and_its_event_is_kept(toko: Stage) -> None:
    """JavaScript cuts titles and names in the middle of an emoji; the shop still gets the event."""
    text = json.dumps({"events": [{**EVENT, "page": {"url": ORIGIN, "title": "<>"}}]})
    for i, (title, kept) in enumerate(
        [
            (r"Kaos \ud83d", "Kaos \ufffd"),
            (r"\ude00\ud83d\ude00", "\ufffd\U0001f600"),
            (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
            (r"\\ud83d", r"\ud83d"),
            (r"\\\ud83d", "\\\ufffd"),
            (r"\ud83d\u0041", "\ufffdA"),
        ]
    ):
        each = text.replace("<>", title).replace(EVENT["event_id"], f"e{i}")
        assert toko.page(each).status_code == 204
        assert toko.stored()[-1]["page"]["title"] == kept


def test_half_a_character_in_an_order_id_is_no_error_of_ours(toko: Stage) -> None:
    """It would be a database column's value, and part of what each destination gets as its ID."""
    order = json.dumps({"events": [{**ORDER, "event_id": "e1"}]}).replace("ORD-77", r"ORD\ud83d")
    assert toko.page(order).status_code == 204
    assert [event["params"]["id"] for event in toko.stored()] == ["ORD\ufffd"]


@pytest.mark.parametrize("host", ["", "a b", "[", "[::1", "a/b", "a@b", '"', "toko.example:99x"])
def test_a_broken_host_costs_nothing(toko: Stage, host: str) -> None:
    """The event is stored; only what needs our address is refused."""
    assert toko.page(EVENTS, headers={"Host": host}).status_code == 204
    answer = toko.ask("GET", "/s/toko.js", headers={"Host": host})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


NASTY_QUERIES = [
    "limit=0",
    "limit=1001",
    "limit=-1",
    "limit=1e3",
    "limit=%C2%B2",
    "limit=" + "9" * 5000,
    "limit=",
    "state=",
    "state=lost",
    "site=%FF",
    "site=toko&site=batik",
]


@pytest.mark.parametrize("query", NASTY_QUERIES)
def test_an_operators_wrong_query_is_refused(shared: Stage, query: str) -> None:
    """It says what is allowed."""
    answer = shared.operator(f"/v1/deliveries?{query}")
    assert answer.status_code in (401, 404, 422)
    assert answer.json()["error"]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("query", ["event_id=%00", "order_id=%ED%A0%80", "destination='", "a=b"])
def test_an_operators_odd_query_finds_nothing(shared: Stage, query: str) -> None:
    """What no delivery has is no error."""
    assert shared.operator(f"/v1/deliveries?{query}").json() == {"deliveries": []}
    assert shared.operator(f"/v1/dead-letters?{query}").json() == {"dead_letters": []}
