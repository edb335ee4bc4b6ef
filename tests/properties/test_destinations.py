"""Every destination, whatever its event holds and whatever its system answers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay import wire
from relay.destinations import Answer, Destination, Judgement, Request
from relay.destinations.registry import destinations
from relay.record import Received, enrich, route
from relay.redaction import HIDDEN, safe_reason
from tests.properties.strategies import HOSTILE, JSON, TEXTS, mutated, refusal_of
from tests.relay.relay_stage import EVENT, NOW, ORDER, SHOPPER, TRACIFY, USER_AGENT, site

UPSTREAM = "upstream.example"
SECRETS = {
    name: f"s3cret-token-of-{name}-0123456789" for name in ("meta", "tiktok", "kwai", "cact")
}
TABLES: dict[str, Any] = {
    "meta": {"mode": "server", "pixel_ids": ["111"], "access_token": SECRETS["meta"]},
    "tiktok": {"mode": "server", "pixel_ids": ["C222"], "access_token": SECRETS["tiktok"]},
    "kwai": {"mode": "server", "pixel_ids": ["333"], "access_token": SECRETS["kwai"]},
    "tracify": TRACIFY,
    "commanders_act": {"mode": "server", "site_id": "3311", "source_key": SECRETS["cact"]},
    "alhena": {"mode": "server", "company_key": "company-key-1"},
}
OTHER: dict[str, Any] = {"scalev": {"store_id": "store/../9", "api_key": "sfpk_1"}}


def shop(tables: dict[str, Any]) -> Any:
    """Every system at an address of ours."""
    base = {"base_url": f"https://{UPSTREAM}"}
    return site(destinations={name: {**table, **base} for name, table in tables.items()})


SHOPS = (shop(TABLES), shop(OTHER))
EVERY = [(one, each) for one in SHOPS for each in destinations(one)]
NAMES = [each.name for _, each in EVERY]

# An event that no destination skips for what it lacks.
ATTRIBUTION = {
    **EVENT["attribution"],
    "caid": "202610091234567890123456",
    "alhena_fingerprint": "a-1",
    "alhena_faq_fingerprint": "f-1",
}
FULL = {
    **EVENT,
    "attribution": ATTRIBUTION,
    "consent": {"status": "granted", "categories": ["1", "3"]},
}
FULL_ORDER = {**FULL, "event_name": "purchase", "params": ORDER["params"]}
BODIES = st.one_of(mutated({"events": [FULL]}), mutated({"events": [FULL_ORDER]}))


def asked(one: Any, each: Destination, body: dict[str, Any]) -> list[Request]:
    """What the destination would be asked for the events of this body, as the relay has them."""
    found, _, _ = refusal_of(wire.events, body, one, is_server=False)
    client = {"ip": SHOPPER, "user_agent": USER_AGENT}
    made = []
    for event in found or ():
        full = json.loads(json.dumps(enrich(event, one, Received(NOW, NOW, client))))
        if route(full, each)["state"] == "waiting":
            made += each.requests([full])
    return made


def is_a_header(text: str) -> bool:
    """It ends no header, and HTTP can carry it."""
    return text.isascii() and text.isprintable()


@pytest.mark.parametrize(("one", "each"), EVERY, ids=NAMES)
def test_any_event_becomes_a_sound_request_or_none(one: Any, each: Destination) -> None:
    """To the address of the site file, with headers that end where they should, in JSON."""
    made: list[Request] = []

    @given(BODIES)
    def check(body: dict[str, Any]) -> None:
        for request in asked(one, each, body):
            made.append(request)
            address = urlsplit(request.url)
            assert (address.scheme, address.hostname) == ("https", UPSTREAM)
            assert is_a_header(request.url)
            assert ".." not in address.path.split("/")
            for name, value in request.headers.items():
                assert is_a_header(name)
                assert is_a_header(value)
            json.loads(request.body)

    check()
    assert made


# --- answers ---

BYTES = st.one_of(
    st.binary(),
    HOSTILE.map(lambda said: json.dumps(said).encode()),
    st.fixed_dictionaries(
        {},
        optional={
            "error": st.one_of(
                JSON,
                st.fixed_dictionaries(
                    {"code": JSON},
                    optional={"error_subcode": JSON, "message": JSON, "is_transient": JSON},
                ),
            ),
            "code": JSON,
            "message": JSON,
            "data": JSON,
            "events_received": JSON,
            "status": JSON,
            "result": JSON,
        },
    ).map(lambda said: json.dumps(said).encode()),
)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "retry-after", "location", "content-type"]), TEXTS, max_size=2
)
ANSWERS = st.one_of(
    st.builds(Answer, st.integers(100, 599), BYTES, HEADERS),
    st.builds(Answer, failure=st.sampled_from(["not_sent", "no_answer"]), detail=TEXTS),
)


@pytest.mark.parametrize(("one", "each"), EVERY, ids=NAMES)
def test_any_answer_is_judged(one: Any, each: Destination) -> None:
    """Never an error of ours; and success is only what has a status of success.

    TikTok's own code decides, whatever the status below 500 (specs/tiktok.md section 6).
    """
    success = range(100, 500) if each.kind == "tiktok" else range(200, 300)
    requests = [*asked(one, each, {"events": [FULL]}), *asked(one, each, {"events": [FULL_ORDER]})]
    assert requests

    @given(st.sampled_from(requests), ANSWERS, st.floats(0, 1e10))
    def check(request: Request, answer: Answer, now: float) -> None:
        judgement = each.judge(request, answer, now)
        assert isinstance(judgement, Judgement)
        assert judgement.verdict in ("done", "retry", "dead", "pause")
        assert judgement.after_s is None or judgement.after_s >= 0
        if judgement.verdict == "done":
            assert answer.status in success
        else:
            assert judgement.reason
        reason = safe_reason(judgement.reason, request)
        assert len(reason) <= 300
        assert "\n" not in reason

    check()


@pytest.mark.parametrize(("one", "each"), EVERY, ids=NAMES)
def test_what_a_system_quotes_is_not_kept(one: Any, each: Destination) -> None:
    """It may send us back all that we sent; none of it gets into the reason of a delivery."""
    requests = [*asked(one, each, {"events": [FULL]}), *asked(one, each, {"events": [FULL_ORDER]})]
    request = requests[0]
    quotes = [
        EVENT["user"]["email"],
        EVENT["user"]["phone"],
        SHOPPER,
        *SECRETS.values(),
        "company-key-1",
        TRACIFY["token"],
        "sfpk_1",
    ]
    words = st.lists(st.sampled_from([*quotes, "is", "not:", "valid", "-"]), min_size=1, max_size=9)

    @given(words, st.sampled_from([400, 401, 403, 404, 422, 429, 500]))
    def check(said: list[str], status: int) -> None:
        text = " ".join(said)
        for body in ({"message": text}, {"error": {"message": text, "code": 100}}, {"error": text}):
            answer = Answer(status, json.dumps(body).encode())
            reason = safe_reason(each.judge(request, answer, 0).reason, request)
            for quote in (*quotes[:3], *own_secrets(each)):
                assert quote not in reason

    check()


def own_secrets(each: Destination) -> list[str]:
    """What this destination's requests hold and nobody else may know."""
    kinds = {"commanders_act": "cact"}
    if each.kind in ("scalev", "alhena", "tracify"):
        return []
    return [SECRETS[kinds.get(each.kind, each.kind)]]


# --- redaction ---

WORDS = st.text(alphabet="abcXYZ .:'\"(){}<>-\n", max_size=40)
PEOPLE = st.from_regex(r"[a-zA-Z0-9._%+-]{1,20}@[a-z0-9-]{1,10}\.[a-z]{2,5}", fullmatch=True)
NUMBERS = st.from_regex(
    r"\+[1-9][0-9]{1,2}( ?|-)[0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{1,4}", fullmatch=True
)


@given(WORDS, PEOPLE, WORDS, NUMBERS, WORDS)
def test_no_e_mail_address_and_no_phone_number_survives(
    before: str, email: str, between: str, phone: str, after: str
) -> None:
    """Whoever it belongs to, wherever it stands in a sentence."""
    reason = safe_reason(f"{before} {email} {between} {phone} {after}")
    assert email not in reason
    assert phone not in reason
    assert HIDDEN in reason


@given(st.text(max_size=400), st.sampled_from(["user", "client"]), st.text(min_size=4, max_size=40))
def test_what_the_shopper_told_is_hidden(text: str, where: str, told: str) -> None:
    """As it was told, on one line of 300 characters; and it is never an error."""
    value = " ".join(told.split())
    fields = {"user": {"user": {"id": value}}, "client": {"client": {"ip": value}}}
    request = Request("https://t/", b"", {}, [{**EVENT, **fields[where]}], repeatable=True)
    reason = safe_reason(f"{text[:100]} {value} {text[100:]}", request)
    assert len(reason) <= 300
    assert reason.isprintable() or not text.isprintable() or not value.isprintable()
