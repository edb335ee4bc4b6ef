"""Who guesses sites and keys is heard so often and no more, whatever he names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.relay.paid_shop import SHOP, notification, notify
from tests.relay.relay_stage import BATIK, EVENT, NOW, Stage, is_told, site, stage

MOST = 200
GUESSER = "198.51.100.9"
BODY = {"sent_at": NOW, "events": [EVENT]}
SERVER = {**BODY, "site": "toko"}

Guess = Callable[[Stage], httpx.Response]


def a_key(toko: Stage) -> httpx.Response:
    headers = {"Authorization": "Bearer guess-1"}
    return toko.ask("GET", "/v1/deliveries", peer=GUESSER, headers=headers)


def a_server_key(toko: Stage) -> httpx.Response:
    headers = {"Authorization": "Bearer guess-2"}
    return toko.ask("POST", "/v1/events", peer=GUESSER, headers=headers)


def a_site(toko: Stage) -> httpx.Response:
    return toko.ask("GET", "/s/nobody.js", peer=GUESSER)


def a_page(toko: Stage) -> httpx.Response:
    return toko.page(BODY, path="/s/nobody", peer=GUESSER)


def a_store(toko: Stage) -> httpx.Response:
    path = "/v3/stores/nobody/public/analytics/meta/events"
    return toko.ask("POST", path, peer=GUESSER)


def a_publishable_key(toko: Stage) -> httpx.Response:
    path = "/v3/stores/store_1/public/analytics/meta/events"
    headers = {"X-Scalev-Storefront-Api-Key": "pmk_guess"}
    return toko.ask("POST", path, peer=GUESSER, headers=headers)


def a_signature(toko: Stage) -> httpx.Response:
    body = {**notification(), "signature_key": "0" * 128}
    return toko.ask("POST", "/webhooks/midtrans/toko", peer=GUESSER, json=body)


GUESSES = [a_key, a_server_key, a_site, a_page, a_store, a_publishable_key, a_signature]


@pytest.mark.parametrize("guess", GUESSES)
def test_so_many_wrong_guesses_are_429(tmp_path: Path, guess: Guess) -> None:
    """With when to come again; and then so many a second."""
    with stage(tmp_path, site(SHOP, store_id="store_1")) as toko:
        wrong = {guess(toko).status_code for _ in range(MOST)}
        assert wrong <= {401, 403, 404}
        answer = guess(toko)
        assert is_told(answer, 429, "rate_limited")
        assert answer.headers["retry-after"] == "1"
        toko.seconds += 1
        assert guess(toko).status_code in wrong


def test_all_guesses_of_an_address_are_counted_together(tmp_path: Path) -> None:
    """Over all sites and routes; another address is another's."""
    with stage(tmp_path, site(SHOP, store_id="store_1"), site(BATIK)) as both:
        for i in range(MOST):
            assert GUESSES[i % len(GUESSES)](both).status_code in (401, 403, 404)
        assert {guess(both).status_code for guess in GUESSES} == {429}
        assert both.server(SERVER).status_code == 204


def test_a_right_key_is_not_heard_from_who_guessed_too_often(tmp_path: Path) -> None:
    """Else a guess that hits would still be found."""
    with stage(tmp_path, site(SHOP)) as toko:
        for _ in range(MOST):
            a_key(toko)
        headers = {"Authorization": f"Bearer {SHOP['secret_key']}"}
        answer = toko.ask("GET", "/v1/deliveries", peer=GUESSER, headers=headers)
        assert is_told(answer, 429, "rate_limited")
        toko.seconds += 1
        answer = toko.ask("GET", "/v1/deliveries", peer=GUESSER, headers=headers)
        assert answer.status_code == 200


def test_shoppers_and_midtrans_are_no_strangers(tmp_path: Path) -> None:
    """A listed origin and a right signature count, whoever else sits behind the same address."""
    with stage(tmp_path, site(SHOP)) as toko:
        for _ in range(MOST):
            a_site(toko)
        assert toko.page(BODY, peer=GUESSER).status_code == 204
        answer = toko.ask("POST", "/webhooks/midtrans/toko", peer=GUESSER, json=notification())
        assert answer.json() == {"result": "paid"}


def test_notifications_that_nobody_signed_are_counted_too(tmp_path: Path) -> None:
    """One without an order is answered and logged, so not for ever."""
    with stage(tmp_path, site(SHOP)) as toko:
        answers = [notify(toko, {"a": "b"}).status_code for _ in range(MOST + 1)]
        assert answers == [200] * MOST + [429]


def test_a_stranger_behind_our_proxy_is_told_by_his_own_address(tmp_path: Path) -> None:
    """He names no site of ours, so the proxies of any site are believed."""
    with stage(tmp_path, site(SHOP, trusted_proxies=["10.0.0.0/8"])) as toko:

        def ask(address: str) -> int:
            headers = {"X-Forwarded-For": address}
            path = "/s/nobody.js"
            return toko.ask("GET", path, peer="10.1.2.3", headers=headers).status_code

        assert [ask(GUESSER) for _ in range(MOST + 1)] == [404] * MOST + [429]
        assert ask("198.51.100.10") == 404
