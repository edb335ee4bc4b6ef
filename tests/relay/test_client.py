"""`pixelmirror.client` and the relay: they check alike, and what the one sends the other stores."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pixelmirror.catalogue import EVENTS
from pixelmirror.client import AsyncRelay, EventError, Refused, Relay, Unreachable
from tests.relay.process_shop import KEY as PROCESS_KEY
from tests.relay.process_shop import SCALEV, relay
from tests.relay.processes import RelayProcess
from tests.relay.relay_stage import EVENT, HOST, KEY, NOW, SITE, Stage, site, stage
from tests.unit.samples import params

REPO = Path(__file__).parents[2]


def client(toko: Stage, secret: str = KEY, **settings: Any) -> Relay:
    """A client of this relay, at its clock; it has one try."""

    def ask(request: httpx.Request) -> httpx.Response:
        return asked(toko, request)

    usual: dict[str, Any] = {"now_ms": lambda: toko.now_ms, "tries": 1}
    transport = httpx.MockTransport(ask)
    return Relay(f"https://{HOST}", "toko", secret, transport=transport, **{**usual, **settings})


def asked(toko: Stage, request: httpx.Request) -> httpx.Response:
    """The relay's answer to a client's request."""
    told: dict[str, Any] = {"content": request.read(), "headers": dict(request.headers)}
    answer = toko.ask(request.method, request.url.path, **told)
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def ours(toko: Stage) -> Relay:
    return client(toko)


def row(name: str, **fields: Any) -> dict[str, Any]:
    """An event as a server may send it by hand."""
    needed = {"event_id": f"{name}-1", "event_time": NOW - 1000, "params": params(name)}
    return {**EVENT, **needed, "event_name": name, **fields}


# --- what is stored ---


@pytest.mark.parametrize("name", EVENTS)
def test_the_relay_stores_of_each_event_what_it_would_without_the_client(
    tmp_path: Path, name: str
) -> None:
    """Checked here and there, derived here or there: it is the same event."""
    found = []
    for way in ("client", "by hand"):
        (tmp_path / way).mkdir()
        with stage(tmp_path / way, site()) as toko:
            if way == "client":
                assert client(toko).send([row(name)]) == [f"{name}-1"]
            else:
                assert toko.server({"site": "toko", "events": [row(name)]}).status_code == 204
            found.append(toko.stored("scalev.meta") or toko.stored() or toko.rows())
    assert found[0] == found[1]
    assert found[0]


def test_a_purchase_has_the_page_s_event_id_the_sites_currency_and_the_shopper(
    toko: Stage, ours: Relay
) -> None:
    """And no address or user agent but the shopper's."""
    shopper = {"ip": "203.0.113.99", "user_agent": "Mozilla/5.0 (iPhone)"}
    told = params("purchase")
    assert ours.track("purchase", told, user=EVENT["user"], client=shopper) == "ORD-77-purchase"
    (stored,) = toko.stored("scalev.meta")
    assert stored["event_id"] == "ORD-77-purchase"
    assert stored["params"]["currency"] == "IDR"
    assert stored["client"] == shopper
    assert stored["event_time"] == NOW


def test_rupiah_are_whole_whether_or_not_the_client_knew_of_them(toko: Stage, ours: Relay) -> None:
    """The site's currency is the relay's to fill in, and to round by."""
    ours.track("purchase", {**params("purchase"), "value": 147000.4})
    (stored,) = toko.stored("scalev.meta")
    assert (stored["params"]["value"], stored["params"]["revenue"]) == (147000, 147000)


def test_what_is_sent_again_is_stored_once(toko: Stage, ours: Relay) -> None:
    event = ours.event("purchase", params("purchase"))
    ours.send([event])
    ours.send([event, event])
    assert len(toko.rows(destination="tracify")) == 1


def test_1200_events_are_stored_by_three_requests(toko: Stage, ours: Relay) -> None:
    """The relay takes the largest request that the client makes."""
    event_ids = ours.send(row("add_to_cart", event_id=f"e{n}") for n in range(1200))
    assert len(set(event_ids)) == 1200
    waiting = toko.rows(destination="tracify", limit=1000)
    assert len(waiting) == 1000  # the most that one question gets
    assert toko.rows(event_id="e1199", destination="tracify")


def test_consent_that_is_not_told_is_the_sites_setting(tmp_path: Path) -> None:
    with stage(tmp_path, site(consent="required")) as toko:
        ours = client(toko)
        ours.track("add_to_cart", params("add_to_cart"), event_id="a")
        ours.track("add_to_cart", params("add_to_cart"), event_id="b", consent="granted")
        reasons = {
            each["event_id"]: each["reason"] for each in toko.rows(destination="scalev.meta")
        }
    assert reasons == {"a": "consent awaited", "b": ""}


# --- what is refused ---

WRONG: list[dict[str, Any]] = [
    row("add_to_card"),
    row("add_to_cart", params={"items": []}),
    row("add_to_cart", params={"items": [{"id": "v"}]}),
    row("add_to_cart", params={**EVENT["params"], "currency": "idr1"}),
    row("purchase", params={"value": "150.000", "id": "1"}),
    row("login", params=[]),
    row("login", user={"phone": "12"}),
    row("login", user={"emial": "hush"}),
    row("login", user=7),
    row("login", page={"url": 7}),
    row("login", attribution=[]),
    row("login", attribution={"fbp": "x" * 9000}),
    row("login", consent={"status": "yes"}),
    row("login", consent={"status": "granted", "categories": "1"}),
    row("login", client={"user_agent": {}}),
    row("login", visitor_id=""),
    row("login", event_id="x" * 201),
    row("login", event_time=NOW // 1000),
    row("login", destinations="meta"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: str(one["event_name"]))
def test_both_refuse_the_same_with_the_same_field_and_words(
    shared: Stage, wrong: dict[str, Any]
) -> None:
    """The client before it sends, the relay when it reads."""
    with pytest.raises(EventError) as caught:
        client(shared).send([wrong])
    answer = shared.server({"site": "toko", "events": [wrong]}).json()["error"]
    assert (caught.value.field, str(caught.value)) == (answer["field"], answer["message"])


def test_what_only_the_relay_knows_it_refuses_by_field_and_nothing_is_stored(
    toko: Stage,
) -> None:
    """An event that this client was told of, and the site file was not."""
    ours = client(toko, custom_events=["quiz"])
    with pytest.raises(Refused) as caught:
        ours.send([row("login"), {"event_name": "quiz", "event_id": "q"}])
    assert (caught.value.status, caught.value.code) == (422, "invalid_event")
    assert caught.value.field == "events[1].event_name"
    assert caught.value.not_stored == ("login-1", "q")
    assert toko.rows() == []


def test_a_wrong_key_is_refused_at_once(toko: Stage) -> None:
    with pytest.raises(Refused) as caught:
        client(toko, "another-key", tries=5).track("login")
    assert (caught.value.status, caught.value.code) == (401, "unknown_key")
    assert "another-key" not in str(caught.value)


def test_a_relay_that_asks_for_patience_gets_it(tmp_path: Path) -> None:
    """Too many requests: the client waits as long as it is told to, and all are stored."""
    with stage(tmp_path, site({**SITE, "rate_limit": 1})) as toko:

        def sleep(seconds: float) -> None:
            toko.seconds += seconds

        ours = client(toko, tries=5, sleep=sleep, chance=lambda: 0.0)
        for n in range(12):
            ours.track("add_to_cart", params("add_to_cart"), event_id=f"e{n}")
        assert toko.seconds >= 12 - 4  # bursts of four
        assert len(toko.rows(destination="tracify")) == 12


# --- over real sockets ---


@pytest.fixture
def process(tmp_path: Path) -> Iterator[RelayProcess]:
    """A relay that is not started yet, of a shop whose systems are away."""
    one = relay(tmp_path, "toko", SCALEV, "http://127.0.0.1:9")
    yield one
    one.close()


def test_what_is_told_while_the_relay_starts_is_stored_when_it_has(process: RelayProcess) -> None:
    """The first try finds nobody; the relay comes up while the client waits."""
    waits = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        process.start()

    with Relay(process.url, "toko", PROCESS_KEY, sleep=sleep) as ours:
        event_id = ours.track("add_to_cart", params("add_to_cart"))
        assert len(waits) == 1
        assert {each["event_id"] for each in process.rows()} == {event_id}
        process.end()
        with pytest.raises(Unreachable, match="ConnectError") as caught:
            Relay(process.url, "toko", PROCESS_KEY, tries=1).track("login", event_id="e1")
        assert caught.value.not_stored == ("e1",)


def test_asyncio_sends_many_at_once_and_each_is_stored(process: RelayProcess) -> None:
    """One client for all tasks of a process."""

    async def send() -> list[str]:
        async with AsyncRelay(process.url, "toko", PROCESS_KEY) as ours:
            told = [ours.track("add_to_cart", params("add_to_cart")) for _ in range(20)]
            return list(await asyncio.gather(*told))

    process.start()
    event_ids = asyncio.run(send())
    assert len(set(event_ids)) == 20
    assert {each["event_id"] for each in process.rows()} == set(event_ids)


# --- the README ---


def test_the_readmes_example_runs_as_it_stands(
    toko: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against this relay; only the way to it is ours."""
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    (part,) = re.findall(r"### From Python on the server\n(.*?)\n##", readme, re.DOTALL)
    (example,) = re.findall(r"```python\n(.*?)```", part, re.DOTALL)

    def ask(_: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        return asked(toko, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", ask)
    monkeypatch.setenv("TOKO_SECRET", KEY)
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - our own text
    assert {each["event_id"] for each in toko.rows()} >= {"ORD-77-purchase"}
