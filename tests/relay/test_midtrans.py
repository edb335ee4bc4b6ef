"""Midtrans' notifications: signature, paid rule, amount, time, answers (specs/midtrans.md 2-5)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixelmirror.check import EventError
from relay import midtrans
from relay.destinations import Answer
from relay.outbox import OutboxUnavailable, PaymentRow
from relay.outbox.sqlite import SqliteOutbox
from relay.site import MidtransTable
from tests.relay.paid_shop import (
    SERVER_KEY,
    SETTLED_AT,
    SHOP,
    event,
    mirror,
    notification,
    notify,
    sent,
)
from tests.relay.relay_stage import BATIK, NOW, Stage, error_of, is_told, site, stage

TOKO = site(SHOP)


@pytest.fixture
def toko(tmp_path: Path) -> Iterator[Stage]:
    """A relay of a shop that Midtrans notifies, and of one that it does not."""
    with stage(tmp_path, TOKO, site(BATIK)) as one:
        yield one


# --- signature (section 5) ---

VECTORS = [
    (
        "1111",
        "200",
        "100000.00",
        "askvnoibnosifnboseofinbofinfgbiufglnbfg",
        "edc076b21793ebe3e17926350f5b8ae67d902fe657b3d0aa31b932d5c127e237"
        "5d308a2bc94f3265ac2d80a1f181a79b997ac178a236fcff35af263fc4d4c231",
    ),
    (
        "ORD-1001",
        "200",
        "750000.00",
        SERVER_KEY,
        "bfb60c740b344297bf5a311560b7fdf21388e92fcb16103aa69d2ef8096330ed"
        "a8ea7b42f28c4cdf1463e8e03c72136eb06e5da8939686e7e0fc21d5a82a7444",
    ),
    (
        "MBR-2001",
        "200",
        "99000.00",
        SERVER_KEY,
        "cdcdbcd19840b211b5ac3d829c6dab6c9360bf7e26fb7d4d33cea05a1c4cf9c6"
        "5884dd3705b40ddb77d6d49e0ae43718f4f557bb11ac55a516666d7df358f1eb",
    ),
    (
        "ORD-1001",
        "201",
        "750000.00",
        SERVER_KEY,
        "8110e8eaa3b098bedfe889e4dfda2b9f4be1d03aa82451e20d9caa5277e445f0"
        "ab3242d0d734b6a47ca5d5f52fcd258c4cd001c82fe0d1f8a56c6214e5f4a7ee",
    ),
    (
        "ORD-1001",
        "200",
        "750000",
        SERVER_KEY,
        "c3e4090f87ae8b891ddbeb14ea4a81f22a15da8d92f8fb615a75f8cc8ba7206a"
        "6420dae7a56300a00ec5b181548400512725be9f44f243cbe93627bff0088fcb",
    ),
]


@pytest.mark.parametrize(("order_id", "status_code", "amount", "key", "signature"), VECTORS)
def test_the_signature_vectors(
    order_id: str, status_code: str, amount: str, key: str, signature: str
) -> None:
    """Each of section 5 holds for its own texts, and for no other amount's spelling."""
    body = {
        "order_id": order_id,
        "status_code": status_code,
        "gross_amount": amount,
        "signature_key": signature,
    }
    assert midtrans.is_signed(body, key)
    spelt = amount.removesuffix(".00") if "." in amount else f"{amount}.00"
    assert not midtrans.is_signed({**body, "gross_amount": spelt}, key)
    assert not midtrans.is_signed(body, key + " ")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order_id", "ORD-78"),
        ("order_id", 77),
        ("status_code", "201"),
        ("status_code", 200),
        ("status_code", None),
        ("gross_amount", "147000"),
        ("gross_amount", 147000.0),
        ("gross_amount", None),
        ("signature_key", "0" * 128),
        ("signature_key", ""),
        ("signature_key", "ü" * 128),
        ("signature_key", ["x"]),
        ("signature_key", None),
    ],
)
def test_what_midtrans_has_not_signed_is_403_and_changes_nothing(
    toko: Stage, field: str, value: Any
) -> None:
    """A swapped, a re-formatted, a missing field; DESIGN 5.4's 403 goes before M4's 400."""
    body = {**notification(), field: value}
    body = {key: value for key, value in body.items() if value is not None}
    assert is_told(notify(toko, body), 403, "wrong_signature")
    assert toko.rows() == []
    assert toko.operator("/v1/payments").json() == {"payments": []}


def test_a_signature_of_another_shops_key_is_refused(tmp_path: Path) -> None:
    batik = site({**SHOP, **BATIK, "midtrans": {"server_key": "another-key"}})
    with stage(tmp_path, TOKO, batik) as one:
        assert notify(one, site="batik").status_code == 403
        assert notify(one, site="toko").status_code == 200


# --- paid (section 5, the paid table) ---

PAID = [
    ("settlement", "200", "accept", True),
    ("settlement", "200", None, True),  # M1
    ("settlement", "200", "challenge", False),
    ("settlement", "200", "deny", False),
    ("capture", "200", "accept", True),
    ("capture", "201", "challenge", False),
    ("capture", "200", None, False),  # M2
    ("authorize", "200", "accept", False),
    ("pending", "201", "accept", False),
    ("deny", "202", "deny", False),
    ("cancel", "200", "accept", False),
    ("expire", "407", "accept", False),
    ("failure", "202", "accept", False),
    ("settlement", "200", "ACCEPT", True),  # M3
    ("capture", "200", "ACCEPT", True),
    ("settlement", "201", "accept", False),
    ("SETTLEMENT", "200", "accept", False),
    ("something_new", "200", "accept", False),
]


@pytest.mark.parametrize(("status", "code", "fraud", "is_paid"), PAID)
def test_the_paid_table(
    toko: Stage, status: str, code: str, fraud: str | None, is_paid: bool
) -> None:
    """Section 3's rule, M1, M2, M3, alusio S3: what is not paid is 200 too, and nothing is sent."""
    mirror(toko, event("begin_checkout"))
    body = notification(
        transaction_status=status, status_code=code, fraud_status=fraud, payment_type="credit_card"
    )
    answer = notify(toko, body)
    assert (answer.status_code, answer.json()) == (
        200,
        {"result": "paid" if is_paid else "ignored"},
    )
    assert len(sent(toko)) == is_paid


@pytest.mark.parametrize("kind", ["gopay", "qris", "bank_transfer"])
def test_a_capture_is_a_cards(kind: str) -> None:
    assert not midtrans.is_paid(notification(transaction_status="capture", payment_type=kind))


AMOUNTS = [
    ("147000.00", 147000),
    ("147000", 147000),
    ("147000.0", 147000),
    ("00147000.00", 147000),
    ("147000.49", 147000),
    ("147000.50", 147001),
    ("0.00", 0),
    ("3000000000.00", 3_000_000_000),
]


@pytest.mark.parametrize(("text", "value"), AMOUNTS)
def test_an_amount_is_signed_as_it_is_spelt_and_sent_as_it_is_meant(
    toko: Stage, text: str, value: int
) -> None:
    """Section 2: any spelling that Midtrans signs is taken; rupiah are whole (scalev R45)."""
    mirror(toko, event("begin_checkout"))
    assert notify(toko, notification(gross_amount=text)).json() == {"result": "paid"}
    (row,) = sent(toko)
    assert row["params"]["value"] == value
    assert type(row["params"]["value"]) is int


def test_an_order_without_an_id_is_400(toko: Stage) -> None:
    """Signed or not, it is no order; its event ID would be every such order's."""
    answer = notify(toko, notification(""))
    assert is_told(answer, 400, "invalid_notification", "order_id")


@pytest.mark.parametrize("status", [None, 7, ["settlement"]])
def test_a_notification_without_its_status_is_400(toko: Stage, status: Any) -> None:
    """Section 3, our answers: a required field is missing."""
    answer = notify(toko, notification(transaction_status=status))
    assert is_told(answer, 400, "invalid_notification", "transaction_status")


# --- amount and time ---


def test_the_amount_is_the_gross_amount_and_whole_in_rupiah() -> None:
    found = midtrans.payment(notification(gross_amount="147000.00"), TOKO, NOW)
    assert (found.value, found.currency) == (147000, "IDR")
    assert type(found.value) is int
    large = midtrans.payment(notification(gross_amount="3000000000.00"), TOKO, NOW)
    assert large.value == 3_000_000_000


def test_a_missing_currency_is_the_sites() -> None:
    found = midtrans.payment(notification(currency=None), site(SHOP, currency="SGD"), NOW)
    assert found.currency == "SGD"


@pytest.mark.parametrize("amount", ["", "Rp 150.000", "100,000", "-1.00", "1.000"])
def test_an_amount_that_is_none_is_400(toko: Stage, amount: str) -> None:
    """Signed or not: nothing is guessed."""
    answer = notify(toko, notification(gross_amount=amount))
    assert is_told(answer, 400, "invalid_notification", "gross_amount")
    with pytest.raises(EventError):
        midtrans.payment(notification(gross_amount=amount), TOKO, NOW)


TIMES = [
    ({}, SETTLED_AT),
    ({"settlement_time": None}, SETTLED_AT - 150_000),
    ({"settlement_time": "09/10/2025"}, SETTLED_AT - 150_000),
    ({"settlement_time": 1759999950}, SETTLED_AT - 150_000),
    ({"settlement_time": None, "transaction_time": None}, NOW),
    ({"settlement_time": "2026-01-01 00:00:00"}, NOW),
    ({"settlement_time": "2025-10-09 15:53:20"}, 1_760_000_000_000),
]


@pytest.mark.parametrize(("fields", "paid_at"), TIMES)
def test_the_time_is_that_of_the_settlement_in_jakarta(
    fields: dict[str, Any], paid_at: int
) -> None:
    """Else of the transaction, else now; GMT+7, and never ahead of our clock (section 2)."""
    assert midtrans.payment(notification(**fields), TOKO, NOW).paid_at == paid_at


# --- answers ---

RECURRING = {"transaction": {"order_id": "SUBS-1"}, "subscription": {"id": "s"}}


@pytest.mark.parametrize("body", [{}, RECURRING, {"account_id": "a"}, {"order_id": None}])
def test_what_is_no_payment_is_200_and_nothing_is_done(toko: Stage, body: Any) -> None:
    """Subscriptions' and accounts' bodies (M7)."""
    assert notify(toko, body).json() == {"result": "ignored"}
    assert toko.rows() == []


@pytest.mark.parametrize("body", ["", "{", "[]", '"text"', "NaN", b"\xff\xfe"])
def test_what_is_not_json_is_400(toko: Stage, body: str | bytes) -> None:
    assert is_told(notify(toko, body), 400, "invalid_json")


def test_the_limits_are_those_of_every_body(toko: Stage) -> None:
    """512 KiB, and application/json."""
    assert is_told(notify(toko, b" " * (512 * 1024 + 1)), 413, "too_large")
    body = json.dumps(notification())
    answer = notify(toko, body, **{"Content-Type": "application/x-www-form-urlencoded"})
    assert is_told(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("name", ["batik", "nobody"])
def test_a_site_that_is_not_there_or_takes_none_is_404(toko: Stage, name: str) -> None:
    """Also a site without [midtrans]."""
    assert is_told(notify(toko, site=name), 404, "unknown_site", "site")


def test_only_post_is_taken(toko: Stage) -> None:
    assert toko.ask("GET", "/webhooks/midtrans/toko").status_code == 405


def test_fields_that_midtrans_adds_change_nothing(toko: Stage) -> None:
    """New ones may appear at any time (section 2)."""
    body = notification(va_numbers=[{"bank": "bca", "va_number": "1"}], something_new={"a": [1]})
    assert notify(toko, body).json() == {"result": "paid"}


class FullDisk(SqliteOutbox):
    """An outbox whose disk is full."""

    async def pay(self, *_: Any) -> set[tuple[str, str]]:
        raise OutboxUnavailable("the outbox can't do this now: database or disk is full")


class Unreadable(SqliteOutbox):
    """An outbox that can't be read."""

    async def payments(self, *_: Any, **__: Any) -> list[PaymentRow]:
        raise OutboxUnavailable("the outbox can't do this now: disk I/O error")


@pytest.mark.parametrize("kind", [FullDisk, Unreadable])
def test_what_cannot_be_stored_is_503(tmp_path: Path, kind: type[SqliteOutbox]) -> None:
    """With `Retry-After`; Midtrans comes again (section 3)."""
    with stage(tmp_path, TOKO, kind=kind) as one:
        answer = notify(one)
        assert is_told(answer, 503, "not_durable")
        assert int(answer.headers["retry-after"]) >= 1


def test_no_answer_and_no_log_tells_the_key_or_a_signature(
    toko: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor whose order it is."""
    caplog.set_level("DEBUG")
    mirror(toko, event("begin_checkout"))
    bodies = [
        notification(),
        notification(),
        notification(signature_key="f" * 128),
        notification(transaction_status="refund"),
        notification(transaction_status=None),
        notification(gross_amount="x"),
        RECURRING,
    ]
    told = "".join(notify(toko, body).text for body in bodies) + caplog.text
    expected = hashlib.sha512(f"ORD-77200147000.00{SERVER_KEY}".encode()).hexdigest()
    for private in (SERVER_KEY, expected, "f" * 128, "siti@", "81234567890", "203.0.113.7"):
        assert private not in told
    assert "ORD-77" in caplog.text


# --- the status API ---


def test_the_status_api_is_asked_by_the_signed_order_id() -> None:
    """Basic authentication: the server key, a colon, nothing (section 2)."""
    request = midtrans.status_request("ORD/77 ü", MidtransTable(server_key="key"))
    assert request.url == "https://api.midtrans.com/v2/ORD%2F77%20%C3%BC/status"
    assert (request.method, request.body) == ("GET", b"")
    assert request.headers == {"Authorization": "Basic a2V5Og==", "Accept": "application/json"}
    table = MidtransTable(server_key="key", base_url="http://127.0.0.1:9/sandbox/api")
    url = midtrans.status_request("ORD-77", table).url
    assert url == "http://127.0.0.1:9/sandbox/api/v2/ORD-77/status"


SAID = {"order_id": "ORD-77", "transaction_status": "settlement", "status_code": "200"}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"status_code":"404","status_message":"Transaction doesn\'t exist."}'),
        (200, json.dumps({**SAID, "order_id": "ORD-78"}).encode()),
        (401, b'{"status_code":"401"}'),
        (502, json.dumps(SAID).encode()),
        (None, b""),
    ],
)
def test_only_an_answer_about_this_order_confirms(status: int | None, said: bytes) -> None:
    assert midtrans.confirmed(Answer(status, said), notification()) is None


def test_what_the_status_api_says_counts_and_not_the_notification() -> None:
    answer = Answer(200, json.dumps({**SAID, "transaction_status": "pending"}).encode())
    found = midtrans.confirmed(answer, notification())
    assert found is not None
    assert not midtrans.is_paid(found)
    assert found["gross_amount"] == "147000.00"


def test_a_wrong_notification_is_told_as_every_error_is(toko: Stage) -> None:
    """DESIGN 5.4's body."""
    assert "signature" in error_of(notify(toko, notification(signature_key="x")))["message"]
