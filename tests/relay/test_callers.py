"""Who is calling, and how often he may (DESIGN 5.2, 5.4)."""

from __future__ import annotations

import pytest

from relay import callers
from relay.callers import RateLimit, SiteLimit, host_of, network, peer_ip
from relay.refusals import Refusal


def taken(
    limit: RateLimit | SiteLimit, times: int, now_s: float, client: str = "203.0.113.7"
) -> int:
    """How many of so many requests at this moment were let in."""
    count = 0
    for _ in range(times):
        try:
            limit.check(client, now_s)
        except Refusal:
            continue
        count += 1
    return count


def test_a_burst_is_four_times_the_rate() -> None:
    """A page that comes back after a while has much to say at once."""
    assert taken(RateLimit(50), 300, 0) == 200


def test_the_rate_is_what_comes_back_each_second() -> None:
    """Not more than a burst, however long nobody came."""
    limit = RateLimit(50)
    taken(limit, 200, 0)
    assert taken(limit, 300, 1) == 50
    assert taken(limit, 300, 1.1) == 5
    assert taken(limit, 300, 1000) == 200


def test_who_keeps_asking_still_gets_the_rate() -> None:
    """A refused request costs nothing: else a busy office would never get in again."""
    limit = RateLimit(2)
    taken(limit, 8, 0)
    assert sum(taken(limit, 1, 0.05 * step) for step in range(1, 201)) == 20


def test_each_client_has_its_own() -> None:
    """One shopper's bot does not lock out another shopper."""
    limit = RateLimit(1)
    assert taken(limit, 9, 0) == 4
    assert taken(limit, 9, 0, "203.0.113.8") == 4


def test_0_is_no_limit() -> None:
    """And nothing is remembered of anyone."""
    limit = RateLimit(0)
    assert taken(limit, 10_000, 0) == 10_000
    assert not limit.buckets


@pytest.mark.parametrize(("rate", "now_s", "wait_s"), [(1, 0, 1), (50, 0, 1), (1, 0.9, 1)])
def test_a_refusal_says_when_to_come_again(rate: int, now_s: float, wait_s: int) -> None:
    """In whole seconds, and then it is let in."""
    limit = RateLimit(rate)
    taken(limit, 4 * rate, 0)
    with pytest.raises(Refusal) as caught:
        limit.check("203.0.113.7", now_s)
    assert (caught.value.code, caught.value.retry_after_s) == ("rate_limited", wait_s)
    limit.check("203.0.113.7", now_s + wait_s)


def test_only_so_many_clients_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one not seen for longest is forgotten: addresses are cheap, memory is not."""
    monkeypatch.setattr(callers, "MAX_CLIENTS", 3)
    limit = RateLimit(1)
    for client in ("a", "b", "a", "c", "d"):
        limit.check(client, 0)
    assert list(limit.buckets) == ["a", "c", "d"]


def test_what_is_too_long_for_a_host_is_none_and_not_remembered() -> None:
    """Thousands of hosts and addresses are, so each of them must be small."""
    longest = b"a" * 253 + b":65535"
    assert host_of(longest) == longest.decode()
    assert host_of(b"a" + longest) == ""
    assert peer_ip("203.0.113.7") == "203.0.113.7"
    assert peer_ip("fe80::1%" + "z" * 1000) == ""


# --- one client, one site ---


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::7", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_line_of_ipv6_is_one_client(address: str, counted_as: str) -> None:
    """Whoever has one address of a /64 has them all."""
    assert network(address) == counted_as


def test_a_site_has_its_own_ceiling() -> None:
    """However many clients ask: 20 times the rate, and the burst of it; servers not counted."""
    limit = SiteLimit(60)
    clients = [f"203.0.{n // 256}.{n % 256}" for n in range(5000)]
    assert sum(taken(limit, 1, 0, client) for client in clients) == 4 * 20 * 60
    assert sum(taken(limit, 1, 1, client) for client in clients) == 20 * 60
    limit.check("203.0.113.9", 1, is_server=True)


def test_a_low_rate_of_a_client_is_no_low_ceiling_of_the_site() -> None:
    """A busy shop has thousands of shoppers, who ask once each."""
    limit = SiteLimit(2)
    assert sum(taken(limit, 1, 0, str(client)) for client in range(5000)) == 4 * 1000
    assert taken(SiteLimit(0), 9000, 0) == 9000
