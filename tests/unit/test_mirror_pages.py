"""The mirror over several pages: left behind, taken over, come back, consent withdrawn."""

import json

from pixelmirror import entries, mirror
from tests.unit.fake_page import Browser, FakePage
from tests.unit.mirror_stage import Stage, event, uuids
from tests.unit.samples import NOW_MS

DAY_MS = 24 * 60 * 60 * 1000

# --- what an earlier page left behind ---


def test_what_was_not_acknowledged_goes_again_from_the_next_page() -> None:
    """DESIGN 5.3: the next page sends it under the same ID, in the order in which it happened."""
    stage = Stage()
    stage.mirror.keep("b", event("b", event_time=NOW_MS + 2))
    stage.mirror.keep("a", event("a", event_time=NOW_MS + 1))
    stage.mirror.leave()
    then = stage.next_page()
    assert then.taken_over() == ["a", "b"]
    happened = event("a", event_time=NOW_MS + 1)
    assert then.page.entry("a") == {"event": happened, "by": None, "at": NOW_MS}


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
    assert stage.mirror.entries.is_ours("a")
    stage.mirror.leave()
    assert stage.mirror.entries.is_ours("a"), "nobody's yet"
    then = stage.next_page()
    then.keep("a")
    assert not stage.mirror.entries.is_ours("a")
    assert then.mirror.entries.is_ours("a")
    then.mirror.entries.forget("b")
    assert not stage.mirror.entries.is_ours("b"), "no longer kept"


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


def test_at_most_1000_events_are_kept_and_the_oldest_go_first() -> None:
    """A relay that is gone for good does not fill the shop's storage; the loss is said once."""
    stage = Stage()
    for i in range(1003):
        stage.mirror.keep(str(1000 + i), event(str(1000 + i), event_time=NOW_MS + i))
    stage.mirror.leave()
    then = stage.next_page()
    left = then.taken_over()
    assert (len(left), left[0], left[-1]) == (1000, "1003", "2002")
    assert len(then.kept()) == 1000
    said = "3 events were never taken by the relay and are dropped"
    assert then.page.done("say") == [[said]], then.page.done("say")


def test_what_was_left_is_taken_a_few_at_a_time() -> None:
    """The page has its turn between them, and the order stays."""
    stage = Stage()
    stage.keep(*[str(1000 + i) for i in range(entries.AT_ONCE * 2 + 5)])
    stage.mirror.leave()
    then = stage.next_page()
    taken: list[str] = []
    then.mirror.entries.take_over(lambda key, entry: taken.append(key), lambda: None)
    assert then.page.tasks == 2, "after the first few, those that follow"
    assert taken == [str(1000 + i) for i in range(entries.AT_ONCE * 2 + 5)]


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


def test_a_page_that_leaves_hands_over_what_the_browser_takes() -> None:
    """It sends on 64 KiB, in requests small enough; what does not fit is the next page's."""
    stage = Stage()
    for i in range(200):
        stage.mirror.keep(str(1000 + i), event(str(1000 + i), title="x" * 900))
    stage.mirror.leave()
    bodies = [body for [body] in stage.page.done("beacon")]
    counts = [len(body["events"]) for body in bodies]
    assert len(bodies) == mirror.MOST_LEAVING, counts
    assert sum([len(json.dumps(body)) for body in bodies]) < 60000
    assert min(counts) > 10, counts
    assert bodies[1]["events"][0]["event_id"] == "page_view_" + str(1000 + counts[0])
    assert len(stage.next_page().taken_over()) == 200


def test_what_the_browser_would_not_send_on_is_handed_over_again() -> None:
    """A request larger than what it sends on ends with the page."""
    stage = Stage()
    for i in range(100):
        stage.mirror.keep(str(1000 + i), event(str(1000 + i), title="x" * 900))
    stage.mirror.flush()
    assert len(stage.page.request[0]["events"]) == 100
    stage.mirror.leave()
    [first] = stage.page.done("beacon")[0]
    assert first["events"][0]["event_id"] == "page_view_1000"


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
    assert [stage.page.entry(uuid)["by"] for uuid in "abc"] == ["page-1", "page-2", "page-1"]
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
    stage.mirror.entries.forget("a")
    assert stage.kept() == ["b"]
