"""Click and browser IDs: from the landing URL into cookies, and from there to events."""

from pixelmirror import attribution
from pixelmirror.anything import Any
from tests.unit.samples import NOW_MS

FBP = "fb.1.1750000000000.4821"
DAY_S = 86400


def captured(url: str, cookies: dict[str, str], index: int = 1) -> dict[str, Any]:
    """What `capture` writes for a landing: name -> (value, max_age_s)."""
    query = attribution.parse_query(url)
    writes = attribution.capture(query, cookies, NOW_MS, index, 4821)
    return {name: (value, max_age_s) for name, value, max_age_s in writes}


def value_of(written: dict[str, Any], name: str) -> Any:
    return written[name][0] if name in written else None


# --- what is written on landing ---


def test_r15_each_cookie_comes_from_its_own_query_parameter() -> None:
    """scalev R15, R18: `_fbc`, `_fbp` for 90 days, `_ttclid`, `_kwai_click_id` for 7 (D1)."""
    url = "https://toko.example/p?fbclid=AbC-1&ttclid=E.C.P.x&click_id=kw-9f&gclid=g"
    assert captured(url, {}) == {
        "_fbc": ("fb.1.1760000000000.AbC-1", 90 * DAY_S),
        "_fbp": ("fb.1.1760000000000.4821", 90 * DAY_S),
        "_ttclid": ("E.C.P.x", 7 * DAY_S),
        "_kwai_click_id": ("kw-9f", 7 * DAY_S),
    }


def test_r16_fbc_needs_an_fbclid() -> None:
    """scalev R16: without an `fbclid` no `_fbc` is made; names are matched exactly."""
    for url in (
        "https://toko.example/",
        "https://toko.example/?FBCLID=x",
        "https://toko.example/?fbclid=",
    ):
        assert "_fbc" not in captured(url, {}), url


def test_r16_a_click_id_with_a_dot_is_kept_whole() -> None:
    """scalev section 4: `fbclid=Ab.C_d` gives `fb.1.1760000000000.Ab.C_d`."""
    written = captured("https://toko.example/?fbclid=Ab.C_d", {})
    assert value_of(written, "_fbc") == "fb.1.1760000000000.Ab.C_d"
    again = captured("https://toko.example/?fbclid=Ab.C_d", {"_fbc": "fb.1.1750000000000.Ab.C_d"})
    assert value_of(again, "_fbc") == "fb.1.1750000000000.Ab.C_d"


def test_r17_an_existing_fbp_is_never_overwritten() -> None:
    """scalev R17: `_fbp` is made only when missing; one that is there keeps its value."""
    for cookies, expected in (
        ({}, "fb.1.1760000000000.4821"),
        ({"_fbp": FBP}, FBP),
        ({"_fbp": "fb.2.1.9.AQICAQMC"}, "fb.2.1.9.AQICAQMC"),
        ({"_fbp": "junk"}, "junk"),
        ({"_fbp": ""}, None),
    ):
        found = value_of(captured("https://toko.example/", cookies), "_fbp")
        assert found == expected, (cookies, found)


def test_the_keep_rule_of_fbc() -> None:
    """A click ID keeps the time it was first seen (scalev D2).

    meta 3.1, meta 3.2, meta 3.3, meta 3.4, meta 3.5, meta 3.6, meta 3.7.
    """
    for row, old, fbclid, expected in (
        (1, None, "AbC-1", "fb.1.1760000000000.AbC-1"),
        (2, "fb.1.1750000000000.AbC-1", "AbC-1", "fb.1.1750000000000.AbC-1"),
        (3, "fb.1.1750000000000.AbC-1.AQICAQMC", "AbC-1", "fb.1.1750000000000.AbC-1.AQICAQMC"),
        (3, "fb.1.1750000000000.AbC-1.Bg", "AbC-1", "fb.1.1750000000000.AbC-1.Bg"),
        (4, "fb.1.1750000000000.OLD", "NEW", "fb.1.1760000000000.NEW"),
        (4, "fb.2.1750000000000.OLD", "NEW", "fb.2.1760000000000.NEW"),
        (4, "fb.1.1750000000000.NEW.x", "NEW", "fb.1.1760000000000.NEW"),
        (5, "fb.1.1750000000000.abc-1", "AbC-1", "fb.1.1760000000000.AbC-1"),
        (6, "fb.1.1750000000000.OLD", "", "fb.1.1750000000000.OLD"),
        (7, "junk", "", None),
        (7, "xx.1.1.A", "", None),
        (7, "xx.1.1.A", "NEW", "fb.1.1760000000000.NEW"),
    ):
        cookies = {} if old is None else {"_fbc": old}
        found = captured("https://toko.example/?fbclid=" + fbclid, cookies)
        assert value_of(found, "_fbc") == expected, (row, old, fbclid, found)
        assert expected is None or found["_fbc"][1] == 90 * DAY_S, row


def test_what_is_no_value_of_metas_counts_as_absent() -> None:
    """specs/meta.md section 3: four parts, `fb`, numbers for index and time, and a payload."""
    for value, expected in (
        ("fb.1.1750000000000.A", True),
        ("fb.0.1.A.AQICAQMC", True),
        ("fb.9.1999999999999.A", True),
        ("", False),
        ("fb", False),
        ("fb.1.1750000000000", False),
        ("fb.1.1750000000000.", False),
        ("fb.x.1750000000000.A", False),
        ("fb.1.then.A", False),
        ("fb..1750000000000.A", False),
        ("fb.-1.1750000000000.A", False),
        ("FB.1.1750000000000.A", False),
        ("xx.1.1.A", False),
    ):
        assert attribution.is_meta_id(value) is expected, value


def test_the_index_of_a_new_value_is_that_of_the_cookies_domain() -> None:
    """specs/meta.md section 3: the index is the labels of the cookie's domain less one."""
    written = captured("https://shop.toko.co.id/?fbclid=A", {}, 2)
    assert value_of(written, "_fbc") == "fb.2.1760000000000.A"
    assert value_of(written, "_fbp") == "fb.2.1760000000000.4821"


def test_r19_an_empty_value_leaves_the_cookie_alone() -> None:
    """scalev R19: an empty or absent click ID writes no cookie."""
    cookies = {"_fbp": FBP, "_ttclid": "old", "_kwai_click_id": "old", "_ttp": "2abc"}
    for url in (
        "https://toko.example/",
        "https://toko.example/?ttclid=&click_id=",
        "https://toko.example/?ttclid",
    ):
        assert list(captured(url, cookies)) == ["_fbp"], url


def test_r21_ttp_is_only_read() -> None:
    """scalev R21: TikTok's pixel writes `_ttp`, we never do."""
    for cookies in ({}, {"_ttp": "2abc"}):
        assert "_ttp" not in captured("https://toko.example/?ttp=x&_ttp=y", cookies)
    assert attribution.read({"ttp": "x"}, {"_ttp": "2abc"}) == {"ttp": "2abc"}


def test_kwais_click_id_arrives_under_one_of_three_names() -> None:
    """specs/kwai.md section 3: `click_id`, `clickid`, `kwai_click_id`; no unfilled macro."""
    for query, cookie, expected in (
        ("click_id=Ab3_x-9", "old", "Ab3_x-9"),
        ("click_id=", "old", None),
        ("click_id=__CALLBACK__", None, None),
        ("click_id=__CALLBACK__&clickid=Q1", None, "Q1"),
        ("clickid=Q1", None, "Q1"),
        ("kwai_click_id=Q2", None, "Q2"),
        ("clickid=Q1&click_id=Q0&kwai_click_id=Q2", None, "Q0"),
        ("callback=Q3", None, None),
    ):
        cookies = {} if cookie is None else {"_kwai_click_id": cookie}
        found = value_of(captured("https://toko.example/?" + query, cookies), "_kwai_click_id")
        assert found == expected, (query, cookie, found)


def test_a_click_id_is_never_changed_but_may_be_too_long() -> None:
    """DESIGN 5.3: the raw click ID is kept to the letter; above 500 characters it is ignored."""
    for click_id in ("AbC", "E.C.P.CtcBFo4", "a b", "x" * 500, "__x", "x__", "\u00e9"):
        url = "https://toko.example/?ttclid=" + attribution.encode(click_id)
        assert value_of(captured(url, {}), "_ttclid") == click_id, click_id
    assert "_ttclid" not in captured("https://toko.example/?ttclid=" + "x" * 501, {})


# --- what an event is given ---


def test_r22_the_url_beats_the_cookie_for_raw_click_ids() -> None:
    """scalev R22: `ttclid` and `click_id` prefer the URL; `fbc`, `fbp`, `ttp` are cookies' only."""
    cookies = {
        "_fbc": "fb.1.1750000000000.OLD",
        "_fbp": FBP,
        "_ttclid": "old-tt",
        "_ttp": "2abc",
        "_kwai_click_id": "old-kw",
        "session": "secret",
    }
    query = attribution.parse_query(
        "https://toko.example/?fbclid=NEW&fbp=x&ttclid=new-tt&clickid=new-kw"
    )
    assert attribution.read(query, cookies) == {
        "fbc": "fb.1.1750000000000.OLD",
        "fbp": FBP,
        "ttclid": "new-tt",
        "ttp": "2abc",
        "kwai_click_id": "new-kw",
    }
    found = attribution.read({}, cookies)
    assert (found["ttclid"], found["kwai_click_id"]) == ("old-tt", "old-kw")


def test_r22_what_is_absent_is_left_out() -> None:
    """scalev R22, R52, R55: an absent or unusable ID is not sent at all."""
    for query, cookies in (
        ({}, {}),
        ({"fbclid": "NEW", "ttclid": "", "click_id": "__CLICKID__"}, {}),
        ({}, {"_fbc": "junk", "_ttclid": "", "_ttp": "", "_kwai_click_id": "", "_fbp": ""}),
    ):
        assert attribution.read(query, cookies) == {}, (query, cookies)


def test_global_privacy_control_refuses_the_ids_of_ads() -> None:
    """DESIGN 5.3: it counts as refused for advertising; other systems' own IDs are none of that."""
    ads = {"fbc": "fb.1.1.A", "fbp": FBP, "ttclid": "T", "ttp": "2abc", "kwai_click_id": "K"}
    found = dict(ads, caid="2026", alhena_fingerprint="f")
    for consent, expected in (
        ({"status": "granted"}, found),
        ({"status": "granted", "categories": ["1"]}, found),
        ({"status": "granted", "gpc": True}, {"caid": "2026", "alhena_fingerprint": "f"}),
    ):
        assert attribution.allowed(found, consent) == expected, consent


# --- domains ---


def test_cookie_domains_are_tried_widest_first() -> None:
    """DESIGN 5.3: `auto` tries the widest domain first; an IP and localhost have none."""
    for host, setting, expected in (
        ("toko.example", "auto", ["toko.example"]),
        ("shop.toko.co.id", "auto", ["co.id", "toko.co.id", "shop.toko.co.id"]),
        ("www.toko.example", "auto", ["toko.example", "www.toko.example"]),
        ("localhost", "auto", []),
        ("127.0.0.1", "auto", []),
        ("[::1]", "auto", []),
        ("", "auto", []),
        ("www.toko.example", "", []),
        ("www.toko.example", "toko.example", ["toko.example"]),
        ("localhost", "toko.example", ["toko.example"]),
    ):
        found = attribution.domains(host, setting)
        assert found == expected, (host, setting, found)


def test_metas_index_follows_the_cookies_domain() -> None:
    """DESIGN 5.3: `toko.example` 1, `toko.co.id` 2; host-only, IP and localhost 1."""
    for domain, expected in (
        ("toko.example", 1),
        ("toko.co.id", 2),
        ("shop.toko.co.id", 3),
        ("toko.example.", 1),
        ("", 1),
    ):
        assert attribution.domain_index(domain) == expected, domain


# --- text ---


def test_r20_cookie_texts_have_exactly_these_attributes() -> None:
    """scalev R20 and section 4: the order of attributes, `Secure` on https only."""
    for arguments, expected in (
        (
            ("_kwai_click_id", "a/b=c&d", 604800, "", True),
            "_kwai_click_id=a%2Fb%3Dc%26d; Max-Age=604800; Path=/; SameSite=Lax; Secure",
        ),
        (
            ("_fbp", FBP, 7776000, "", False),
            "_fbp=fb.1.1750000000000.4821; Max-Age=7776000; Path=/; SameSite=Lax",
        ),
        (
            ("_ttclid", "\u00e9;", 604800, "toko.co.id", True),
            "_ttclid=%C3%A9%3B; Max-Age=604800; Path=/; SameSite=Lax; Secure; Domain=toko.co.id",
        ),
    ):
        found = attribution.cookie_text(*arguments)
        assert found == expected, (arguments, found)


def test_cookies_are_split_at_the_first_sign_only() -> None:
    """scalev D12: a value may hold `=`; of cookies of one name the first wins; bad text is raw."""
    for text, expected in (
        ("", {}),
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ("a=1;b=2;", {"a": "1", "b": "2"}),
        ("a=b=c==", {"a": "b=c=="}),
        ("_fbc=first; _fbc=second", {"_fbc": "first"}),
        ("a=a%2Fb%3Dc%26d", {"a": "a/b=c&d"}),
        ("a=100%; b=%zz; c=%E9", {"a": "100%", "b": "%zz", "c": "%E9"}),
        ("flag; a=", {"a": ""}),
        ("a=1+2", {"a": "1+2"}),
        ("a=\u00e9", {"a": "\u00e9"}),
    ):
        found = attribution.parse_cookies(text)
        assert found == expected, (text, found)


def test_queries_are_read_as_urlsearchparams_reads_them() -> None:
    """The first value of a name counts, decoded once, `+` as a space; the fragment is no query."""
    for url, name, expected in (
        ("https://toko.example/?a=1&a=2", "a", "1"),
        ("https://toko.example/?a=1=2", "a", "1=2"),
        ("https://toko.example/?a=1?b=2", "a", "1?b=2"),
        ("https://toko.example/?a", "a", ""),
        ("https://toko.example/?a%20b=1", "a b", "1"),
        ("https://toko.example/?x=a%2Bb+c", "x", "a+b c"),
        ("https://toko.example/?x=%25C3", "x", "%C3"),
        ("https://toko.example/?x=%zz", "x", "%zz"),
        ("https://toko.example/?x=100%25", "x", "100%"),
        ("https://toko.example/?x=1#?x=2", "x", "1"),
        ("https://toko.example/#?x=2", "x", None),
        ("https://toko.example/", "x", None),
        ("", "x", None),
    ):
        found = attribution.parse_query(url).get(name)
        assert found == expected, (url, found)


def test_encoding_is_encode_uri_components() -> None:
    """scalev R20: values are percent-encoded as JavaScript's encodeURIComponent does."""
    for text, expected in (
        ("", ""),
        ("fb.1.1760000000000.AbC-1_x", "fb.1.1760000000000.AbC-1_x"),
        ("~!*()'-_.", "~!*()'-_."),
        ("a/b=c&d", "a%2Fb%3Dc%26d"),
        ("a;b,c", "a%3Bb%2Cc"),
        ("100%", "100%25"),
        ("+62", "%2B62"),
        ("Kopi Gayo 250 g", "Kopi%20Gayo%20250%20g"),
        ('"\\<>`^{|}', "%22%5C%3C%3E%60%5E%7B%7C%7D"),
        ("\x00\n", "%00%0A"),
        ("\u00e9", "%C3%A9"),
        ("\u65e5\u672c", "%E6%97%A5%E6%9C%AC"),
        ("\U0001f600", "%F0%9F%98%80"),
    ):
        found = attribution.encode(text)
        assert found == expected, (text, found)
        assert attribution.decode(expected) == text, (expected, attribution.decode(expected))


def test_r22_text_that_cannot_be_decoded_is_returned_as_it_is() -> None:
    """scalev D12: bad percent-encoding is raw text, never an error and never half decoded."""
    for text in (
        "%",
        "%4",
        "100%",
        "%zz",
        "%41%",
        "%41%zz",
        "%+1",
        "100%  off",
        "% 4",
        "%E9",
        "%C3%28",
        "%FF",
    ):
        assert attribution.decode(text) == text, (text, attribution.decode(text))
    for text, expected in (("%41", "A"), ("%c3%a9", "\u00e9"), ("a%20b", "a b"), ("+", "+")):
        assert attribution.decode(text) == expected, (text, attribution.decode(text))
