"""The mirror: written ahead, sent in order, one request at a time, kept until the relay's 204."""

from pixelmirror import mirror
from pixelmirror.anything import Any
from pixelmirror.mirror import Mirror
from tests.unit.fake_page import Browser, FakePage
from tests.unit.samples import NOW_MS

DAY_MS = 24 * 60 * 60 * 1000


class Stage:
    """A page with its mirror; `fates` is what the mirror said of each event."""

    def __init__(
        self, browser: Any = None, page_id: str = "page-1", clock_ms: int = NOW_MS
    ) -> None:
        self.page = FakePage(browser, page_id)
        self.page.clock_ms = clock_ms
        self.fates: list[Any] = []
        self.mirror = Mirror(self.page, lambda uuid, fate: self.fates.append((uuid, fate)))

    def keep(self, *uuids: str) -> None:
        for uuid in uuids:
            self.mirror.keep(uuid, event(uuid))

    def kept(self) -> list[str]:
        return sorted(self.page.browser.stored)

    def next_page(self, page_id: str = "page-2") -> Any:
        return Stage(self.page.browser, page_id, self.page.clock_ms)

    def taken_over(self) -> list[str]:
        return [uuid for uuid, _ in self.mirror.left_over()]


def event(uuid: str, **fields: Any) -> dict[str, Any]:
    return dict(
        {"event_id": "page_view_" + uuid, "event_name": "page_view", "event_time": NOW_MS}, **fields
    )


def uuids(body: Any) -> list[str]:
    return [event["event_id"][len("page_view_") :] for event in body["events"]]


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
    """DESIGN 5.4: `{"sent_at", "events"}`, with the domain on which the relay renews our cookies."""
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


def test_a_request_is_small_enough_to_outlive_the_page() -> None:
    """A request holds 100 events and 20 000 characters at most, but always one event."""
    stage = Stage()
    stage.keep(*[str(i) for i in range(1000, 1230)])
    stage.mirror.flush()
    counts = []
    while stage.page.request:
        counts.append(len(stage.page.answer(204)["events"]))
    assert counts == [100, 100, 30]
    long = event("long", title="x" * 12000)
    for name in ("a", "b", "c"):
        stage.mirror.keep(name, dict(long, event_id="page_view_" + name))
    stage.mirror.keep("huge", event("huge", title="x" * 30000))
    stage.mirror.flush()
    bodies = []
    while stage.page.request:
        bodies.append(uuids(stage.page.answer(204)))
    assert bodies == [["a"], ["b"], ["c"], ["huge"]], bodies


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
    """422: nothing of the request is stored, so the events go one by one until the bad one shows."""
    for status in (400, 413, 415, 422):
        stage = Stage()
        stage.keep("a", "bad", "c", "d")
        stage.mirror.flush()
        requests = []
        while stage.page.request:
            sent = uuids(stage.page.request[0])
            requests.append(sent)
            stage.page.answer(status if "bad" in sent else 204)
        assert requests == [["a", "bad", "c", "d"], ["a"], ["bad"], ["c", "d"]], requests
        assert stage.fates == [
            ("a", "stored"),
            ("bad", "refused"),
            ("c", "stored"),
            ("d", "stored"),
        ]
        assert stage.kept() == [], "it would be refused again"
        said = "the relay refuses page_view (" + str(status) + ")"
        assert stage.page.done("say") == [[said]], stage.page.done("say")


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


# --- what an earlier page left behind ---


def test_what_was_not_acknowledged_goes_again_from_the_next_page() -> None:
    """DESIGN 5.3: the next page sends it under the same ID, in the order in which it happened."""
    stage = Stage()
    stage.mirror.keep("b", event("b", event_time=NOW_MS + 2))
    stage.mirror.keep("a", event("a", event_time=NOW_MS + 1))
    stage.mirror.leave()
    then = stage.next_page()
    assert then.mirror.left_over() == [
        ("a", {"event": event("a", event_time=NOW_MS + 1), "by": None, "at": NOW_MS}),
        ("b", {"event": event("b", event_time=NOW_MS + 2), "by": None, "at": NOW_MS}),
    ]


def test_events_of_one_millisecond_keep_their_order() -> None:
    """UUIDs of version 7 are in the order of the calls: they decide between equal times."""
    stage = Stage()
    stage.keep("0199-c", "0199-a", "0199-b")
    stage.mirror.leave()
    assert stage.next_page().taken_over() == ["0199-a", "0199-b", "0199-c"]


def test_a_living_page_takes_care_of_its_own() -> None:
    """Of several tabs only one sends each event: another's are left alone, for 30 seconds."""
    stage = Stage()
    stage.keep("a")
    for passed_ms, expected in ((0, []), (30000, []), (30001, ["a"])):
        stage.page.clock_ms = NOW_MS + passed_ms
        assert stage.next_page().taken_over() == expected, passed_ms
        assert stage.taken_over() == [], "its own are not left over"


def test_what_another_page_has_taken_over_is_not_ours() -> None:
    """A call that another page sends is not sent by this one too."""
    stage = Stage()
    stage.keep("a", "b")
    assert stage.mirror.is_ours("a")
    stage.mirror.leave()
    assert stage.mirror.is_ours("a"), "nobody's yet"
    then = stage.next_page()
    then.keep("a")
    assert not stage.mirror.is_ours("a")
    assert then.mirror.is_ours("a")
    then.mirror.forget("b")
    assert not stage.mirror.is_ours("b"), "no longer kept"


def test_events_are_kept_for_seven_days() -> None:
    """What is older than 7 days is too old for every destination, however often it was tried."""
    for age_ms, expected in ((7 * DAY_MS, ["a"]), (7 * DAY_MS + 1, [])):
        stage = Stage()
        stage.keep("a")
        stage.mirror.leave()
        stage.page.clock_ms = NOW_MS + 3 * DAY_MS
        between = stage.next_page("page-2")
        between.keep(*between.taken_over())
        between.mirror.leave()
        between.page.clock_ms = NOW_MS + age_ms
        last = between.next_page("page-3")
        assert last.taken_over() == expected, age_ms
        assert last.kept() == expected, age_ms


def test_calls_that_python_never_saw_are_left_over_too() -> None:
    """DESIGN 5.3: an entry may be a raw call of a page that left before Python was up."""
    browser = Browser()
    old = NOW_MS - 7 * DAY_MS - 1
    page = FakePage(browser)
    page.write("young", {"call": {"time": NOW_MS, "args": ["page"]}, "by": None, "at": NOW_MS})
    page.write("old", {"call": {"time": old, "args": ["page"]}, "by": None, "at": NOW_MS})
    page.write("neither", {"by": None, "at": NOW_MS})
    assert Stage(browser).taken_over() == ["young"]
    assert list(browser.stored) == ["young"]


def test_at_most_200_events_are_kept_and_the_oldest_go_first() -> None:
    """A relay that is gone for good does not fill the shop's storage; the loss is said once."""
    stage = Stage()
    for i in range(203):
        stage.mirror.keep(str(1000 + i), event(str(1000 + i), event_time=NOW_MS + i))
    stage.mirror.leave()
    then = stage.next_page()
    left = then.taken_over()
    assert (len(left), left[0], left[-1]) == (200, "1003", "1202")
    assert len(then.kept()) == 200
    said = "3 events were never taken by the relay and are dropped"
    assert then.page.done("say") == [[said]], then.page.done("say")


# --- leaving and coming back ---


def test_a_page_that_leaves_hands_over_what_waits() -> None:
    """What waits is beaconed; all that is not acknowledged may be taken over by the next page."""
    stage = Stage()
    stage.keep("a")
    stage.mirror.flush()
    stage.keep("b", "c")
    stage.mirror.leave()
    assert [uuids(body) for [body] in stage.page.done("beacon")] == [["b", "c"]]
    assert stage.kept() == ["a", "b", "c"]
    assert stage.next_page().taken_over() == ["a", "b", "c"]


def test_a_page_with_nothing_to_send_leaves_quietly() -> None:
    """Without anything that waits there is no beacon."""
    stage = Stage()
    stage.mirror.leave()
    stage.keep("a")
    stage.mirror.flush()
    stage.mirror.leave()
    assert stage.page.done("beacon") == []
    assert stage.page.entry("a")["by"] is None


def test_an_answer_after_leaving_still_counts() -> None:
    """A page that was only hidden goes on: a 204 ends the event."""
    stage = Stage()
    stage.keep("a")
    stage.mirror.flush()
    stage.mirror.leave()
    stage.page.answer(204)
    assert stage.kept() == []
    assert stage.next_page().taken_over() == []


def test_a_page_that_comes_back_sends_what_is_still_its_own() -> None:
    """Out of the back/forward cache: what another page took over is its, the rest goes in order."""
    stage = Stage()
    stage.keep("a")
    stage.mirror.flush()
    stage.keep("b", "c")
    stage.mirror.leave()
    stage.page.request = None  # the browser has dropped it
    then = stage.next_page()
    then.keep("b")
    stage.mirror.come_back()
    assert uuids(stage.page.answer(204)) == ["a", "c"]
    assert stage.kept() == ["b"]
    assert stage.page.entry("b")["by"] == "page-2"


def test_a_page_that_comes_back_does_not_wait_any_longer() -> None:
    """The back-off ends when the page returns: the network may be back too."""
    stage = Stage()
    stage.keep("a")
    stage.mirror.flush()
    stage.page.answer(0)
    stage.mirror.leave()
    stage.mirror.come_back()
    assert uuids(stage.page.answer(204)) == ["a"]
    stage.page.ring()
    assert stage.page.request is None


# --- consent withdrawn ---


def test_withdrawn_consent_ends_all_that_waits() -> None:
    """DESIGN 5.3: after a refusal nothing that waits is sent, from this page or another."""
    stage = Stage()
    FakePage(stage.page.browser).write("other", {"event": event("other"), "by": None, "at": NOW_MS})
    stage.keep("a")
    stage.mirror.flush()
    stage.keep("b")
    stage.mirror.forget_all()
    assert stage.kept() == []
    for status in (503, 422):
        if stage.page.request:
            stage.page.answer(status)
        while stage.page.timers:
            stage.page.ring()
    assert [uuids(body) for [body] in stage.page.done("post")] == [["a"]]
    assert stage.next_page().taken_over() == []


def test_forgetting_one_event_keeps_the_others() -> None:
    """A call that became no event leaves nothing behind."""
    stage = Stage()
    stage.page.write("a", {"call": {"time": NOW_MS}, "by": "page-1", "at": NOW_MS})
    stage.keep("b")
    stage.mirror.forget("a")
    assert stage.kept() == ["b"]


def test_the_limits_are_those_that_the_browser_sets() -> None:
    """A body of 20 000 characters is under the 64 KiB that a browser sends on after the page."""
    assert mirror.MAX_CHARACTERS * 3 < 64 * 1024
