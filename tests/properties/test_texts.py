"""Every text that is decoded, in the page's code and the relay's: whatever comes, one meaning."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from ipaddress import ip_address, ip_network
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from pixelmirror import attribution, consent_rules
from pixelmirror.check import check_kind
from pixelmirror.event import money
from pixelmirror.event_id import event_id, sent_as, uuid7
from relay import cookies
from relay.assets import preferred_coding
from relay.callers import client_ip, network, public_host
from relay.destinations import Answer, retry_after_s
from tests.properties.strategies import HOSTILE, TEXTS, refusal_of
from tests.relay.relay_stage import EVENT, ORIGIN, site

NAMES = st.sampled_from(["_fbc", "_fbp", "_ttclid", "_ttp", "_kwai_click_id", "a", ""])
WORDS = st.text(alphabet="abfcptl_id=&;?#%+.0123456789 /\\é", max_size=60)


def request(headers: list[tuple[str, str]], peer: str | None = "203.0.113.7") -> Request:
    """A request as the app sees it; headers are Latin-1 there, whatever was sent."""
    raw = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers]
    client = (peer, 40000) if peer is not None else None
    return Request({"type": "http", "headers": raw, "client": client})


# --- cookies and queries ---


@given(st.text())
def test_what_is_encoded_is_decoded_again(text: str) -> None:
    """A cookie gives back what was put into it, and ends no cookie."""
    assert attribution.decode(attribution.encode(text)) == text
    assert re.fullmatch(r"[A-Za-z0-9_.!~*'()%-]*", attribution.encode(text))


@given(st.dictionaries(NAMES, TEXTS))
def test_a_query_is_read_as_it_was_written(query: dict[str, str]) -> None:
    """Whatever its values are."""
    encoded = "&".join(f"{name}={attribution.encode(value)}" for name, value in query.items())
    found = attribution.parse_query(f"https://t/?{encoded}&#x=y")
    assert found == {"": "", **query}


@given(st.one_of(st.text(), WORDS), st.one_of(st.text(), WORDS), st.integers(0, 10**13))
def test_any_url_and_cookies_give_sound_attribution(url: str, text: str, now_ms: int) -> None:
    """What is written is what the systems can read; what is read holds no empty value."""
    query, jar = attribution.parse_query(url), attribution.parse_cookies(text)
    for name, value, max_age_s in attribution.capture(query, jar, now_ms, 1, 7):
        assert value
        assert max_age_s > 0
        assert attribution.is_meta_id(value) or name not in ("_fbc", "_fbp") or value == jar[name]
        line = attribution.cookie_text(name, value, max_age_s, "toko.example", True)
        assert line.isprintable()
        assert line.count(";") == 5
    assert all(attribution.read(query, jar).values())


@given(TEXTS.filter(bool), TEXTS, st.integers(1, 10**13))
def test_a_click_id_is_never_changed(click_id: str, old: str, now_ms: int) -> None:
    """It stands at the end of the cookie as it came, and comes again as it is."""
    value = attribution.fbc(old, click_id, now_ms, 1)
    assert value.endswith(click_id) or (attribution.is_meta_id(old) and value == old)
    assert attribution.fbc(value, click_id, now_ms + 1, 2) == value


@given(HOSTILE, st.one_of(st.text(), st.just("t.toko.example")), st.dictionaries(NAMES, TEXTS))
def test_a_renewed_cookie_ends_no_header(
    domain: object, host: str, attributed: dict[str, str]
) -> None:
    """Whatever a page says its domain is, and whatever its click IDs hold."""
    event = {**EVENT, "attribution": {"fbc": "fb.1.1.x", **attributed}}
    ours = public_host(request([("host", host)]))
    for line in cookies.renewed(domain, ours, ORIGIN, event):
        assert line.isascii()
        assert line.isprintable()
        assert domain == "" or line.endswith(f"; Domain={domain}")


@given(TEXTS)
def test_a_caid_is_one_or_nothing(value: str) -> None:
    table = {"mode": "server", "site_id": "1", "source_key": "s"}
    found = cookies.caid({"CAID": value}, site(destinations={"commanders_act": table}))
    assert found in ("", value)
    assert found.isascii()
    assert found.isprintable()


# --- consent ---

CATEGORIES = st.lists(st.one_of(TEXTS, st.integers().map(str), st.just("1,3")), max_size=5)


@given(st.one_of(st.sampled_from(["granted", "denied"]), CATEGORIES))
def test_a_consent_survives_its_cookie(value: object) -> None:
    """Whatever its categories are called; and to be asked again is to get the same."""
    consent = consent_rules.given(value)
    text = consent_rules.to_text(consent)
    kept = attribution.decode(attribution.encode(text))
    found = consent_rules.from_text(kept)
    assert found is not None
    assert found["status"] == consent["status"]
    assert found.get("categories", []) == consent.get("categories", [])
    assert consent_rules.to_text(found) == text


@given(st.one_of(st.text(), TEXTS, HOSTILE.map(json.dumps)), st.booleans())
def test_any_cookie_is_a_consent_or_none(text: str, has_gpc: bool) -> None:
    """Somebody else may have written it; it is never an error, and never more than was asked."""
    consent = consent_rules.initial("required", text, has_gpc)
    assert consent["status"] in ("granted", "denied", "awaited")
    assert all(isinstance(one, str) for one in consent.get("categories", []))
    assert consent.get("gpc", False) is has_gpc


# --- headers ---

ADDRESSES = st.one_of(
    st.ip_addresses().map(str), WORDS, st.sampled_from(["", "unknown", "[::1]:9"])
)
TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
PEERS = st.one_of(st.none(), ADDRESSES, st.just("10.1.2.3"))


@given(PEERS, st.lists(ADDRESSES, max_size=6))
def test_the_shopper_is_an_address_or_unknown(peer: str | None, hops: list[str]) -> None:
    """And the peer himself, where he is none of our proxies, whatever he says of others."""
    found = client_ip(request([("x-forwarded-for", ", ".join(hops))], peer), TRUSTED)
    if found:
        assert str(ip_address(found)) == found
    assert network(found) == found or network(found).endswith("/64")
    alone = client_ip(request([], peer), TRUSTED)
    if alone and not any(ip_address(alone) in trusted for trusted in TRUSTED):
        assert found == alone


@given(st.ip_addresses().map(str), st.lists(ADDRESSES, max_size=4))
def test_what_stands_left_of_the_shopper_is_not_believed(shopper: str, said: list[str]) -> None:
    """He wrote it himself; only what our own proxies added counts."""
    address = ip_address(shopper)
    address = getattr(address, "ipv4_mapped", None) or address
    if any(address in trusted for trusted in TRUSTED):
        return
    line = ", ".join([*said, shopper, "10.9.9.9"])
    assert client_ip(request([("x-forwarded-for", line)], "10.1.2.3"), TRUSTED) == str(address)


@given(st.one_of(st.text(), st.just("t.toko.example:8700"), WORDS))
def test_a_host_is_one_or_nothing(text: str) -> None:
    """The page's script is made with it, so it holds nothing that a script could be made of."""
    host = public_host(request([("host", text)]))
    assert re.fullmatch(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])?(:[0-9]+)?", host)


@given(st.one_of(st.none(), st.text(), st.text(alphabet="gzipbr*;q=01.,- naif")))
def test_a_coding_is_one_that_is_there(accept_encoding: str | None) -> None:
    """Identity at the least."""
    every = {coding: Path(coding) for coding in ("identity", "br", "gzip")}
    for codings in (["identity"], ["identity", "gzip"], list(every)):
        available = {coding: every[coding] for coding in codings}
        assert preferred_coding(accept_encoding, available) in available


DATES = st.text(alphabet="MonTueSatJanDec 0123456789:,+-GMTZ", max_size=40)


@given(st.one_of(st.text(), DATES, st.integers().map(str), st.just("9" * 400)), st.floats(0, 1e10))
def test_a_retry_after_is_some_seconds_or_nothing(text: str, now: float) -> None:
    """A system's header is as hostile as any other's."""
    found = retry_after_s(Answer(429, headers={"Retry-After": text}), now)
    assert found is None or found >= 0


# --- amounts and IDs ---

ONE_READING = re.compile(r"[0-9]+(\.([0-9]{1,2}|[0-9]{4,}))?")
SPACE = " \t\n\r\x0b\x0c"


@given(st.one_of(st.text(alphabet="0123456789.,-+e _Rp\t"), TEXTS))
def test_an_amount_has_one_reading_or_is_refused(text: str) -> None:
    """DESIGN 5.3: `147000.00` is one, `150.000` and `1,5` are two."""
    amount, _, field = refusal_of(check_kind, "amount", text, "params.value")
    plain = text.strip(SPACE)
    if ONE_READING.fullmatch(plain) and Decimal(plain) < 10**15 and float(plain) < 1e15:
        assert amount == float(plain)
    else:
        assert (amount, field) == (None, "params.value")


@given(st.one_of(HOSTILE, st.floats()))
def test_what_is_an_amount_stays_one(value: object) -> None:
    """Read again it is the same, it is no negative one, and whole rupiah are whole."""
    amount, _, _ = refusal_of(check_kind, "amount", value, "value")
    if amount is not None:
        assert 0 <= amount < 1e15
        assert check_kind("amount", amount, "value") == amount
        assert money(amount, "IDR") == int(money(amount, "IDR"))
        assert abs(money(amount, "IDR") - amount) <= 0.5


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10), st.binary(min_size=10))
def test_event_ids_are_unique_and_in_the_order_of_their_times(
    now_ms: int, chance: bytes, other: bytes
) -> None:
    """RFC 9562, version 7; the time comes first and the rest is chance."""
    made = uuid7(now_ms, chance)
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made
    )
    assert int(made.replace("-", "")[:12], 16) == now_ms
    if now_ms:
        assert uuid7(now_ms - 1, other[:10]) < made


@given(TEXTS.filter(bool), TEXTS.filter(bool), st.sampled_from(["purchase", "refund", "login"]))
def test_an_id_given_by_the_caller_is_sent_as_it_is(given_id: str, order: str, name: str) -> None:
    """And one made of the order's ID is each system's own, by one rule."""
    params = {"id": order}
    template = "{order_id}-{event_name}-FORM"
    event = {"event_name": name, "params": params, "event_id": given_id}
    ours = event_id(name, params, "")
    assert given_id == ours or sent_as(event, "Purchase", template) == given_id
    if name != "login":
        made = sent_as({**event, "event_id": ours}, "Purchase", template)
        assert made.startswith(order.partition("{event_name}")[0])
        assert made.endswith("-Purchase-FORM")
