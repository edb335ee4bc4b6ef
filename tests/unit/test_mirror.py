"""The mirror: written ahead, sent in order, one request at a time, kept until the relay's 204."""

from pixelmirror import mirror
from tests.unit.mirror_stage import Stage, event, uuids
from tests.unit.samples import NOW_MS

# --- sending ---


def test_an_event_is_written_ahead_before_it_is_sent() -> None:
    """DESIGN 2: written ahead in the page, then posted, under the UUID of its call."""
    stage = Stage()
    stage.keep("a")
    assert stage.page.verbs() == ["write"]
    assert stage.page.entry("a") == {"event": event("a"), "by": "page-1", "at": NOW_MS}
    stage.mirror.flush()
    assert stage.page.verbs() == ["write", "post"]


def test_the_body_is_the_documented_one() -> None:
    """DESIGN 5.4: `{"sent_at", "events"}`, and the domain on which the relay renews our cookies."""
    stage = Stage()
    stage.mirror.cookie_domain = "toko.example"
    stage.keep("a", "b")
    stage.page.clock_ms = NOW_MS + 500
    stage.mirror.flush()
    [[body]] = stage.page.done("post")
    assert body == {
        "sent_at": NOW_MS + 500,
        "cookie_domain": "toko.example",
        "events": [event("a"), event("b")],
    }, body


def test_an_event_is_kept_until_204() -> None:
    """DESIGN 2: an event leaves the page's storage when the relay has said 204, not before."""
    stage = Stage()
    stage.keep("a", "b")
    stage.mirror.flush()
    assert stage.kept() == ["a", "b"]
    assert stage.fates == []
    stage.page.answer(204)
    assert stage.kept() == []
    assert stage.fates == [("a", "stored"), ("b", "stored")]


def test_one_request_at_a_time_and_in_order() -> None:
    """What comes meanwhile waits for the answer, and goes in the order of the calls."""
    stage = Stage()
    for uuid in ("a", "b", "c"):
        stage.keep(uuid)
        stage.mirror.flush()
    assert uuids(stage.page.answer(204)) == ["a"]
    assert uuids(stage.page.answer(204)) == ["b", "c"]
    assert stage.page.request is None
    stage.mirror.flush()
    assert stage.page.request is None, "nothing waits, so nothing is sent"


def test_a_request_is_one_that_the_relay_takes() -> None:
    """A request holds 500 events and 150 000 characters at most, but always one event."""
    stage = Stage()
    stage.keep(*[str(i) for i in range(1000, 2030)])
    stage.mirror.flush()
    counts = []
    while stage.page.request:
        counts.append(len(stage.page.answer(204)["events"]))
    assert counts == [500, 500, 30]
    long = event("long", title="x" * 90000)
    for name in ("a", "b", "c"):
        stage.mirror.keep(name, dict(long, event_id="page_view_" + name))
    stage.mirror.keep("huge", event("huge", title="x" * 200000))
    stage.mirror.flush()
    bodies = []
    while stage.page.request:
        bodies.append(uuids(stage.page.answer(204)))
    assert bodies == [["a"], ["b"], ["c"], ["huge"]], bodies


def test_the_limits_are_those_that_browser_and_relay_set() -> None:
    """A browser sends on 64 KiB after the page; the relay takes 512 KiB, 3 bytes a character."""
    assert mirror.MAX_LEAVING * mirror.MOST_LEAVING < 64 * 1024
    assert mirror.MAX_CHARACTERS * 3 < 512 * 1024


# --- answers that are no 204 ---


def test_what_was_not_stored_goes_again_after_a_growing_wait() -> None:
    """DESIGN 5.4: on 5xx, 429 or no answer the tracker keeps the events, and waits ever longer."""
    for status in (0, 401, 403, 404, 408, 429, 500, 503):
        stage = Stage()
        stage.keep("a")
        stage.mirror.flush()
        waits = []
        for _ in range(7):
            stage.page.answer(status)
            assert stage.page.request is None, status
            waits.append(stage.page.timers[0][0])
            stage.page.ring()
        assert waits == [1000, 2000, 5000, 15000, 60000, 60000, 60000], (status, waits)
        assert uuids(stage.page.answer(204)) == ["a"], status
        assert stage.kept() == [], status


def test_the_wait_begins_anew_after_a_204() -> None:
    """One success ends the back-off."""
    stage = Stage()
    stage.keep("a")
    stage.mirror.flush()
    for status in (503, 503, 204):
        stage.page.answer(status)
        if status != 204:
            stage.page.ring()
    stage.keep("b")
    stage.mirror.flush()
    stage.page.answer(503)
    assert stage.page.timers[0][0] == 1000


def test_retry_after_is_obeyed_when_it_is_longer() -> None:
    """DESIGN 5.4: `Retry-After` in seconds; it never shortens our wait, and is an hour at most."""
    for retry_after, wait_ms in (
        ("", 1000),
        ("0", 1000),
        ("1", 1000),
        ("7", 7000),
        (" 30 ", 30000),
        ("999999", 3600000),
        ("Fri, 21 Nov 2025 10:00:00 GMT", 1000),
        ("-5", 1000),
        ("1.5", 1000),
    ):
        stage = Stage()
        stage.keep("a")
        stage.mirror.flush()
        stage.page.answer(429, retry_after)
        assert stage.page.done("later") == [[wait_ms]], (retry_after, stage.page.done("later"))


def test_nothing_is_sent_during_the_wait() -> None:
    """A new event during the wait is kept, and goes behind the older ones."""
    stage = Stage()
    stage.keep("a")
    stage.mirror.flush()
    stage.page.answer(503)
    stage.keep("b")
    stage.mirror.flush()
    assert stage.page.request is None
    assert ("a", "kept") in stage.fates
    stage.page.ring()
    assert uuids(stage.page.answer(204)) == ["a", "b"]


def test_a_refused_request_is_narrowed_down_to_the_bad_event() -> None:
    """422: nothing of the request is stored, so ever fewer go until the bad one shows."""
    for status in (400, 413, 415, 422):
        stage = Stage()
        stage.keep("a", "bad", "c", "d")
        stage.mirror.flush()
        requests = []
        while stage.page.request:
            sent = uuids(stage.page.request[0])
            requests.append(sent)
            stage.page.answer(status if "bad" in sent else 204)
        expected = [["a", "bad", "c", "d"], ["a", "bad"], ["a"], ["bad"], ["c", "d"]]
        assert requests == expected, requests
        assert stage.fates == [
            ("a", "stored"),
            ("bad", "refused"),
            ("c", "stored"),
            ("d", "stored"),
        ]
        assert stage.kept() == [], "it would be refused again"
        said = "the relay refuses page_view (" + str(status) + ")"
        assert stage.page.done("say") == [[said]], stage.page.done("say")


def test_one_of_two_events_may_be_the_bad_one() -> None:
    """The narrowing begins with two events already."""
    stage = Stage()
    stage.keep("a", "bad")
    stage.mirror.flush()
    while stage.page.request:
        stage.page.answer(422 if "bad" in uuids(stage.page.request[0]) else 204)
    assert stage.fates == [("a", "stored"), ("bad", "refused")]


def test_two_bad_events_are_both_found() -> None:
    """Each bad event is refused alone; every good one is stored."""
    stage = Stage()
    stage.keep("bad-1", "b", "bad-2", "d")
    stage.mirror.flush()
    while stage.page.request:
        is_bad = [uuid for uuid in uuids(stage.page.request[0]) if uuid.startswith("bad")]
        stage.page.answer(422 if is_bad else 204)
    assert sorted(stage.fates) == [
        ("b", "stored"),
        ("bad-1", "refused"),
        ("bad-2", "refused"),
        ("d", "stored"),
    ]
