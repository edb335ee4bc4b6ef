"""Consent: what was agreed to, and whether one destination may have an event."""

from pixelmirror import attribution, consent_rules
from tests.unit.refused import refused


def test_a_page_starts_with_the_remembered_consent() -> None:
    """DESIGN 5.3: what the shopper decided before counts; without it, the site's setting does."""
    for setting, remembered, expected in (
        ("granted", "", {"status": "granted"}),
        ("required", "", {"status": "awaited"}),
        ("granted", "denied", {"status": "denied"}),
        ("required", "granted", {"status": "granted"}),
        ("required", "1,3", {"status": "granted", "categories": ["1", "3"]}),
        ("granted", "denied", {"status": "denied"}),
    ):
        found = consent_rules.initial(setting, remembered, False)
        assert found == expected, (setting, remembered, found)
        found = consent_rules.initial(setting, remembered, True)
        assert found == dict(expected, gpc=True), (setting, remembered, found)


def test_consent_is_given_to_all_to_none_or_by_category() -> None:
    """DESIGN 5.3: `"granted"`, `"denied"` or a list of categories, of which none is a refusal."""
    for value, expected in (
        ("granted", {"status": "granted"}),
        ("denied", {"status": "denied"}),
        (["1", "3"], {"status": "granted", "categories": ["1", "3"]}),
        ([1, 3], {"status": "granted", "categories": ["1", "3"]}),
        ([], {"status": "denied", "categories": []}),
    ):
        found = consent_rules.given(value)
        assert found == expected, (value, found)


def test_anything_else_is_no_consent() -> None:
    """A consent that can't be read is refused: it is never taken for one that was given."""
    for value, got in (
        ("yes", "'yes'"),
        ("Granted", "'Granted'"),
        ("", "''"),
        (True, "true"),
        (1, "1"),
        (None, "null"),
        ({"status": "granted"}, "an object"),
        ([True], "a list of 1"),
        (["1", None], "a list of 2"),
        ([["1"]], "a list of 1"),
    ):
        found = refused(consent_rules.given, value)
        message = "consent must be 'granted', 'denied' or a list of categories, got " + got
        assert found == ("consent", message), (value, found)


def test_what_the_cookie_holds_is_what_was_given() -> None:
    """A consent is remembered as `granted`, `denied` or its categories, and read back so."""
    for value, text in (
        ("granted", "granted"),
        ("denied", "denied"),
        (["1", "3"], "1,3"),
        (["statistics"], "statistics"),
    ):
        consent = consent_rules.given(value)
        assert consent_rules.to_text(consent) == text, value
        assert consent_rules.from_text(text) == consent, value
    assert consent_rules.to_text(consent_rules.given([])) == "denied"
    assert consent_rules.from_text("") is None


def test_every_list_of_categories_survives_the_cookie() -> None:
    """What a comma, or the words of the cookie themselves, would make something else is JSON."""
    for categories, text in (
        (["granted"], '["granted"]'),
        (["denied"], '["denied"]'),
        (["granted", "denied"], "granted,denied"),
        ([""], '[""]'),
        (["", "1"], ",1"),
        (["", ""], ","),
        ([","], '[","]'),
        (["a,b", "c"], None),
        (["1, 2"], None),
        (["["], "["),
        (["[1]"], "[1]"),
        (["[]"], "[]"),
        (["[[", "]]"], "[[,]]"),
        (['["a"]'], None),
        (['["a"', '"b"]'], None),
        (['["a",]'], None),
        (['"', "\\", "'", "%2C", "%"], None),
        (["é", "日本, 😀", " ", "	", "a;b=c"], None),
    ):
        for consent in (consent_rules.given(categories), {"categories": categories, "gpc": True}):
            found = consent_rules.to_text(dict({"status": "granted"}, **consent))
            assert text is None or found == text, (categories, found)
            cookie = attribution.cookie_text("_pm_consent", found, 1, "", False).split("; ")[0]
            read = attribution.parse_cookies("a=1; " + cookie)["_pm_consent"]
            expected = {"status": "granted", "categories": categories}
            assert consent_rules.from_text(read) == expected, (categories, found)


def test_cookies_of_before_are_read_as_before() -> None:
    """A list with commas, whatever stands in it; what is no JSON list of texts is such a one."""
    for text, categories in (
        ("1,3", ["1", "3"]),
        ("statistics", ["statistics"]),
        ("[", ["["]),
        ("[1,3]", ["[1", "3]"]),
        ("[NaN]", ["[NaN]"]),
        ("[" * 3000, ["[" * 3000]),
        ("{}", ["{}"]),
        ("%", ["%"]),
    ):
        found = consent_rules.from_text(text)
        assert found == {"status": "granted", "categories": categories}, (text[:20], found)


def test_a_destination_needs_consent_for_all_its_categories() -> None:
    """DESIGN 5.2, 5.3: nothing without consent; of categories, each that the destination needs."""
    some = {"status": "granted", "categories": ["1", "3"]}
    for consent, categories, expected in (
        ({"status": "granted"}, [], None),
        ({"status": "granted"}, ["3"], None),
        (some, [], None),
        (some, ["3"], None),
        (some, ["1", "3"], None),
        (some, ["2"], "no consent for category 2"),
        (some, ["3", "4"], "no consent for category 4"),
        ({"status": "denied"}, [], "consent denied"),
        ({"status": "denied", "categories": []}, [], "consent denied"),
        ({"status": "awaited"}, [], "consent awaited"),
        ({}, [], "consent awaited"),
    ):
        found = consent_rules.refusal(consent, "meta", categories)
        assert found == expected, (consent, categories, found)


def test_global_privacy_control_refuses_advertising() -> None:
    """DESIGN 5.3: Global Privacy Control counts as refused for advertising, and only for that."""
    for kind, expected in (
        ("meta", "consent refused by Global Privacy Control"),
        ("tiktok", "consent refused by Global Privacy Control"),
        ("kwai", "consent refused by Global Privacy Control"),
        ("scalev", "consent refused by Global Privacy Control"),
        ("tracify", "consent refused by Global Privacy Control"),
        ("commanders_act", None),
        ("alhena", None),
    ):
        for consent in (
            {"status": "granted", "gpc": True},
            dict(consent_rules.given(["3"]), gpc=True),
        ):
            found = consent_rules.refusal(consent, kind, ["3"])
            assert found == expected, (kind, consent, found)
        assert (
            consent_rules.refusal({"status": "denied", "gpc": True}, kind, []) == "consent denied"
        )
