"""Calls of a page that left before Python was up: the relay builds their events (DESIGN 5.3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.relay.relay_stage import EVENT, NOW, SHOPPER, USER_AGENT, Stage, site, stage

URL = "https://toko.example/p/kaos"
PAGE = {"url": URL, "referrer": "https://m.facebook.com/", "title": "Kaos"}
CART = EVENT["params"]
FBP = "_fbp=fb.1.1750000000000.4821"


def uuid(number: int) -> str:
    return f"0199cb23-8a00-7000-8000-{number:012}"


def call(number: int, *args: Any, **more: Any) -> dict[str, Any]:
    """The call as the loader wrote it down."""
    return {"uuid": uuid(number), "time": NOW - 1000, "args": list(args), "page": PAGE, **more}


def body(*calls: Any, **more: Any) -> dict[str, Any]:
    return {"sent_at": NOW, "calls": list(calls), "cookies": "", **more}


def names(toko: Stage) -> list[str]:
    return [event["event_id"] for event in toko.stored("scalev.meta")]


def test_a_call_becomes_the_event_that_the_tracker_would_have_built(toko: Stage) -> None:
    """The same ID, time, page, user, attribution and consent."""
    cookies = f"{FBP}; _ttp=2abc; _kwai_click_id=a%2Fb; _pm_visitor=5d0c; _pm_consent=1,3"
    calls = [call(1, "identify", {"id": "C-77"}), call(2, "track", "add_to_cart", CART)]
    assert toko.page(body(*calls, cookies=cookies)).status_code == 204
    assert toko.stored() == [
        {
            "event_id": f"add_to_cart_{uuid(2)}",
            "event_name": "add_to_cart",
            "event_time": NOW - 1000,
            "page": PAGE,
            "params": CART,
            "user": {"id": "C-77"},
            "visitor_id": "5d0c",
            "attribution": {
                "fbp": "fb.1.1750000000000.4821",
                "ttp": "2abc",
                "kwai_click_id": "a/b",
            },
            "consent": {"status": "granted", "categories": ["1", "3"]},
            "site": "toko",
            "source": "page",
            "received_at": NOW,
            "client": {"ip": SHOPPER, "user_agent": USER_AGENT},
        }
    ]


def test_the_next_page_sends_the_same_events_and_they_are_stored_once(toko: Stage) -> None:
    """It can't know what became of the beacon, so it sends what was written ahead."""
    calls = [call(1, "track", "add_to_cart", CART)]
    toko.page(body(*calls))
    toko.page(body(*calls))
    toko.page({"sent_at": NOW, "events": [{**EVENT, "event_id": f"add_to_cart_{uuid(1)}"}]})
    assert len(toko.rows(destination="tracify")) == 1


def test_calls_keep_their_order_and_their_times(toko: Stage) -> None:
    """Also by a browser's clock that is an hour behind."""
    hour = 3_600_000
    calls = [
        call(1, "track", "view_cart", CART, time=NOW - hour - 300),
        call(2, "track", "begin_checkout", CART, time=NOW - hour - 200),
        call(3, "track", "add_payment_info", {"payment_method": "card"}, time=NOW - hour - 100),
    ]
    toko.page(body(*calls, sent_at=NOW - hour))
    assert [(event["event_name"], event["event_time"]) for event in toko.stored("scalev.meta")] == [
        ("view_cart", NOW - 300),
        ("begin_checkout", NOW - 200),
        ("add_payment_info", NOW - 100),
    ]


def test_an_order_has_the_ids_of_an_order(toko: Stage) -> None:
    """`{order ID}-{event name}`, as everywhere."""
    order = {"id": "ORD-77", "value": "147000.00", "items": CART["items"]}
    toko.page(body(call(1, "track", "purchase", order)))
    assert {row["event_id"] for row in toko.rows(order_id="ORD-77")} == {"ORD-77-purchase"}
    assert toko.stored()[0]["params"]["value"] == 147000


def test_options_are_heeded(toko: Stage) -> None:
    """`event_id` and `destinations`."""
    options = {"event_id": "mine", "destinations": ["tracify"]}
    toko.page(body(call(1, "track", "add_to_cart", CART, options)))
    assert [row["destination"] for row in toko.rows(event_id="mine", state="waiting")] == [
        "tracify"
    ]


def test_a_page_call_is_a_page_view(toko: Stage) -> None:
    """`pixelmirror("page")`, which the loader calls by itself."""
    toko.page(body(call(1, "page")))
    (event,) = toko.stored()
    assert event["event_id"] == f"page_view_{uuid(1)}"
    assert event["params"] == {"page_type": "other"}


def test_a_user_belongs_to_the_calls_after_identify(toko: Stage) -> None:
    """What is told adds up; `null` forgets it."""
    steps = [
        call(1, "track", "add_to_cart", CART),
        call(2, "identify", {"id": "C-77"}),
        call(3, "identify", {"email": "siti@example.com"}),
        call(4, "track", "add_to_cart", CART),
        call(5, "identify", None),
        call(6, "track", "add_to_cart", CART),
    ]
    toko.page(body(*steps))
    assert [event["user"] for event in toko.stored()] == [
        {},
        {"id": "C-77", "email": "siti@example.com"},
        {},
    ]


def test_a_reset_makes_the_visitor_that_the_page_would_have_made(toko: Stage) -> None:
    """The call's own UUID: what the next page sends of him is the same visitor's."""
    steps = [
        call(1, "identify", {"id": "C-77"}),
        call(2, "track", "add_to_cart", CART),
        call(3, "reset"),
        call(4, "track", "add_to_cart", CART),
    ]
    toko.page(body(*steps, cookies="_pm_visitor=5d0c"))
    found = [(event["user"], event["visitor_id"]) for event in toko.stored()]
    assert found == [({"id": "C-77"}, "5d0c"), ({}, uuid(3))]


# --- attribution ---


def test_click_ids_of_the_landing_count_though_no_cookie_was_written(toko: Stage) -> None:
    """The page had no time to write them; `_fbp` is left to the page, ours would be nobody's."""
    landing = {**PAGE, "url": f"{URL}?fbclid=AbC&ttclid=E.C.P.x&click_id=kw-9f"}
    toko.page(body(call(1, "page", page=landing), call(2, "page")))
    expected = {
        "fbc": f"fb.1.{NOW - 1000}.AbC",
        "ttclid": "E.C.P.x",
        "kwai_click_id": "kw-9f",
    }
    assert [event["attribution"] for event in toko.stored()] == [expected, expected]


def test_a_click_id_keeps_the_time_when_it_was_first_seen(toko: Stage) -> None:
    """Meta's keep rule, as in the page."""
    landing = {**PAGE, "url": f"{URL}?fbclid=AbC"}
    toko.page(body(call(1, "page", page=landing), cookies=f"_fbc=fb.2.1750000000000.AbC; {FBP}"))
    assert toko.stored()[0]["attribution"]["fbc"] == "fb.2.1750000000000.AbC"


# --- consent ---

# The site's `consent`, the tag's, the consent cookie, what is called, how many events come of it.
GRANT, DENY = ("consent", "granted"), ("consent", "denied")
VIEW = ("page",)
CONSENTS: list[tuple[str, Any, str, list[tuple[Any, ...]], int]] = [
    ("granted", None, "", [VIEW], 1),
    ("granted", "granted", "", [VIEW], 1),
    ("granted", "required", "", [VIEW], 0),
    ("required", None, "", [VIEW], 0),
    ("required", "granted", "", [VIEW], 0),
    ("required", "required", "granted", [VIEW], 1),
    ("required", "required", "1", [VIEW], 1),
    ("granted", None, "denied", [VIEW], 0),
    ("required", "required", "%5B%22denied%22%5D", [VIEW], 1),
    ("required", "required", "%5B%22a%2Cb%22%5D", [VIEW], 1),
    ("required", "required", "", [VIEW, GRANT, VIEW], 2),
    ("required", "required", "", [VIEW, DENY, VIEW], 0),
    ("required", "required", "", [VIEW, DENY, GRANT, VIEW], 1),
    ("required", "required", "", [VIEW, ("consent", ["1"])], 1),
    ("required", "required", "", [VIEW, ("consent", [])], 0),
    ("required", "required", "", [VIEW, ("consent", "perhaps")], 0),
    ("granted", None, "", [VIEW, DENY, VIEW, GRANT, VIEW], 2),
]


@pytest.mark.parametrize(("setting", "tag", "cookie", "calls", "events"), CONSENTS)
def test_consent_is_heeded_as_the_page_heeds_it(
    tmp_path: Path, setting: str, tag: Any, cookie: str, calls: list[tuple[Any, ...]], events: int
) -> None:
    """What was called meanwhile waits and goes in order on consent, is dropped on refusal.

    The tag may be stricter than the site file, never laxer.
    """
    with stage(tmp_path, site(consent=setting)) as toko:
        rows = [call(i, *args) for i, args in enumerate(calls)]
        more = {} if tag is None else {"consent": tag}
        answer = toko.page(body(*rows, cookies=f"_pm_consent={cookie}", **more))
        assert answer.status_code == 204
        stored = toko.stored()
        assert len(stored) == events
        assert {event["consent"]["status"] for event in stored} <= {"granted"}
        assert stored == sorted(stored, key=lambda event: str(event["event_id"]))


def test_global_privacy_control_is_a_refusal_for_advertising(toko: Stage) -> None:
    """It travels with each event, and the advertising destinations skip it."""
    toko.page(body(call(1, "page"), call(2, "consent", "granted"), call(3, "page"), gpc=True))
    reasons = {row["reason"] for row in toko.rows()}
    assert reasons == {"consent refused by Global Privacy Control"}
    assert len(toko.rows()) == 8


def test_global_privacy_control_keeps_click_ids_out(tmp_path: Path) -> None:
    """Of raw calls, of events and of servers' events: none is stored, renewed or sent on."""
    tables = {"commanders_act": {"mode": "server", "site_id": "3311", "source_key": "key"}}
    caid = "202612345678901234567890"
    consent = {"status": "granted", "categories": ["1"], "gpc": True}
    told = {**EVENT, "consent": consent}
    landing = {**PAGE, "url": f"{URL}?fbclid=AbC&ttclid=T&click_id=K"}
    raw = body(call(1, "page", page=landing), cookies=f"{FBP}; _ttp=2abc; _pm_consent=1", gpc=True)
    with stage(tmp_path, site(destinations=tables)) as toko:
        for sent in (raw, {"events": [told], "cookie_domain": "toko.example"}):
            answer = toko.page(sent, headers={"Cookie": f"CAID={caid}"})
            assert (answer.status_code, "set-cookie" in answer.headers) == (204, False)
        own = {**told, "event_id": "own", "attribution": {**told["attribution"], "caid": caid}}
        assert toko.server({"site": "toko", "events": [own]}).status_code == 204
        stored = toko.stored("commanders_act")
    assert [event["attribution"] for event in stored] == [{"caid": caid}] * 3


def test_spam_is_never_stored(toko: Stage) -> None:
    """An order that looks like spam fires nothing, browser or server (scalev R63)."""
    order = {"id": "O-1", "value": 1, "items": CART["items"], "is_probably_spam": True}
    toko.page(body(call(1, "track", "purchase", order)))
    assert toko.rows() == []


# --- wrong calls ---

WRONG: list[Any] = [
    None,
    7,
    "page",
    [],
    {},
    {**call(1, "page"), "uuid": 7},
    {**call(1, "page"), "uuid": "u" * 300},
    {**call(1, "page"), "uuid": "a\nb"},
    {**call(1, "page"), "time": "now"},
    {**call(1, "page"), "time": True},
    {**call(1, "page"), "time": 10**400},
    {**call(1, "page"), "time": 1_760_000_000},
    {**call(1, "page"), "args": []},
    {**call(1, "page"), "args": "page"},
    {**call(1, "page"), "args": [["page"]]},
    {**call(1, "page"), "page": None},
    {**call(1, "page"), "page": {"url": None}},
    {**call(1, "page"), "page": {"url": URL, "title": 7}},
    {**call(1, "page"), "page": {"url": URL, "referrer": ["x"]}},
    call(1),
    call(1, "on", "sent"),
    call(1, "forget"),
    call(1, "track"),
    call(1, "track", "add_to_basket", CART),
    call(1, "track", "add_to_cart"),
    call(1, "track", "add_to_cart", {"items": "all"}),
    call(1, "track", "add_to_cart", CART, "options"),
    call(1, "track", "add_to_cart", CART, {"event_id": {}}),
    call(1, "track", "add_to_cart", CART, {"destinations": "meta"}),
    call(1, "identify", "siti@example.com"),
    call(1, "identify", {"email": "siti"}),
    call(1, "consent", {"granted": True}),
    call(1, "consent"),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_call_costs_only_itself(toko: Stage, wrong: Any) -> None:
    """Nobody reads a beacon's answer: the calls beside it are stored all the same."""
    rows = [call(8, "track", "view_cart", CART), wrong, call(9, "page")]
    assert toko.page(body(*rows)).status_code == 204
    assert names(toko) == [f"view_cart_{uuid(8)}"]
    assert [event["event_id"] for event in toko.stored()] == [f"page_view_{uuid(9)}"]


@pytest.mark.parametrize("cookies", [None, 7, [], "", "=", ";;;", "_pm_consent=%%%", "_fbc=%ff"])
def test_odd_cookies_cost_nothing(toko: Stage, cookies: Any) -> None:
    """They are what the page's browser had."""
    assert toko.page(body(call(1, "page"), cookies=cookies)).status_code == 204
    assert len(toko.stored()) == 1


def test_a_push_to_the_data_layer_is_an_event_here_too(toko: Stage) -> None:
    """GA4's, read by the tracker's own code; one that is no ecommerce costs nothing."""
    items = [{"item_id": "v1", "item_name": "Kaos", "price": 60000, "quantity": 2}]
    calls = [
        call(1, "data_layer", "add_to_cart", {"items": []}),
        call(2, "data_layer", "add_to_cart", {"items": items}),
    ]
    assert toko.page(body(*calls)).status_code == 204
    assert names(toko) == [f"add_to_cart_{uuid(2)}"]


def test_consent_that_a_tool_gave_counts_here_too(tmp_path: Path) -> None:
    """Until the shop's own call, which a remembered one was."""
    given = call(2, "consent_heard", "granted", "google")
    for cookies, stored in (("", 1), ("_pm_consent=denied", 0)):
        folder = tmp_path / str(stored)
        folder.mkdir()
        with stage(folder, site(consent="required")) as asking:
            sent = body(call(1, "track", "add_to_cart", CART), given, cookies=cookies)
            assert asking.page(sent).status_code == 204
            assert len(names(asking)) == stored, cookies
