"""The Event: its name, its shape, its ID."""

from pixelmirror import catalogue, event
from pixelmirror.anything import Any
from tests.unit.refused import refused
from tests.unit.samples import NOW_MS, URL, UUID, built, params


def test_only_known_and_custom_names_are_taken() -> None:
    """DESIGN 5.2: any name beyond the catalogue and `custom_events` is refused."""
    for name in catalogue.EVENTS:
        assert event.check_name(name) == name
    assert event.check_name("quiz_done", ["quiz_done"]) == "quiz_done"


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    """DESIGN 5.2: an unknown name is refused, with the nearest known one."""
    for name, said in (
        ("add_to_card", "unknown event 'add_to_card', did you mean 'add_to_cart'?"),
        ("AddToCart", "unknown event 'AddToCart', did you mean 'add_to_cart'?"),
        ("quiz_don", "unknown event 'quiz_don', did you mean 'quiz_done'?"),
        ("zzzzzzzzzzzz", "unknown event 'zzzzzzzzzzzz'"),
        ("", "unknown event ''"),
        ("siti@toko.example", "unknown event a text with an @"),
        (None, "unknown event null"),
        (7, "unknown event 7"),
        (["purchase"], "unknown event a list of 1"),
        ({}, "unknown event an object"),
    ):
        found = refused(event.check_name, name, ["quiz_done"])
        hint = " (other names go into custom_events of the site file)"
        assert found == ("event_name", said + hint), (name, found)


def test_an_event_has_the_documented_shape() -> None:
    """DESIGN 5.4: the keys of an event, and none that has nothing in it."""
    context = {
        "site": {"currency": "IDR"},
        "page": {"url": URL, "title": "Kaos"},
        "user": {"id": "C-77"},
        "visitor_id": "5d0c",
        "attribution": {"ttp": "2abc"},
        "consent": {"status": "granted"},
    }
    options = {"destinations": ["meta"]}
    found = event.build("page_view", None, UUID, NOW_MS, options, context)
    assert found == {
        "event_id": "page_view_" + UUID,
        "event_name": "page_view",
        "event_time": NOW_MS,
        "page": {"url": URL, "title": "Kaos"},
        "params": {"page_type": "other"},
        "user": {"id": "C-77"},
        "visitor_id": "5d0c",
        "attribution": {"ttp": "2abc"},
        "consent": {"status": "granted"},
        "destinations": ["meta"],
    }, found
    context["user"] = {}
    context["visitor_id"] = ""
    found = event.build("page_view", None, UUID, NOW_MS, {}, context)
    for key in ("user", "visitor_id", "destinations"):
        assert key not in found, (key, found)


def test_r46_the_callers_own_event_id_is_taken() -> None:
    """DESIGN 5.3: the option `event_id` is the event's ID, for an order's event too."""
    context: dict[str, Any] = {"site": {}, "page": {}, "attribution": {}, "consent": {}}
    for name in ("page_view", "purchase"):
        given = params(name, currency="IDR") if name == "purchase" else None
        for own, expected in (("mine-1", "mine-1"), (" mine-2 ", "mine-2"), (77, "77")):
            found = event.build(name, given, UUID, NOW_MS, {"event_id": own}, context)
            assert found["event_id"] == expected, (name, own, found)
    for wrong in ("", True, ["x"], {"id": "x"}):
        options: dict[str, Any] = {"event_id": wrong}
        field, _ = refused(event.build, "page_view", None, UUID, NOW_MS, options, context)
        assert field == "options.event_id", (wrong, field)
    for only in ("meta", {"meta": True}, [None]):
        options = {"destinations": only}
        field, _ = refused(event.build, "page_view", None, UUID, NOW_MS, options, context)
        assert field.startswith("options.destinations"), (only, field)


def test_each_event_of_the_catalogue_can_be_built() -> None:
    """Each event is built from the least a shop must say of it, under its own kind of ID."""
    for name in sorted(catalogue.EVENTS):
        found = built(name)
        is_order = name in ("purchase", "refund")
        expected = "ORD-77-" + name if is_order else name + "_" + UUID
        assert found["event_id"] == expected, found
        assert found["event_name"] == name, found
        assert found["event_time"] == NOW_MS, found
