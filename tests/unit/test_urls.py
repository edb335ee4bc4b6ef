"""URLs as they are sent on: nothing personal in them, nothing else changed, and not too long."""

from pixelmirror import urls
from pixelmirror.anything import Any

SHOP = "https://toko.example/p/kaos"


def cut(text: str) -> str:
    """What is left behind the path of the shop's page."""
    found = urls.without_private(SHOP + text)
    assert found.startswith(SHOP), found
    return found[len(SHOP) :]


def test_a_parameter_with_a_private_name_is_cut() -> None:
    """Whatever stands in it, in any case, in brackets, as a hump, half encoded."""
    for name in (
        "email e-mail e_mail E-Mail EMAIL mail userEmail useremail user_email email2 a[email] "
        "a%5Bemail%5D a[0][email] %65mail em%61il billing.email customer[email_address] "
        "phone tel hp wa no_hp no_wa telp telepon whatsapp whatsapp_number phone1 cellPhone "
        "phone_number mobile user[phone] "
        "name nama first_name firstName lastname last-name full_name fullname user[name] "
        "customer_name billing_last_name username surname "
        "address address_1 billing[address] alamat street "
        "password passwd pwd pass token reset_token csrfToken access_token secret client_secret "
        "api_key auth session otp pin nik dob birthdate"
    ).split(" "):
        assert cut("?" + name + "=x") == "", name
        assert cut("?a=1&" + name + "=&b=2") == "?a=1&b=2", name
        assert cut("#" + name + "=x&a=1") == "#a=1", name


def test_every_name_of_the_tables_is_cut() -> None:
    """Also those that only tell together with another word."""
    names = urls.WORDS + urls.WHOLES + urls.ENDS + [named + "_name" for named in urls.NAMED]
    for name in names:
        assert cut("?" + name + "=x&a=1") == "?a=1", name


def test_what_looks_like_an_email_address_is_cut() -> None:
    """Wherever it stands in a value, encoded as often as in a URL in a URL, or without a name."""
    for value in (
        "siti@example.com",
        "siti%40example.com",
        "siti%2540example.com",
        "siti%252540example.com",
        "SITI@EXAMPLE.CO.ID",
        "mailto:siti@example.com",
        "from+siti%40example.com+please",
        "%3Csiti%40example.com%3E",
        "siti%40example.com%zz%E9%",
        "siti+toko@example.com",
        "https%3A%2F%2Ftoko.example%2F%3Fa%3D1%26u%3Dsiti%40example.com",
        "siti@b%C3%BCcher.example",
    ):
        assert cut("?a=1&u=" + value) == "?a=1", value
        assert cut("?a=1&" + value) == "?a=1", value
        assert cut("?utm_content=" + value) == "", value
    for value in ("@toko", "siti@", "a@b", "react@18.2.0", "/@-6.2,106.8,15z", "3@2", "a @ b.c"):
        assert cut("?a=1&u=" + value) == "?a=1&u=" + value, value


def test_what_looks_like_a_phone_number_is_cut() -> None:
    """With its calling code, at home, and as the digits of an Indonesian mobile."""
    for value in (
        "+6281234567890",
        "%2B6281234567890",
        "%2B62+812-3456-7890",
        "081234567890",
        "0812-3456-7890",
        "0812+3456+7890",
        "(021)+555-12345",
        "006281234567890",
        "6281234567890",
        "%252B14155550134",
    ):
        assert cut("?a=1&c=" + value) == "?a=1", value
    for value in (
        "1760000000000",
        "120210000000000001",
        "147000.00",
        "0.123456789",
        "2026-11-21",
        "01-02-2026",
        "variant_0812345678901",
        "62",
        "0",
        "",
    ):
        assert cut("?a=1&c=" + value) == "?a=1&c=" + value, value


def test_campaigns_and_clicks_stay_to_the_letter() -> None:
    """Also a click ID made of digits only, and a campaign called by a number."""
    query = (
        "?utm_source=fb&utm_name=Lebaran&utm_id=6281234567890&utm_term=081234567890"
        "&fbclid=IwAR0_x-%2B&gclid=081234567890&ttclid=6281234567890&click_id=0812345678901"
        "&clickid=081234567890&kwai_click_id=6281234567890&trc_mcmp_id=081234567890&gbraid=0812345678"
    )
    assert cut(query) == query
    assert cut(query + "&email=x#section") == query + "#section"


def test_what_is_not_private_stays_to_the_letter() -> None:
    """Order, encoding, repeats, empty pairs; names that only look alike."""
    for text in (
        "",
        "?",
        "#",
        "?#",
        "?&&a=1&",
        "?a=1&a=1",
        "?q=kaos%20putih+polos&%zz=%E9%",
        "?a=1?b=2?c=3",
        "?product_name=Kaos&item_name=x&filename=y&hostname=z",
        "?headphone=1&emailed=1&renamed=1&hotel=x&swa=1&pint=2&brand=hp",
        "?variant=6281&size=XL&page=08",
        "?next=%2Fp%3Fa%3D1%26b%3D2",
        "#section",
        "#email",
        "#!/p/kaos?a=1",
        "#/name/x",
        "?a=1#/p?b=2",
    ):
        assert cut(text) == text, text
    for url in ("", "toko.example", "https://toko.example", "mailto:", "android-app://com.toko/x"):
        assert urls.without_private(url) == url, url


def test_of_several_question_marks_the_first_begins_the_query() -> None:
    """What follows another may be private too; a pair is cut as a whole."""
    for text, expected in (
        ("?a=1?email=x&b=2", "?b=2"),
        ("?a=1?b=siti@example.com", ""),
        ("?utm_source=fb?fbclid=081234567890", "?utm_source=fb?fbclid=081234567890"),
        ("?utm_source=fb?name=Siti&a=1", "?a=1"),
        ("??email=x", ""),
        ("?next=%2Freset%3Ftoken%3Dabc&a=1", "?a=1"),
        ("?next=%2Freset%23a%3D1%26phone%3D1", ""),
        ("?a=1#/login?email=x&b=2", "?a=1#/login?b=2"),
        ("?a=1#access_token=x", "?a=1"),
        ("?email=x#name=y?b=2", "#?b=2"),
        ("#name=y?email=x", ""),
        ("?email=x#", "#"),
    ):
        assert cut(text) == expected, text


def test_a_login_before_the_host_is_cut() -> None:
    """`user:password@`, which some scripts leave in their URLs."""
    for url, expected in (
        ("https://siti:secret@toko.example/p?a=1", "https://toko.example/p?a=1"),
        ("https://siti@toko.example", "https://toko.example"),
        ("https://a@b@toko.example/x@y", "https://toko.example/x@y"),
    ):
        assert urls.without_private(url) == expected, url


def test_long_urls_are_cut_the_query_first() -> None:
    """No event is lost by its URL: what fits of the query stays, path and click IDs too."""
    most = urls.MAX_URL
    long = "x" * most
    for text, expected in (
        (SHOP + "?a=1", SHOP + "?a=1"),
        (SHOP + "?a=1#" + long, SHOP + "?a=1"),
        (SHOP + "?big=" + long + "&fbclid=AbC&b=2", SHOP + "?fbclid=AbC&b=2"),
        (SHOP + "?a=1&big=" + long + "#b", SHOP + "?a=1"),
        (SHOP + "?" + long, SHOP),
        ("https://toko.example/" + long + "?a=1", ("https://toko.example/" + long)[:most]),
        ("h" * most + "?a", "h" * most),
        ("h" * (most - 2) + "?a&b", "h" * (most - 2) + "?a"),
    ):
        assert urls.fitting(text) == expected, text[:60]
    assert len(urls.sent_url(SHOP + "?" + "a=1&" * most)) <= most


def test_the_page_of_an_event_is_cut_in_all_its_texts() -> None:
    """Private pairs first, then the length; what is no text is left to the check."""
    page: Any = {
        "url": SHOP + "?email=siti%40example.com&a=1",
        "referrer": "https://m.example/?u=" + "x" * 9000 + "&phone=1&b=2",
        "title": "K" * 9000,
    }
    assert urls.sent_page(page) == {
        "url": SHOP + "?a=1",
        "referrer": "https://m.example/?b=2",
        "title": "K" * urls.MAX_URL,
    }
    assert urls.sent_page({"url": 7, "title": None}) == {"url": 7, "title": None}
    assert urls.sent_page({}) == {}
    assert len(page["title"]) == 9000, "the call itself is not changed"
