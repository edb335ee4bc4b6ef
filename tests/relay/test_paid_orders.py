"""Paid orders, from the page's checkout and Midtrans' word to what each system gets.

Rules: specs/alusio.md 3 and 5 (S2 to S5, S10, the L rows), specs/midtrans.md 3, scalev R29 to R31.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relay.outbox import HOLD_MS
from tests.relay.paid_round import API, ROUND, Round, round_of
from tests.relay.paid_shop import SETTLED_AT, event, notification
from tests.relay.records import raw
from tests.relay.relay_stage import ITEM, SITE, USER_AGENT
from tests.relay.site_files import problems

pytestmark = pytest.mark.anyio

CREATED = ROUND
PAID = {**ROUND, "purchase_on": "paid"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


SAYS: dict[str, dict[str, Any]] = {
    "settled": {},
    "captured": {"transaction_status": "capture", "payment_type": "credit_card"},
    "pending": {"transaction_status": "pending", "status_code": "201"},
    "denied": {"transaction_status": "deny", "status_code": "202", "fraud_status": "deny"},
    "expired": {"transaction_status": "expire", "status_code": "407"},
    "refunded": {"transaction_status": "refund"},
    "charged back": {"transaction_status": "chargeback"},
}


async def goes(shop: Round, steps: str, order_id: str = "ORD-77") -> None:
    """Each step in turn: a page's event, or what Midtrans says."""
    for step in steps.split(", "):
        if step in SAYS:
            answer = await shop.midtrans(notification(order_id, **SAYS[step]))
            assert answer.status_code == 200, answer.text
        else:
            await shop.page(event(step, order_id))


async def orders(shop: Round, system: str = "meta") -> list[tuple[str, str]]:
    """Name and event ID of each order's event that this system has got."""
    rows = await shop.calls(system)
    skipped = {"InitiateCheckout", "AddPaymentInfo"}
    return [
        (row["event_name"], row["event_id"]) for row in rows if row["event_name"] not in skipped
    ]


META_PURCHASE = ("Purchase", "ORD-77-Purchase-FORM")
TIKTOK_PURCHASE = ("CompletePayment", "ORD-77-CompletePayment-FORM")

ONE_PURCHASE = [
    "begin_checkout, purchase, settled",
    "begin_checkout, settled, purchase",
    "purchase, settled",
    "settled, purchase",
    "begin_checkout, settled",
    "add_payment_info, settled",
    "begin_checkout, add_payment_info, purchase, pending, settled",
    "purchase, settled, settled, purchase",
    "settled, settled, purchase, purchase",
    "settled, begin_checkout, purchase",
    "begin_checkout, captured, settled, purchase",
    "purchase, settled, pending, captured",
    "purchase, expired, settled",
    "begin_checkout, denied, settled",
    "purchase, settled, refunded, settled, purchase",
    "begin_checkout, settled, charged back, purchase",
    "begin_checkout, settled, denied, purchase",
]


@pytest.mark.parametrize("steps", ONE_PURCHASE)
@pytest.mark.parametrize("shop", [CREATED, PAID], ids=["created", "paid"])
async def test_s2_in_whatever_order_it_is_one_purchase(
    tmp_path: Path, shop: dict[str, Any], steps: str
) -> None:
    """Page first, webhook first, only webhook, twice, out of order: one, under the pixel's ID.

    alusio L7, midtrans M10: Midtrans' order ID is the shop's. L13: no order is asked for.
    """
    async with round_of(tmp_path, shop) as one:
        await goes(one, steps)
        assert await orders(one) == [META_PURCHASE]
        assert await orders(one, "tiktok") == [TIKTOK_PURCHASE]
        assert len(await orders(one, "tracify")) == 1


@pytest.mark.parametrize(
    "steps",
    [
        "purchase",
        "begin_checkout, purchase, pending",
        "purchase, denied",
        "purchase, expired",
        "refunded, settled, purchase",
    ],
)
async def test_s3_what_is_not_paid_is_not_sent(tmp_path: Path, steps: str) -> None:
    """With `purchase_on = "paid"` (scalev R31); refunded before it was heard of, it is not paid."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, steps)
        assert await orders(one) == await orders(one, "tiktok") == []
        rows = await one.operator("/v1/deliveries?order_id=ORD-77")
        assert [row for row in rows["deliveries"] if row["event_name"] == "purchase"] == []


async def test_r29_an_order_that_is_created_is_sent_at_once(tmp_path: Path) -> None:
    """With `purchase_on = "created"`, and its payment adds nothing."""
    async with round_of(tmp_path) as one:
        await goes(one, "purchase")
        assert await orders(one) == [META_PURCHASE]
        await goes(one, "settled")
        assert await orders(one) == [META_PURCHASE]


@pytest.mark.parametrize("shop", [CREATED, PAID], ids=["created", "paid"])
@pytest.mark.parametrize("steps", ["begin_checkout, settled", "begin_checkout, settled, subscribe"])
async def test_s4_a_paid_membership_is_a_subscribe_and_no_purchase(
    tmp_path: Path, shop: dict[str, Any], steps: str
) -> None:
    """By the order ID's prefix, `MBR-` (L11, midtrans M6); its ID is the order's (L3)."""
    async with round_of(tmp_path, shop) as one:
        await goes(one, steps, "MBR-2001")
        assert await orders(one) == [("Subscribe", "MBR-2001-Subscribe-FORM")]


async def test_s4_the_pages_subscribe_waits_for_the_payment_too(tmp_path: Path) -> None:
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "subscribe", "MBR-2001")
        assert await orders(one) == []
        await goes(one, "settled", "MBR-2001")
        (row,) = await one.calls("meta")
        (sent,) = row["call"]["data"]
        assert sent["custom_data"]["subscription_id"] == "sub-9"
        assert sent["custom_data"]["value"] == 147000


async def test_s4_a_purchase_of_a_membership_is_no_purchase(tmp_path: Path) -> None:
    """The order ID decides, not what the page calls it; what it told is used."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "purchase, settled", "MBR-2001")
        assert await orders(one) == [("Subscribe", "MBR-2001-Subscribe-FORM")]


@pytest.mark.parametrize("order_id", ["ORD-77", "mbr-1", "XMBR-1", "SUBS-1", "MBR1"])
async def test_s5_an_order_without_the_prefix_is_a_purchase(tmp_path: Path, order_id: str) -> None:
    """The prefix is compared to the letter (M6), and `SUBS-` is not it (M7)."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "begin_checkout, settled", order_id)
        assert await orders(one) == [("Purchase", f"{order_id}-Purchase-FORM")]


@pytest.mark.parametrize(
    ("prefix", "name"), [("VIP", "Subscribe"), ("", "Purchase"), ("MBR-", "Purchase")]
)
async def test_l11_the_prefix_is_the_sites(tmp_path: Path, prefix: str, name: str) -> None:
    """An empty one is none: no order is a membership."""
    midtrans = {**ROUND["midtrans"], "membership_prefix": prefix}
    async with round_of(tmp_path, {**ROUND, "midtrans": midtrans}) as one:
        await goes(one, "begin_checkout, settled", "VIP1")
        assert [each for each, _ in await orders(one)] == [name]


async def test_s10_a_reloaded_success_page_sends_nothing_new(tmp_path: Path) -> None:
    """In another browser, days later, when the deliveries are forgotten."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "purchase, settled, purchase")
        for system in ("meta", "tiktok", "tracify"):
            assert len(await orders(one, system)) == 1
        one.passes(8 * 86_400)
        await one.relay.outbox.purge(one.clock(), {})
        await goes(one, "purchase, settled")
        assert await orders(one) == [META_PURCHASE]


def test_paid_orders_need_somebody_who_says_so() -> None:
    """Without [midtrans] no purchase would ever be sent."""
    shop = {key: value for key, value in PAID.items() if key != "midtrans"}
    assert problems(shop) == [("purchase_on", '"paid" needs [midtrans], which says what is paid')]


# --- what is sent ---


async def test_m9_the_payment_is_sent_with_what_the_checkout_told(tmp_path: Path) -> None:
    """Amount and time are the payment's, who and what the page's (alusio 3, L2, S7, S8)."""
    async with round_of(tmp_path, PAID) as one:
        begun = event("begin_checkout", params={"coupon": "HEMAT"})
        paying = event(
            "add_payment_info",
            params={"payment_method": "card"},
            attribution={"fbc": "fb.1.1760000000001.New"},
            user={"email": "siti@example.com", "firstname": "Siti"},
        )
        await one.page(begun, paying)
        await one.midtrans(notification(gross_amount="132000.00"))
        await one.calls("meta")
        sent = (await one.calls("meta"))[-1]["call"]["data"][0]
        assert sent["event_time"] == SETTLED_AT // 1000
        assert sent["event_source_url"] == "https://toko.example/order/ORD-77/add_payment_info"
        assert sent["user_data"]["em"] == [
            "3684a581ce82ee39a1541130095759584e4c574d3db3e88b193256c20fae9747"
        ]
        assert sent["user_data"]["ph"] == [
            "dd752605096029a73495a91862983963e1947a834a4300808074185af10bb725"
        ]
        assert sent["user_data"]["fbc"] == "fb.1.1760000000001.New"
        assert sent["user_data"]["fbp"] == "fb.1.1750000000000.4821"
        assert sent["user_data"]["client_user_agent"] == USER_AGENT
        assert sent["user_data"]["client_ip_address"] == "203.0.113.7"
        assert "ln" not in sent["user_data"]  # L12
        custom = sent["custom_data"]
        assert (custom["value"], custom["currency"], custom["num_items"]) == (132000, "IDR", 2)
        assert custom["content_ids"] == [row["id"] for row in custom["contents"]] == ["variant_a1"]
        assert custom["order_id"] == "ORD-77"


async def test_the_pages_copy_goes_before_all_else_that_was_told(tmp_path: Path) -> None:
    """Also before a checkout that was opened again later; what only that told is added."""
    async with round_of(tmp_path, PAID) as one:
        await one.page(event(user={"email": "siti@example.com"}))
        await one.page(event("begin_checkout", params={"items": [{**ITEM, "quantity": 9}]}))
        await goes(one, "settled")
        sent = (await one.calls("meta"))[-1]["call"]["data"][0]
        assert sent["event_source_url"] == "https://toko.example/order/ORD-77/purchase"
        assert sent["custom_data"]["num_items"] == 2
        assert "ph" in sent["user_data"]


async def test_tiktok_and_tracify_get_the_same_order(tmp_path: Path) -> None:
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "purchase, settled")
        (tiktok,) = await one.calls("tiktok")
        (sent,) = tiktok["call"]["data"]
        assert (sent["user"]["ttclid"], sent["user"]["ttp"]) == ("E.C.P.x", "2abc")
        assert sent["properties"]["value"] == 147000
        (tracify,) = await one.calls("tracify")
        (sent,) = tracify["call"]["events"]
        assert (sent["data"]["amount"], sent["data"]["ITEM1"]) == ("147000.00", "Kaos")


async def test_an_order_without_known_items_is_sent_without(tmp_path: Path) -> None:
    """The sale is not lost to those who take it so, and no item is made up."""
    async with round_of(tmp_path, PAID) as one:
        paying = event("add_payment_info", params={"payment_method": "card"})
        del paying["params"]["items"]
        await one.page(paying)
        await goes(one, "settled")
        sent = (await one.calls("meta"))[-1]["call"]["data"][0]["custom_data"]
        assert sent == {"value": 147000, "currency": "IDR", "order_id": "ORD-77"}
        assert await orders(one, "tiktok") == [TIKTOK_PURCHASE]
        data = (await one.calls("tracify"))[-1]["call"]["events"][0]["data"]
        assert data["amount"] == "147000.00"
        assert "ITEM1" not in data


async def test_the_pages_own_event_id_is_the_servers(tmp_path: Path) -> None:
    """An ID given by the caller is sent as it is, by pixel and payment alike."""
    async with round_of(tmp_path, PAID) as one:
        await one.page({**event(), "event_id": "my-own-id"})
        await goes(one, "settled")
        assert await orders(one) == [("Purchase", "my-own-id")]


async def test_one_systems_own_id_is_not_every_systems(tmp_path: Path) -> None:
    """Code written for Scalev's API names each system's own ID; each gets its own."""
    async with round_of(tmp_path, PAID) as one:
        await one.page({**event(), "event_id": "ORD-77-Purchase-FORM"})
        await goes(one, "settled")
        assert await orders(one) == [META_PURCHASE]
        assert await orders(one, "tiktok") == [TIKTOK_PURCHASE]


# --- nobody told anything ---


async def test_an_order_that_no_page_told_of_is_skipped_with_its_reason(tmp_path: Path) -> None:
    """Meta and Tracify need the shopper's browser, TikTok a page: operators see why."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "settled")
        one.passes(HOLD_MS // 1000)
        assert await orders(one) == []
        rows = (await one.operator("/v1/deliveries?order_id=ORD-77"))["deliveries"]
        assert {row["destination"]: (row["state"], row["reason"]) for row in rows} == {
            "meta": ("skipped", "no http or https page URL"),
            "tiktok": ("skipped", "no http or https page URL"),
            "tracify": ("skipped", "no http or https page URL"),
        }


async def test_who_takes_an_order_alone_gets_it_after_a_moment(tmp_path: Path) -> None:
    """Scalev needs nothing of the browser; the page has ten seconds to bring what it knows."""
    tables = {"scalev": {**SITE["destinations"]["scalev"], **API, "providers": ["meta"]}}
    async with round_of(tmp_path, {**PAID, "destinations": tables}) as one:
        await goes(one, "settled")
        assert await orders(one, "scalev.meta") == []
        one.passes(HOLD_MS // 1000)
        assert await orders(one, "scalev.meta") == [META_PURCHASE]
        await goes(one, "purchase")
        assert await orders(one, "scalev.meta") == [META_PURCHASE]


async def test_the_page_that_comes_in_that_moment_is_joined(tmp_path: Path) -> None:
    tables = {"scalev": {**SITE["destinations"]["scalev"], **API, "providers": ["meta"]}}
    async with round_of(tmp_path, {**PAID, "destinations": tables}) as one:
        await goes(one, "settled, purchase")
        (row,) = await one.calls("scalev.meta")
        assert row["call"]["user_data"]["fbc"] == "fb.1.1760000000000.AbC"
        assert row["call"]["variants"] == [{"variant_unique_id": "variant_a1", "quantity": 2}]


# --- consent, bots, spam ---

NOT_SENT = [
    ({"consent": {"status": "denied"}}, {}, "consent denied"),
    (
        {"consent": {"status": "granted", "gpc": True}},
        {},
        "consent refused by Global Privacy Control",
    ),
    (
        {},
        {"User-Agent": "Googlebot/2.1"},
        "bot: its user agent is a known crawler's or headless browser's",
    ),
    ({"params": {"is_probably_spam": True}}, {}, "probably spam"),  # scalev R63
    ({"destinations": ["kwai"]}, {}, "not among the call's destinations"),
]


@pytest.mark.parametrize("steps", ["page, settled", "settled, page"])
@pytest.mark.parametrize(("fields", "headers", "reason"), NOT_SENT)
async def test_what_holds_of_the_pages_copy_holds_of_the_payment(
    tmp_path: Path, steps: str, fields: dict[str, Any], headers: dict[str, str], reason: str
) -> None:
    """No payment gets round the shopper's refusal, nor round what the page's call said."""
    async with round_of(tmp_path, PAID) as one:
        for step in steps.split(", "):
            if step == "page":
                await one.page(event(**fields), **headers)
            else:
                await goes(one, step)
        one.passes(HOLD_MS // 1000)
        assert await orders(one) == []
        rows = (await one.operator("/v1/deliveries?destination=meta"))["deliveries"]
        assert [(row["state"], row["reason"]) for row in rows] == [("skipped", reason)]


async def test_an_order_of_unknown_consent_is_not_sent_where_consent_is_required(
    tmp_path: Path,
) -> None:
    async with round_of(tmp_path, {**PAID, "consent": "required"}) as one:
        await goes(one, "settled")
        rows = (await one.operator("/v1/deliveries?destination=meta"))["deliveries"]
        assert [row["reason"] for row in rows] == ["consent awaited"]


async def test_a_servers_copy_does_not_grant_what_the_shopper_refused(tmp_path: Path) -> None:
    """The shop's server sends no consent, so what the page said last holds."""
    async with round_of(tmp_path, PAID) as one:
        await one.page(event("begin_checkout", consent={"status": "granted", "gpc": True}))
        copy = event()
        del copy["consent"]
        body = {"site": "toko", "events": [copy]}
        answer = await one.http.post(
            "/v1/events", json=body, headers={"Authorization": f"Bearer {SITE['secret_key']}"}
        )
        assert answer.status_code == 204
        await goes(one, "settled")
        assert await orders(one) == []


# --- taken back (L10) ---


@pytest.mark.parametrize("status", ["refund", "partial_refund", "chargeback", "deny", "cancel"])
async def test_l10_a_payment_taken_back_is_recorded_and_sends_nothing(
    tmp_path: Path, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A log line, and a state that operators see; `settlement` to `deny` happens within minutes."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "purchase, settled")
        before = len(await one.calls("meta"))
        for _ in range(2):
            await one.midtrans(notification(transaction_status=status, status_code="202"))
        assert len(await one.calls("meta")) == before
        (row,) = (await one.operator("/v1/payments?order_id=ORD-77"))["payments"]
        assert (row["state"], row["status"]) == ("reversed", status)
        said = [record for record in caplog.messages if "taken back" in record]
        assert said == [
            f"site=toko order_id=ORD-77 was paid and is taken back ({status}); "
            "what was sent for it stays sent"
        ]


async def test_operators_see_which_orders_are_paid(tmp_path: Path) -> None:
    """`GET /v1/payments`, newest first, with the secret key alone."""
    async with round_of(tmp_path) as one:
        await goes(one, "begin_checkout, settled")
        one.passes(1)
        await goes(one, "purchase, settled", "ORD-78")
        rows = (await one.operator("/v1/payments"))["payments"]
        assert [(row["order_id"], row["state"], row["event_id"]) for row in rows] == [
            ("ORD-78", "paid", None),
            ("ORD-77", "paid", "ORD-77-purchase"),
        ]
        assert (await one.http.get("/v1/payments")).status_code == 401


# --- the status API (M5) ---

CONFIRM = {**PAID, "midtrans": {**ROUND["midtrans"], "confirm": True}}


async def says(shop: Round, status: str, order_id: str = "ORD-77", **fields: Any) -> None:
    """What the status API is to say of the order."""
    body = notification(order_id, transaction_status=status, **fields)
    await shop.sandbox("POST", f"/midtrans/{order_id}", json=body)


async def test_m5_a_payment_that_the_status_api_confirms_is_sent(tmp_path: Path) -> None:
    async with round_of(tmp_path, CONFIRM) as one:
        await says(one, "settlement")
        await goes(one, "purchase, settled, settled")
        assert await orders(one) == [META_PURCHASE]
        assert len(await one.calls("midtrans")) == 1  # what is known is not asked again


@pytest.mark.parametrize("status", ["cancel", "authorize", "pending", "deny"])
async def test_m5_a_swapped_status_is_found_out(tmp_path: Path, status: str) -> None:
    """`status_code` is 200 of a cancelled order too, and the signature says nothing of the rest."""
    async with round_of(tmp_path, CONFIRM) as one:
        await says(one, status)
        await goes(one, "purchase, settled")
        assert await orders(one) == []
        assert (await one.operator("/v1/payments"))["payments"] == []


async def test_m5_a_swapped_refund_is_found_out(tmp_path: Path) -> None:
    async with round_of(tmp_path, CONFIRM) as one:
        await says(one, "settlement")
        await goes(one, "purchase, settled, refunded")
        (row,) = (await one.operator("/v1/payments"))["payments"]
        assert (row["state"], row["status"]) == ("paid", "settlement")


async def test_what_changes_nothing_is_not_asked(tmp_path: Path) -> None:
    async with round_of(tmp_path, CONFIRM) as one:
        await goes(one, "pending, expired, denied")
        assert await one.calls("midtrans") == []


TROUBLE = [
    {"system": "midtrans", "do": "fail", "status": 503},
    {"system": "midtrans", "do": "garbage"},
    {"system": "midtrans", "do": "throttle"},
]


@pytest.mark.parametrize("trouble", [None, *TROUBLE])
async def test_m5_what_cannot_be_confirmed_is_503_and_taken_when_it_can(
    tmp_path: Path, trouble: dict[str, Any] | None
) -> None:
    """Midtrans comes again; meanwhile nothing is sent. `None`: the order is not known there."""
    async with round_of(tmp_path, CONFIRM) as one:
        if trouble:
            await says(one, "settlement")
            await one.sandbox("POST", "/behaviour", json=trouble)
        await one.page(event())
        answer = await one.midtrans(notification())
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "not_confirmed"
        assert int(answer.headers["retry-after"]) >= 1
        assert await orders(one) == []
        await one.sandbox("DELETE", "/behaviour")
        await says(one, "settlement")
        await goes(one, "settled")
        assert await orders(one) == [META_PURCHASE]


async def test_m5_a_status_api_that_is_slow_does_not_hold_up_midtrans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wants its answer within 5 seconds; here a tenth of one is allowed."""
    monkeypatch.setattr("relay.webhooks.CONFIRM_WITHIN_S", 0.1)
    async with round_of(tmp_path, CONFIRM) as one:
        await says(one, "settlement")
        stall = {"system": "midtrans", "do": "stall", "seconds": 5}
        await one.sandbox("POST", "/behaviour", json=stall)
        answer = await one.midtrans(notification())
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_confirmed")


async def test_a_status_api_that_is_not_where_base_url_says_is_503_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so, and holds no key."""
    wrong = {**CONFIRM["midtrans"], "base_url": "http://sandbox.test/nothing/here"}
    async with round_of(tmp_path, {**CONFIRM, "midtrans": wrong}) as one:
        assert (await one.midtrans(notification())).status_code == 503
        assert "Midtrans' status API: " in caplog.text
        assert wrong["server_key"] not in caplog.text


# --- what is kept ---


async def test_what_was_told_is_gone_from_the_disk_when_nobody_needs_it(tmp_path: Path) -> None:
    """After the page and the payment both came and everything is delivered."""
    async with round_of(tmp_path, PAID) as one:
        await goes(one, "begin_checkout, purchase, settled")
        assert await orders(one) == [META_PURCHASE]
    disk = raw(tmp_path / "var" / "outbox.db")
    assert b"ORD-77" in disk
    for private in (b"siti@", b"81234567890", b"203.0.113.7", b"fb.1.1760000000000.AbC"):
        assert private not in disk


async def test_a_site_without_midtrans_keeps_nothing_of_a_checkout(tmp_path: Path) -> None:
    """Nobody would ever need it."""
    shop = {key: value for key, value in ROUND.items() if key != "midtrans"}
    async with round_of(tmp_path, shop) as one:
        await goes(one, "begin_checkout")
        for system in ("meta", "tiktok"):
            assert len(await one.calls(system)) == 1
    disk = raw(tmp_path / "var" / "outbox.db")
    assert b"siti@" not in disk


async def test_items_in_another_currency_are_another_amounts(tmp_path: Path) -> None:
    """They are left out rather than sent as rupiah; so are costs above what was paid."""
    async with round_of(tmp_path, PAID) as one:
        await one.page(event(params={"currency": "USD", "value": 9.5, "items": [ITEM]}))
        await goes(one, "settled")
        sent = (await one.calls("meta"))[-1]["call"]["data"][0]["custom_data"]
        assert sent == {"value": 147000, "currency": "IDR", "order_id": "ORD-77"}


async def test_costs_of_more_than_was_paid_are_left_out(tmp_path: Path) -> None:
    """A voucher of the payment's made the order smaller; it is sent all the same."""
    async with round_of(tmp_path, PAID) as one:
        await one.page(event(params={"shipping_amount": 20000}))
        await one.midtrans(notification(gross_amount="15000.00"))
        sent = (await one.calls("meta"))[-1]["call"]["data"][0]["custom_data"]
        assert sent["value"] == 15000
