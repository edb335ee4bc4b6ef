"""One check for each kind of field: what is taken, as what, and what is refused in which words."""

from pixelmirror.check import check_hash, check_kind, check_plain, shown
from tests.unit.refused import refused

NAN = float("nan")
INFINITY = float("inf")
DIGITS = "9" * 5000  # more than CPython turns into an int


def test_amounts_are_read_in_one_way_only() -> None:
    """DESIGN 5.3: an amount is a number, or a text that can be read in one way only."""
    for given, expected in (
        (0, 0),
        (150000, 150000),
        (3000000000, 3000000000),
        (999999999999999, 999999999999999),
        (147000.5, 147000.5),
        (0.07, 0.07),
        ("0", 0),
        ("150000", 150000),
        ("3000000000", 3000000000),
        ("147000.00", 147000),
        ("147000.5", 147000.5),
        ("22.53", 22.53),
        ("16.0000", 16),
        (" 60000 ", 60000),
    ):
        found = check_kind("amount", given, "params.value")
        assert found == expected, (given, found)
        assert isinstance(found, int) == isinstance(expected, int), (given, found)


def test_whole_amounts_become_whole_numbers() -> None:
    """scalev section 4: `"147000.00"` is 147000, an integer, and so is 150000.0."""
    for given in ("147000.00", 147000.0, "147000", 147000):
        found = check_kind("amount", given, "params.value")
        assert repr(found) == "147000", (given, found)


def test_amounts_that_can_be_read_in_two_ways_are_refused() -> None:
    """DESIGN 5.3: what may be 150 or 150 thousand, or is no number at all, is refused by name."""
    for wrong, got in (
        ("Rp 150.000", "'Rp 150.000'"),
        ("150.000", "'150.000'"),
        ("100,000", "'100,000'"),
        ("100.000,00", "'100.000,00'"),
        ("1.234.567", "'1.234.567'"),
        ("1 000", "'1 000'"),
        ("1_000", "'1_000'"),
        ("", "''"),
        ("  ", "'  '"),
        ("1e5", "'1e5'"),
        ("0x10", "'0x10'"),
        ("-5", "'-5'"),
        ("+5", "'+5'"),
        (".5", "'.5'"),
        ("5.", "'5.'"),
        ("\u0661\u0662", "'\u0661\u0662'"),
        ("NaN", "'NaN'"),
        ("Infinity", "'Infinity'"),
        (DIGITS, "'" + "9" * 40 + "...'"),
        (NAN, "nan"),
        (INFINITY, "inf"),
        (-INFINITY, "-inf"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (-1, "-1"),
        (-0.5, "-0.5"),
        (10**15, "1000000000000000"),
        ([1], "a list of 1"),
        ({"amount": 1}, "an object"),
    ):
        field, message = refused(check_kind, "amount", wrong, "params.value")
        assert field == "params.value", wrong
        start = "value must be a number of 0 or more, or a text such as '147000.00', got "
        assert message == start + got, (wrong, message)


def test_counts_are_whole_numbers() -> None:
    """A count is a whole number of 0 or more, a quantity one of 1 or more; digits will do."""
    for kind in ("count", "quantity"):
        for given, expected in (
            (1, 1),
            (2, 2),
            ("2", 2),
            (" 2 ", 2),
            (2.0, 2),
            (10**9 - 1, 10**9 - 1),
        ):
            found = check_kind(kind, given, "quantity")
            assert repr(found) == repr(expected), (kind, given, found)
        for wrong in (
            -1,
            1.5,
            "1.5",
            "-1",
            "",
            "two",
            "2e3",
            True,
            NAN,
            INFINITY,
            10**9,
            DIGITS,
            None,
        ):
            field, message = refused(check_kind, kind, wrong, "params.items[0].quantity")
            assert field == "params.items[0].quantity", (kind, wrong)
            assert message.startswith("quantity must be a whole number of 0 or more"), message
    assert check_kind("count", 0, "list_position") == 0
    for wrong in (0, "0", 0.0):
        _, message = refused(check_kind, "quantity", wrong, "quantity")
        assert message.startswith("quantity must be 1 or more, got "), (wrong, message)


def test_texts_hold_something_and_not_too_much() -> None:
    """A text has 1 to 2048 characters, not only spaces, and is kept as it is."""
    for given in ("Kaos", " Kaos ", "Kain Mega Mendung \u2728", "x" * 2048):
        assert check_kind("text", given, "params.coupon") == given, given
    for wrong, got in (
        ("", "''"),
        (" \t\n", "' \t\n'"),
        ("x" * 2049, "'" + "x" * 40 + "...'"),
        (5, "5"),
        (True, "true"),
        (None, "null"),
        (["Kaos"], "a list of 1"),
    ):
        found = refused(check_kind, "text", wrong, "params.coupon")
        assert found == (
            "params.coupon",
            "coupon must be a text of 1 to 2048 characters, got " + got,
        ), (wrong, found)


def test_ids_are_texts_even_when_numeric() -> None:
    """alhena section 1, R34: an ID is a text even if numeric; the space around it is no part."""
    for given, expected in (
        ("A-1", "A-1"),
        (" A-1 ", "A-1"),
        (77, "77"),
        (0, "0"),
        (10**20, "1" + "0" * 20),
    ):
        assert check_kind("id", given, "params.id") == expected, given
    for wrong in ("", " ", 7.5, True, None, ["A-1"], {"id": 1}):
        field, _ = refused(check_kind, "id", wrong, "params.id")
        assert field == "params.id", wrong


def test_lists_of_texts_name_the_wrong_one() -> None:
    """A list of texts takes numbers for texts, and an error names the place in the list."""
    assert check_kind("texts", ["red", 3], "colors") == ["red", "3"]
    assert check_kind("texts", [], "colors") == []
    for wrong, field in (
        ("red", "colors"),
        ({"0": "red"}, "colors"),
        (["red", ""], "colors[1]"),
        ([None], "colors[0]"),
        ([["red"]], "colors[0]"),
    ):
        found, _ = refused(check_kind, "texts", wrong, "colors")
        assert found == field, (wrong, found)


def test_flags_are_true_or_false() -> None:
    """A flag is true or false, and nothing that may be taken for it."""
    assert check_kind("flag", True, "is_probably_spam") is True
    assert check_kind("flag", False, "is_probably_spam") is False
    for wrong in (0, 1, "true", "", None, [True]):
        field, message = refused(check_kind, "flag", wrong, "params.is_probably_spam")
        assert field == "params.is_probably_spam", wrong
        assert message.startswith("is_probably_spam must be true or false, got "), message


def test_currencies_are_iso_4217_codes() -> None:
    """A currency is an ISO 4217 code in either case, sent in capitals."""
    for given, expected in (
        ("IDR", "IDR"),
        ("idr", "IDR"),
        (" usd ", "USD"),
        ("BRL", "BRL"),
        ("EUR", "EUR"),
    ):
        assert check_kind("currency", given, "params.currency") == expected, given
    for wrong, got in (
        ("idr1", "'idr1'"),
        ("RP", "'RP'"),
        ("", "''"),
        ("ABC", "'ABC'"),
        ("D A", "'D A'"),
        ("AED AFN", "'AED AFN'"),
        ("$", "'$'"),
        (360, "360"),
        (None, "null"),
    ):
        found = refused(check_kind, "currency", wrong, "params.currency")
        message = "currency must be a three-letter ISO 4217 code, got " + got
        assert found == ("params.currency", message), (wrong, found)


def test_fixed_choices_are_named_in_the_error() -> None:
    """A value that is none of the allowed ones is refused with the list of those."""
    kinds = ("variant", "bundle_price_option")
    assert check_kind(kinds, "variant", "kind") == "variant"
    for wrong, got in (
        ("Variant", "'Variant'"),
        ("", "''"),
        (1, "1"),
        (["variant"], "a list of 1"),
    ):
        found = refused(check_kind, kinds, wrong, "params.items[0].kind")
        message = "kind must be one of variant, bundle_price_option, got " + got
        assert found == ("params.items[0].kind", message), (wrong, found)


def test_personal_data_is_checked_and_never_repeated() -> None:
    """DESIGN 5.5: an error about personal data names the field and never says the value."""
    for kind, given, expected in (
        ("email", "siti@toko.example", "siti@toko.example"),
        ("email", " Siti@Toko.example ", "Siti@Toko.example"),
        ("phone", "+62 812-3456-7890", "+62 812-3456-7890"),
        ("phone", 6281234567890, "6281234567890"),
        ("phone", "12345", "12345"),
        ("phone", "1" * 20, "1" * 20),
        ("date", "1988-03-09", "1988-03-09"),
    ):
        assert check_kind(kind, given, "user.x") == expected, given
    for kind, given in (
        ("email", "siti.toko.example"),
        ("email", "siti@"),
        ("email", "@toko.example"),
        ("email", "siti@toko@example"),
        ("email", "siti lestari@toko.example"),
        ("phone", "0812"),
        ("phone", "0812 3456 7890 0812 3456 7890"),
        ("phone", "siti@toko.example"),
    ):
        field, message = refused(check_kind, kind, given, "user." + kind)
        assert field == "user." + kind, given
        assert given not in message, message
        assert message.startswith(kind + " must "), message


def test_dates_are_iso_dates() -> None:
    """specs/commanders-act.md: `birthdate` is `YYYY-MM-DD`; any other order is refused."""
    for wrong in (
        "09-03-1988",
        "1988-3-9",
        "1988/03/09",
        "19880309",
        "1988-03-09T00:00",
        "",
        19880309,
    ):
        field, _ = refused(check_kind, "date", wrong, "user.birthdate")
        assert field == "user.birthdate", wrong


def test_hashes_are_lower_case_hexadecimal_of_their_length() -> None:
    """specs/commanders-act.md: 32 (MD5) or 64 (SHA-256) hexadecimal digits, sent in lower case."""
    for algorithm, length in (("md5", 32), ("sha256", 64)):
        path = "user.email_" + algorithm
        assert check_hash("AbCdEf09" * (length // 8), algorithm, path) == "abcdef09" * (length // 8)
        for wrong in ("", "a" * (length - 1), "a" * (length + 1), "g" * length, 5, None):
            found = refused(check_hash, wrong, algorithm, path)
            message = "email_" + algorithm + " must be " + str(length) + " hexadecimal characters"
            assert found == (path, message), (wrong, found)


def test_items_name_what_is_wrong_by_its_path() -> None:
    """An item needs its ID and a product with name and price; each error has the full path."""
    product = {"name": "Kaos", "price": 60000}
    for items, field, message in (
        ("Kaos", "items", "items must be a list of 1 to 500 items, got 'Kaos'"),
        ([], "items", "items must be a list of 1 to 500 items, got a list of 0"),
        ([{}] * 501, "items", "items must be a list of 1 to 500 items, got a list of 501"),
        ([None], "items[0]", "an item must be an object, got null"),
        ([{"product": product}], "items[0].id", "id is required in each item"),
        (
            [{"id": "a", "product": "Kaos"}],
            "items[0].product",
            "a product must be an object, got 'Kaos'",
        ),
        ([{"id": "a"}], "items[0].product.name", "name is required in each product"),
        (
            [{"id": "a", "name": "Kaos"}],
            "items[0].product.price",
            "price is required in each product",
        ),
        (
            [{"id": "a", "product": product}, {"id": "b", "product": product, "quantity": 0}],
            "items[1].quantity",
            "quantity must be 1 or more, got 0",
        ),
        (
            [{"id": "a", "product": {"name": "Kaos", "price": "60.000"}}],
            "items[0].product.price",
            "price must be a number of 0 or more, or a text such as '147000.00', got '60.000'",
        ),
        (
            [{"id": "a", "product": product, "kind": "bundle"}],
            "items[0].kind",
            "kind must be one of variant, bundle_price_option, got 'bundle'",
        ),
        (
            [{"id": "a", "product": product, "discount": 60001}],
            "items[0].discount",
            "discount must not be more than the product's price",
        ),
    ):
        found = refused(check_kind, "items", items, "items")
        assert found == (field, message), (items, found)


def test_an_event_holds_up_to_500_items() -> None:
    """One more is refused, see above; 500 are taken."""
    one = {"id": "a", "name": "Kaos", "price": 1}
    assert len(check_kind("items", [one] * 500, "items")) == 500


def test_name_and_price_may_stand_on_the_item() -> None:
    """DESIGN 3: `name` and `price` on the item are a shorthand for its product's."""
    for given, expected in (
        (
            {"id": "a1", "name": "Kaos", "price": "60000.00"},
            {"id": "a1", "product": {"id": "a1", "name": "Kaos", "price": 60000}},
        ),
        (
            {"id": "gift", "name": "Stiker", "price": 0},
            {"id": "gift", "product": {"id": "gift", "name": "Stiker", "price": 0}},
        ),
        (
            {"id": "a1", "price": 1, "product": {"id": "p1", "name": "Kaos", "price": 60000}},
            {"id": "a1", "product": {"id": "p1", "name": "Kaos", "price": 60000}},
        ),
        (
            {"id": 7, "quantity": "2", "coupon": None, "gift": True, "name": "Kaos", "price": 5},
            {
                "id": "7",
                "quantity": 2,
                "gift": True,
                "product": {"id": "7", "name": "Kaos", "price": 5},
            },
        ),
    ):
        before = repr(given)
        found = check_kind("items", [given], "items")
        assert found == [expected], (given, found)
        assert repr(given) == before, "the caller's own item was changed"


def test_fields_beyond_the_catalogue_are_json_of_modest_depth() -> None:
    """A field the catalogue does not know may hold any JSON, if it is finite and not too deep."""
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    for given in (None, True, 5, 10**20, 0.5, "", "x" * 2048, [0], {"a": [{"b": [1]}]}):
        check_plain(given, "params.extra")
    for wrong, field in (
        (NAN, "params.extra"),
        (INFINITY, "params.extra"),
        ({"a": [1, NAN]}, "params.extra.a[1]"),
        ("x" * 2049, "params.extra"),
        (deep, "params.extra[0][0][0][0][0]"),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, "params.extra.a.b.c.d.e"),
    ):
        found, _ = refused(check_plain, wrong, "params.extra")
        assert found == field, (wrong, found)


def test_values_are_shown_short_and_never_with_an_at_sign() -> None:
    """A value in an error is cut short, and a text that may be an e-mail address is not shown."""
    for given, expected in (
        ("Kaos", "'Kaos'"),
        ("x" * 40, "'" + "x" * 40 + "'"),
        ("x" * 41, "'" + "x" * 40 + "...'"),
        ("siti@toko.example", "a text with an @"),
        ("@", "a text with an @"),
        (5, "5"),
        (0.5, "0.5"),
        (10**60, "1" + "0" * 39),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        ({"email": "siti@toko.example"}, "an object"),
        (["siti@toko.example"], "a list of 1"),
    ):
        assert shown(given) == expected, (given, shown(given))
