"""Calls into events: `track`, `page`, `identify`, `reset` and `consent`, in their order."""

from pixelmirror import consent_rules
from pixelmirror.anything import Any
from pixelmirror.calls import Calls
from tests.unit.refused import refused
from tests.unit.samples import NOW_MS, URL, params

SITE = {"currency": "IDR", "custom_events": ["quiz_done"]}


class Caller:
    """A page's calls, each with the next UUID and millisecond."""

    def __init__(
        self, setting: str = "granted", has_gpc: bool = False, on_consent: Any = None
    ) -> None:
        self.cookies: dict[str, str] = {}
        start = consent_rules.initial(setting, "", has_gpc)
        self.calls = Calls(SITE, lambda: self.cookies, start, "5d0c", on_consent)
        self.made = 0

    def call(self, *words: Any) -> dict[str, Any]:
        self.made += 1
        page = {"url": URL + "?ttclid=E.C.P.x", "referrer": "", "title": "Kaos"}
        uuid = "uuid-" + str(self.made)
        return {"uuid": uuid, "time": NOW_MS + self.made, "args": list(words), "page": page}

    def events(self, *words: Any) -> list[dict[str, Any]]:
        return [event for _, event in self.calls.take(self.call(*words))]

    def names(self, *words: Any) -> list[str]:
        return [event["event_name"] for event in self.events(*words)]


def test_a_call_becomes_one_event_with_its_own_time_page_and_uuid() -> None:
    """DESIGN 5.3: an event has the time, the page and the UUID of its call."""
    caller = Caller()
    caller.cookies = {"_fbp": "fb.1.1750000000000.4821"}
    call = caller.call("track", "page_view", {"page_type": "product"}, None)
    [(source, event)] = caller.calls.take(call)
    assert source is call
    assert event == {
        "event_id": "page_view_uuid-1",
        "event_name": "page_view",
        "event_time": NOW_MS + 1,
        "page": {"url": URL + "?ttclid=E.C.P.x", "title": "Kaos"},
        "params": {"page_type": "product"},
        "visitor_id": "5d0c",
        "attribution": {"fbp": "fb.1.1750000000000.4821", "ttclid": "E.C.P.x"},
        "consent": {"status": "granted"},
    }, event


def test_page_is_a_page_view() -> None:
    """DESIGN 5.3: `page` is `track` of a `page_view`; its params are optional."""
    caller = Caller()
    for words in (
        ("page",),
        ("page", None),
        ("page", {"page_type": "other"}, 2, 3, 4),
        ("track", "page_view"),
        ("track", "page_view", None, None, 4, 5),
    ):
        [event] = caller.events(*words)
        assert event["event_name"] == "page_view", words
        assert event["params"] == {"page_type": "other"}, words


def test_options_reach_the_event() -> None:
    """DESIGN 5.3: `event_id` and `destinations` are options of one `track`."""
    [event] = Caller().events(
        "track", "page_view", None, {"event_id": "mine", "destinations": ["meta"]}
    )
    assert (event["event_id"], event["destinations"]) == ("mine", ["meta"])
    for options in ("mine", ["meta"], 5):
        call = Caller().call("track", "page_view", None, options)
        field, _ = refused(Caller().calls.take, call)
        assert field == "options", options


def test_an_unknown_call_is_refused_with_the_known_ones() -> None:
    """A call that is none of ours is refused in words, whatever it is called with."""
    for words, got in (
        (["trak"], "'trak'"),
        ([""], "''"),
        ([], "null"),
        ([None], "null"),
        ([["track"]], "a list of 1"),
        ([{"track": 1}], "an object"),
        ([5], "5"),
    ):
        field, message = refused(Caller().calls.take, Caller().call(*words))
        assert field == "call", words
        start, _, names = message.partition(", known: ")
        assert start == "unknown call " + got, (words, message)
        assert sorted(names.split(", ")) == ["consent", "identify", "page", "reset", "track"]


def test_wrong_events_are_refused() -> None:
    """A wrong event raises the same error as in the relay, and nothing of it is kept."""
    caller = Caller("required")
    for words, expected in (
        (("track",), "event_name"),
        (("track", "add_to_card"), "event_name"),
        (("track", "add_to_cart"), "params.items"),
        (("track", "add_to_cart", {"items": [], "value": "150.000"}), "params.items"),
        (("page", "home"), "params"),
        (("identify", "siti@example.com"), "user"),
        (("consent", "yes"), "consent"),
        (("consent",), "consent"),
    ):
        field, message = refused(caller.calls.take, caller.call(*words))
        assert field == expected, (words, field)
        assert "siti" not in message, message
    assert caller.names("consent", "granted") == []


# --- identify ---


def test_what_is_told_of_the_shopper_goes_with_later_events() -> None:
    """DESIGN 5.3: `identify` is remembered for this page's later events, and added to."""
    caller = Caller()
    [event] = caller.events("page")
    assert "user" not in event
    for told, known in (
        ({"id": 77}, {"id": "77"}),
        ({"email": "siti@example.com"}, {"id": "77", "email": "siti@example.com"}),
        ({"id": "C-78", "city": None}, {"id": "C-78", "email": "siti@example.com"}),
    ):
        assert caller.events("identify", told) == []
        [event] = caller.events("page")
        assert event["user"] == known, (told, event)


def test_null_forgets_the_shopper() -> None:
    """DESIGN 5.3: `identify(null)`, after a logout, forgets what was told; so does `{}`."""
    forgets: Any = (("identify", None), ("identify", {}), ("identify",))
    for words in forgets:
        caller = Caller()
        caller.events("identify", {"id": 77})
        caller.events(*words)
        [event] = caller.events("page")
        assert "user" not in event, words


def test_an_event_keeps_the_user_it_was_built_with() -> None:
    """What is told later changes no earlier event."""
    caller = Caller()
    caller.events("identify", {"id": 77})
    [earlier] = caller.events("page")
    caller.events("identify", {"id": 78})
    assert earlier["user"] == {"id": "77"}


def test_a_wrong_user_leaves_the_known_one() -> None:
    """One wrong field refuses the whole call: nothing half told is remembered."""
    caller = Caller()
    caller.events("identify", {"id": 77})
    refused(caller.calls.take, caller.call("identify", {"id": 78, "email": "nowhere"}))
    [event] = caller.events("page")
    assert event["user"] == {"id": "77"}


# --- reset ---


def test_reset_forgets_the_user_and_makes_a_new_visitor() -> None:
    """A logout: what is called afterwards is somebody else's, under the UUID of the reset."""
    caller = Caller()
    caller.events("identify", {"id": 77})
    [before] = caller.events("page")
    assert caller.events("reset", "siti@example.com") == []
    [after] = caller.events("page")
    assert (before["user"], before["visitor_id"]) == ({"id": "77"}, "5d0c")
    assert (after.get("user"), after["visitor_id"]) == (None, "uuid-3")
    caller.events("identify", {"id": 78})
    caller.events("reset")
    [last] = caller.events("page")
    assert (last.get("user"), last["visitor_id"]) == (None, "uuid-6")


def test_reset_leaves_the_click_ids() -> None:
    """They are of the ad that this browser came by, whoever logs out of the shop."""
    caller = Caller()
    caller.cookies = {"_fbc": "fb.1.1750000000000.AbC", "_fbp": "fb.1.1750000000000.4821"}
    [before] = caller.events("page")
    caller.events("reset")
    [after] = caller.events("page")
    assert after["attribution"] == before["attribution"]
    assert len(after["attribution"]) == 3


def test_a_refusal_ends_the_visitor_of_a_reset_too() -> None:
    """Consent after a withdrawal is a new visitor's, not the one's of before."""
    caller = Caller()
    caller.events("reset")
    assert caller.calls.visitor() == "uuid-1"
    caller.events("consent", "denied")
    caller.calls.visitor_id = "new"
    assert caller.calls.visitor() == "new"


# --- consent ---


def test_an_event_holds_what_was_known_when_it_was_called() -> None:
    """What was told while it waited for consent is of the later calls only."""
    caller = Caller("required")
    for words in (
        ("page",),
        ("identify", {"id": 77}),
        ("track", "quiz_done"),
        ("identify", {"email": "siti@example.com"}),
        ("track", "quiz_done"),
        ("reset",),
        ("page",),
    ):
        assert caller.events(*words) == [], words
    found = [
        (event.get("user"), event["visitor_id"]) for event in caller.events("consent", "granted")
    ]
    assert found == [
        (None, "5d0c"),
        ({"id": "77"}, "5d0c"),
        ({"id": "77", "email": "siti@example.com"}, "5d0c"),
        (None, "uuid-6"),
    ], found


def test_what_waits_for_consent_is_sent_in_order_once_it_is_given() -> None:
    """DESIGN 5.3: what was called before consent waits, and is sent in order when it is given."""
    caller = Caller("required")
    assert caller.names("page") == []
    assert caller.names("track", "add_to_cart", params("add_to_cart")) == []
    assert caller.names("track", "quiz_done") == []
    events = caller.events("consent", ["1"])
    assert [event["event_name"] for event in events] == ["page_view", "add_to_cart", "quiz_done"]
    assert [event["event_time"] for event in events] == [NOW_MS + 1, NOW_MS + 2, NOW_MS + 3]
    assert events[0]["event_id"] == "page_view_uuid-1"
    for event in events:
        assert event["consent"] == {"status": "granted", "categories": ["1"]}, event
    assert caller.names("consent", "granted") == [], "once"
    assert caller.names("page") == ["page_view"]


def test_what_waits_for_consent_is_dropped_when_it_is_refused() -> None:
    """DESIGN 5.3: dropped on refusal, and not brought back by a later consent."""
    refusals: Any = ("denied", [])
    for refusal in refusals:
        caller = Caller("required")
        caller.names("page")
        assert caller.names("consent", refusal) == [], refusal
        assert caller.names("page") == [], refusal
        assert caller.names("consent", "granted") == [], refusal
        assert caller.names("page") == ["page_view"], refusal


def test_consent_can_be_withdrawn() -> None:
    """After `denied` no call becomes an event."""
    caller = Caller()
    assert caller.names("page") == ["page_view"]
    caller.names("consent", "denied")
    assert caller.names("page") == []
    assert caller.names("track", "purchase", params("purchase")) == []


def test_who_asks_hears_of_consent_before_the_waiting_events_are_built() -> None:
    """R14: the tracker captures attribution on consent; the events that waited for it carry it."""
    heard = []

    def on_consent() -> None:
        heard.append(caller.calls.consent["status"])
        caller.cookies = {"_fbp": "fb.1.1760000000000.4821"}
        caller.calls.visitor_id = "new"

    caller = Caller("required", False, on_consent)
    caller.cookies = {}
    caller.calls.visitor_id = ""
    caller.names("page")
    assert heard == []
    [event] = caller.events("consent", "granted")
    assert heard == ["granted"]
    assert event["attribution"]["fbp"] == "fb.1.1760000000000.4821", event
    assert event["visitor_id"] == "new", event


def test_global_privacy_control_travels_with_each_event() -> None:
    """DESIGN 5.3: Global Privacy Control stays, whatever is agreed to, and goes with the event."""
    caller = Caller("granted", True)
    [event] = caller.events("page")
    assert event["consent"] == {"status": "granted", "gpc": True}
    caller.events("consent", ["3"])
    [event] = caller.events("page")
    assert event["consent"] == {"status": "granted", "categories": ["3"], "gpc": True}


def test_r63_an_order_marked_as_spam_is_no_event() -> None:
    """scalev R63: a spam order fires nothing; one that is not, or not known to be, does."""
    for is_spam, expected in ((True, []), (False, ["purchase"]), (None, ["purchase"])):
        given = params("purchase", is_probably_spam=is_spam)
        assert Caller().names("track", "purchase", given) == expected, is_spam
        caller = Caller("required")
        caller.names("track", "purchase", given)
        assert caller.names("consent", "granted") == expected, is_spam
