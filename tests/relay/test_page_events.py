"""`POST /s/{site}`: what the tracker sends, and what becomes of it (DESIGN 5.4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.relay.relay_stage import (
    EVENT,
    HOST,
    NOW,
    ORDER,
    ORIGIN,
    SHOPPER,
    TRACIFY,
    USER_AGENT,
    Stage,
    site,
    stage,
)
from tests.relay.sandbox_client import changed

BODY = {"sent_at": NOW, "events": [EVENT]}


def test_an_event_is_204_once_it_is_stored_for_every_destination(toko: Stage) -> None:
    """The answer is empty; from then on each destination has it, or a reason why not."""
    answer = toko.page(BODY)
    assert (answer.status_code, answer.content) == (204, b"")
    assert {row["destination"]: row["state"] for row in toko.rows()} == {
        "scalev.meta": "waiting",
        "scalev.tiktok": "waiting",
        "scalev.snackvideo": "waiting",
        "tracify": "waiting",
    }


def test_an_event_is_stored_as_it_came(toko: Stage) -> None:
    """With the site, when it came and from whom; nothing that was said is lost."""
    toko.page(BODY)
    assert toko.stored() == [
        {
            **EVENT,
            "site": "toko",
            "source": "page",
            "received_at": NOW,
            "client": {"ip": SHOPPER, "user_agent": USER_AGENT},
        }
    ]


def test_what_is_no_part_of_the_contract_is_left_behind(toko: Stage) -> None:
    """A page can't name its own address, its site or when we got it."""
    event = {**EVENT, "client": {"ip": "8.8.8.8"}, "site": "batik", "received_at": 1, "x": "y"}
    event["page"] = {**EVENT["page"], "cookies": "a=b"}
    event["attribution"] = {**EVENT["attribution"], "caid": "2026", "fbp": "", "own": "1"}
    toko.page({**BODY, "site": "batik", "events": [event]})
    (stored,) = toko.stored()
    assert stored["client"] == {"ip": SHOPPER, "user_agent": USER_AGENT}
    assert stored["site"] == "toko"
    assert stored["received_at"] == NOW
    assert "x" not in stored
    assert stored["page"] == EVENT["page"]
    expected = {**EVENT["attribution"], "caid": "2026"}
    del expected["fbp"]
    assert stored["attribution"] == expected


# --- CORS ---


@pytest.mark.parametrize("origin", [ORIGIN, "https://m.toko.example"])
def test_a_preflight_from_a_listed_origin_is_answered(shared: Stage, origin: str) -> None:
    """`application/json` needs one; it is remembered for a day."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = shared.ask("OPTIONS", "/s/toko", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "Content-Type"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-max-age"] == "86400"
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", [ORIGIN, "https://m.toko.example"])
def test_an_answer_names_the_exact_origin(toko: Stage, origin: str) -> None:
    """Never `*`, which browsers refuse together with cookies."""
    answer = toko.page(BODY, headers={"Origin": origin})
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["vary"] == "Origin"


# --- who the shopper is ---

PROXIES = ["10.0.0.0/8", "2001:db8:ffff::/48"]
# Peer, X-Forwarded-For, the shopper's address.
ADDRESSES = [
    ("203.0.113.7", "", "203.0.113.7"),
    ("203.0.113.7", "8.8.8.8", "203.0.113.7"),
    ("10.1.2.3", "", "10.1.2.3"),
    ("10.1.2.3", "203.0.113.7", "203.0.113.7"),
    ("10.1.2.3", "8.8.8.8, 203.0.113.7, 10.9.9.9", "203.0.113.7"),
    ("10.1.2.3", "10.8.8.8, 10.9.9.9", "10.8.8.8"),
    ("10.1.2.3", " 203.0.113.7:51234 , 10.9.9.9:80", "203.0.113.7"),
    ("10.1.2.3", "8.8.8.8, unknown", ""),
    ("10.1.2.3", ",,", "10.1.2.3"),
    ("::ffff:10.1.2.3", "::ffff:203.0.113.7", "203.0.113.7"),
    ("2001:db8::7", "8.8.8.8", "2001:db8::7"),
    ("2001:db8:ffff::1", "2001:DB8:0::0007", "2001:db8::7"),
    ("2001:db8:ffff::1", "[2001:db8::7]:443", "2001:db8::7"),
    ("testclient", "8.8.8.8", ""),
]


@pytest.mark.parametrize(("peer", "forwarded", "expected"), ADDRESSES)
def test_the_shopper_is_the_rightmost_address_that_is_no_trusted_proxy(
    tmp_path: Path, peer: str, forwarded: str, expected: str
) -> None:
    """What the shopper writes into `X-Forwarded-For` stands left of it and never counts."""
    with stage(tmp_path, site(trusted_proxies=PROXIES)) as toko:
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        assert toko.page(BODY, peer=peer, headers=headers).status_code == 204
        (stored,) = toko.stored("scalev.meta")
        assert stored["client"].get("ip", "") == expected
        assert stored["client"]["user_agent"] == USER_AGENT


def test_without_trusted_proxies_only_the_peer_counts(toko: Stage) -> None:
    """Anyone can write the header."""
    toko.page(BODY, headers={"X-Forwarded-For": "8.8.8.8", "Forwarded": "for=8.8.8.8"})
    assert toko.stored()[0]["client"]["ip"] == SHOPPER


def test_a_shopper_without_a_user_agent_has_none(toko: Stage) -> None:
    """Unknown is left out, not empty."""
    toko.page(BODY, headers={"User-Agent": ""})
    assert toko.stored("scalev.meta")[0]["client"] == {"ip": SHOPPER}


# --- whose clock ---

# sent_at and event_time by the browser's clock, event_time by ours; all less 1 760 000 000 000.
CLOCKS = [
    (500, 0, 0),
    (500, -3_000, -3_000),
    (100, 0, 400),
    (3_600_500, 3_600_000, 0),
    (-3_599_500, -3_600_000, 0),
    (None, 0, 0),
    (None, 3_600_000, 500),
    (500, 3_600_000, 500),
    (-100_000, 0, 500),
]


@pytest.mark.parametrize(("sent_at", "event_time", "expected"), CLOCKS)
def test_event_time_moves_by_how_far_the_browsers_clock_is_off(
    toko: Stage, sent_at: int | None, event_time: int, expected: int
) -> None:
    """By `received - sent_at`; without `sent_at` not at all; it never lies ahead of our clock."""
    start = 1_760_000_000_000
    body: dict[str, Any] = {"events": [{**EVENT, "event_time": start + event_time}]}
    if sent_at is not None:
        body["sent_at"] = start + sent_at
    toko.page(body)
    assert toko.stored()[0]["event_time"] == start + expected


# --- consent, and what else keeps an event from a destination ---

# The event, the site's `consent`, the table's `categories`, why the event is skipped.
REASONS: list[tuple[dict[str, Any], str, list[str], str]] = [
    ({"consent": {"status": "denied"}}, "granted", [], "consent denied"),
    ({"consent": {"status": "awaited"}}, "granted", [], "consent awaited"),
    ({"consent": None}, "required", [], "consent awaited"),
    (
        {"consent": {"status": "granted", "gpc": True}},
        "granted",
        [],
        "consent refused by Global Privacy Control",
    ),
    (
        {"consent": {"status": "granted", "categories": ["1"]}},
        "granted",
        ["1", "3"],
        "no consent for category 3",
    ),
    ({"destinations": ["meta"]}, "granted", [], "not among the call's destinations"),
    (
        {"params": {**ORDER["params"], "is_probably_spam": True}},
        "granted",
        [],
        "probably spam",
    ),
    ({"page": None}, "granted", [], "no http or https page URL"),
]


@pytest.mark.parametrize(("changes", "consent", "categories", "reason"), REASONS)
def test_what_a_destination_may_not_have_is_skipped_with_the_reason(
    tmp_path: Path, changes: dict[str, Any], consent: str, categories: list[str], reason: str
) -> None:
    """The page's decision is taken again here; of a skipped event nothing personal is kept."""
    tables = {"tracify": {**TRACIFY, "categories": categories}}
    with stage(tmp_path, site(destinations=tables, consent=consent)) as toko:
        assert toko.page({"events": [{**ORDER, **changes}]}).status_code == 204
        (row,) = toko.rows()
        assert (row["destination"], row["state"], row["reason"]) == ("tracify", "skipped", reason)
        assert b"siti" not in (tmp_path / "outbox.db-wal").read_bytes()


def test_consent_and_destinations_that_fit_keep_nothing_back(tmp_path: Path) -> None:
    """Named by the table or by the one route of it; categories beyond the needed ones are fine."""
    tables = {
        "scalev": {"store_id": "s", "api_key": "k", "categories": ["3"]},
        "tracify": TRACIFY,
    }
    event = {
        **EVENT,
        "consent": {"status": "granted", "categories": ["1", "3"]},
        "destinations": ["scalev", "tracify"],
    }
    only = {**event, "event_id": "only-meta", "destinations": ["scalev.meta"]}
    with stage(tmp_path, site(destinations=tables)) as toko:
        toko.page({"events": [event, only]})
        rows = toko.rows(event_id=EVENT["event_id"])
        assert {row["state"] for row in rows} == {"waiting"}
        waiting = [row["destination"] for row in toko.rows(event_id="only-meta", state="waiting")]
        assert waiting == ["scalev.meta"]


# --- once ---


def test_what_is_sent_again_is_204_and_stored_once(toko: Stage) -> None:
    """The tracker sends again whatever was not acknowledged."""
    for _ in range(3):
        assert toko.page(BODY).status_code == 204
    assert toko.page({"events": [EVENT, EVENT]}).status_code == 204
    assert len(toko.rows()) == 4
    assert len(toko.stored()) == 1


def test_the_same_event_of_another_site_is_another_event(toko: Stage) -> None:
    """Shops share a relay and nothing else."""
    toko.page(BODY)
    batik = {"Origin": "https://batik.example"}
    assert toko.page(BODY, path="/s/batik", headers=batik).status_code == 204
    assert len(toko.stored(name="batik")) == 1
    assert len(toko.rows()) == 4


def test_an_order_gets_the_ids_that_each_destination_asks_for(toko: Stage) -> None:
    """`{order ID}-{event name}` is ours; `order_event_id` makes each destination's (scalev R49)."""
    toko.page({"events": [ORDER]})
    rows = toko.rows(order_id="ORD-77")
    assert {row["event_id"] for row in rows} == {"ORD-77-purchase"}
    assert {row["destination"]: row["sent_as"] for row in rows} == {
        "scalev.meta": "ORD-77-Purchase-FORM",
        "scalev.tiktok": "ORD-77-CompletePayment-FORM",
        "scalev.snackvideo": None,
        "tracify": None,
    }


def test_an_event_id_of_the_caller_is_sent_as_it_is(toko: Stage) -> None:
    """Also for an order."""
    toko.page({"events": [{**ORDER, "event_id": "mine-1"}]})
    assert {row["sent_as"] for row in toko.rows(event_id="mine-1")} == {"mine-1", None}


# --- renewed cookies ---


def cookies(answer: httpx.Response) -> list[str]:
    return answer.headers.get_list("set-cookie")


def test_our_cookies_are_renewed_where_the_relay_shares_the_pages_domain(toko: Stage) -> None:
    """With the tracker's own attributes (scalev R20), on the domain it keeps them on."""
    rest = "; Path=/; SameSite=Lax; Secure; Domain=toko.example"
    answer = toko.page({**BODY, "cookie_domain": "toko.example"})
    assert cookies(answer) == [
        "_fbc=fb.1.1760000000000.AbC; Max-Age=7776000" + rest,
        "_fbp=fb.1.1750000000000.4821; Max-Age=7776000" + rest,
        "_ttclid=E.C.P.x; Max-Age=604800" + rest,
        "_kwai_click_id=kw-9f; Max-Age=604800" + rest,
    ]


def test_cookies_are_encoded_so_that_nothing_in_a_click_id_ends_them(toko: Stage) -> None:
    """As the tracker writes them."""
    event = changed(EVENT, "attribution", {"kwai_click_id": "a/b=c&d; Path=/x\r\nX: y"})
    (text,) = cookies(toko.page({"events": [event], "cookie_domain": "toko.example"}))
    assert text.startswith("_kwai_click_id=a%2Fb%3Dc%26d%3B%20Path%3D%2Fx%0D%0AX%3A%20y; Max-Age=")


# Host of the relay, origin of the page, what the tracker says: nothing is shared.
STRANGERS = [
    ("t.pixels.example", ORIGIN, "toko.example"),
    (HOST, ORIGIN, "m.toko.example"),
    (HOST, ORIGIN, "oko.example"),
    (HOST, ORIGIN, ""),
    (HOST, ORIGIN, None),
    (HOST, ORIGIN, ["toko.example"]),
    (HOST, ORIGIN, "t.toko.example"),
    ("", ORIGIN, "toko.example"),
    ("a b.toko.example", ORIGIN, "toko.example"),
]


@pytest.mark.parametrize(("host", "origin", "domain"), STRANGERS)
def test_elsewhere_no_cookie_is_set(toko: Stage, host: str, origin: str, domain: Any) -> None:
    """The browser would refuse it, or keep it where the page can't see it."""
    answer = toko.page({**BODY, "cookie_domain": domain}, headers={"Host": host, "Origin": origin})
    assert answer.status_code == 204
    assert cookies(answer) == []


def test_no_cookie_without_consent_or_without_an_event(toko: Stage) -> None:
    """Nor with an event that is refused."""
    domain = {"cookie_domain": "toko.example"}
    denied = {**EVENT, "consent": {"status": "denied"}}
    assert cookies(toko.page({**domain, "events": [denied]})) == []
    assert cookies(toko.page({**domain, "events": [{}]})) == []
    assert cookies(toko.page({**domain, "calls": [{}]})) == []


CAID = "202612345678901234567890"


@pytest.mark.parametrize(
    ("mode", "header", "consent", "expected"),
    [
        ("server", f"cart=7; CAID={CAID}; x=1", "granted", CAID),
        ("browser", f"CAID={CAID}", "granted", None),
        ("server", f"CAID={CAID}0", "granted", None),
        ("server", "CAID=2026<script>", "granted", None),
        ("server", f"caid={CAID}", "granted", None),
        ("server", "", "granted", None),
        ("server", f"CAID={CAID}", "denied", None),
    ],
)
def test_the_caid_comes_from_the_cookie_header(
    tmp_path: Path, mode: str, header: str, consent: str, expected: str | None
) -> None:
    """No script can read it. Taken well-formed, with consent, and where server copies need it."""
    tables = {"commanders_act": {"site_id": "1", "source_key": "s", "mode": mode}}
    one = site(destinations={**tables, "tracify": TRACIFY})
    event = {**EVENT, "consent": {"status": consent, "categories": ["1"]}}
    name = "commanders_act" if expected else "tracify"
    with stage(tmp_path, one) as toko:
        answer = toko.page({"sent_at": NOW, "events": [event]}, headers={"Cookie": header})
        assert answer.status_code == 204
        stored = toko.stored(name)
    if consent == "denied":
        assert stored == []
        return
    [found] = stored
    assert found["attribution"].get("caid") == expected
