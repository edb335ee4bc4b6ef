"""Scalev's three routes on the relay: who may call, CORS, and what is no request of Scalev's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.relay.relay_stage import BATIK, ORIGIN, error_of, is_told, site
from tests.relay.storefront_bodies import (
    META,
    SAMPLES,
)
from tests.relay.storefront_shop import OTHERS, PATH, Storefront, shop, storefront

SYSTEMS = ("meta", "tiktok", "snackvideo")


@pytest.fixture
def toko(tmp_path: Path) -> Iterator[Storefront]:
    with storefront(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storefront]:
    """The same for all, for what leaves nothing behind; `batik` is of another store."""
    folder = tmp_path_factory.mktemp("relay")
    with storefront(folder, shop(), site(BATIK, store_id="store_2")) as one:
        yield one


# --- who may call ---


def test_an_unknown_store_is_404(shared: Storefront) -> None:
    answer = shared.post("meta", META, path=PATH.replace("store_1", "store_3"))
    assert is_told(answer, 404, "unknown_store")


def test_a_site_without_a_store_id_has_no_store(tmp_path: Path) -> None:
    """An empty segment of a path is none."""
    with storefront(tmp_path, site()) as toko:
        assert toko.post("meta", META, path=PATH.replace("store_1", "")).status_code == 404


@pytest.mark.parametrize("key", [None, "pmk_batik", "PMK_TOKO", "the-secret-key-of-toko"])
def test_another_key_is_401(shared: Storefront, key: str | None) -> None:
    """None at all, another site's, another spelling, the secret one."""
    answer = shared.post("meta", META, headers={"X-Scalev-Storefront-Api-Key": key})
    assert is_told(answer, 401, "unknown_key")
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("origin", ["https://batik.example", "null", "https://toko.example.evil"])
def test_another_origin_is_403(shared: Storefront, origin: str) -> None:
    answer = shared.post("meta", META, headers={"Origin": origin})
    assert is_told(answer, 403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers


def test_two_sites_of_one_store_are_told_apart_by_their_keys(tmp_path: Path) -> None:
    """And an origin is good for its own site only."""
    batik = site({**BATIK, "destinations": {"tracify": OTHERS["tracify"]}}, store_id="store_1")
    with storefront(tmp_path, shop(), batik) as both:
        key = {"X-Scalev-Storefront-Api-Key": "pmk_batik"}
        assert is_told(both.post("meta", META, headers=key), 403, "origin_not_allowed")
        headers = {**key, "Origin": "https://batik.example"}
        assert both.post("meta", META, headers=headers).status_code == 204
        assert (len(both.rows("batik")), both.rows("toko")) == (1, [])


def test_too_many_requests_are_429_with_when_to_come_again(tmp_path: Path) -> None:
    """The page's own events and these draw on one allowance."""
    with storefront(tmp_path, shop(rate_limit=1)) as toko:
        answers = [toko.post("meta", META) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [204] * 4 + [429]
        assert is_told(answers[-1], 429, "rate_limited")
        assert answers[-1].headers["retry-after"] == "1"
        assert answers[-1].headers["access-control-expose-headers"] == "Retry-After"
        page = toko.ask("POST", "/s/toko", content="{}", headers={"Origin": ORIGIN})
        assert page.status_code == 429
        toko.seconds += 1
        assert toko.post("meta", META).status_code == 204


def test_what_cannot_be_stored_is_503(toko: Storefront) -> None:
    """The caller may send it again."""
    toko.close_outbox()
    answer = toko.post("meta", META)
    assert is_told(answer, 503, "not_durable")
    assert answer.headers["retry-after"]


# --- CORS ---


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_preflight_allows_what_scalevs_allows(shared: Storefront, system: str) -> None:
    """Section 2: its four headers, the exact origin, no credentials."""
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-scalev-storefront-api-key",
    }
    answer = shared.ask("OPTIONS", PATH.format(system), headers=headers)
    assert answer.status_code == 204
    allowed = answer.headers["access-control-allow-headers"]
    assert allowed.split(", ") == [
        "X-Scalev-Storefront-Api-Key",
        "X-Scalev-Guest-Token",
        "Authorization",
        "Content-Type",
    ]
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["https://batik.example", "https://evil.example"])
def test_a_preflight_from_elsewhere_is_403(shared: Storefront, origin: str) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = shared.ask("OPTIONS", PATH.format("meta"), headers=headers)
    assert is_told(answer, 403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers


def test_an_answer_names_the_exact_origin_and_sets_no_cookies(toko: Storefront) -> None:
    """002's code omits credentials, so cookies would be nobody's."""
    answer = toko.post("meta", META)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers
    assert "set-cookie" not in answer.headers


def test_a_server_gets_no_cors(toko: Storefront) -> None:
    answer = toko.post("meta", META, headers={"Origin": None})
    assert "access-control-allow-origin" not in answer.headers


# --- what is no request of Scalev's ---


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_r4_another_media_type_is_415(shared: Storefront, media_type: str | None) -> None:
    """Also text/plain, which needs no preflight and is taken from the tracker."""
    answer = shared.post("meta", META, headers={"Content-Type": media_type})
    assert is_told(answer, 415, "unsupported_media_type")


def test_a_charset_changes_nothing(toko: Storefront) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert toko.post("meta", META, headers=headers).status_code == 204


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"events": NaN}'])
def test_what_is_no_json_object_is_400(shared: Storefront, body: str) -> None:
    answer = shared.post("meta", body)
    assert is_told(answer, 400, "invalid_json")
    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_a_body_over_the_limit_is_413(shared: Storefront) -> None:
    answer = shared.post("meta", {**META, "own": "x" * 512 * 1024})
    assert is_told(answer, 413, "too_large")


@pytest.mark.parametrize(("events", "items"), [(501, 0), (100, 101)])
def test_a_batch_over_the_limit_is_413(shared: Storefront, events: int, items: int) -> None:
    """Items belong to each of the events, so both count."""
    variants = [{"variant_unique_id": f"variant_{n}", "quantity": 1} for n in range(items)]
    body = {**META, "events": META["events"] * events, "variants": variants}
    assert is_told(shared.post("meta", body), 413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", PATH.format("meta"), 405, "method_not_allowed"),
        ("POST", PATH.format("pinterest"), 404, "not_found"),
        ("POST", PATH.format("meta") + "/", 404, "not_found"),
    ],
)
def test_other_paths_and_methods_are_refused(
    shared: Storefront, method: str, path: str, status: int, code: str
) -> None:
    assert is_told(shared.ask(method, path), status, code)


@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_of_a_refused_body_is_stored(shared: Storefront, system: str) -> None:
    """One event of a batch is wrong, and its error repeats nothing of the shopper."""
    body = {**SAMPLES[system], "events": [*SAMPLES[system]["events"], {"event_id": "x"}]}
    answer = shared.post(system, body)
    assert answer.status_code == 422
    assert "buyer@example.com" not in str(error_of(answer))
    assert shared.rows() == []
