"""What the shopper told the shop: kept by its documented names, never repeated in an error."""

from pixelmirror import event
from tests.unit.refused import refused


def test_what_the_shopper_told_is_kept_by_its_documented_names() -> None:
    """specs/commanders-act.md 2: User fields, plain or hashed; empty ones are left out."""
    md5, sha256 = "0123456789abcdef" * 2, "0123456789ABCDEF" * 4
    given = {
        "id": 77,
        "email": " siti@example.com ",
        "phone": "+6281234567890",
        "firstname": "Siti",
        "gender": "f",
        "birthdate": "1988-03-09",
        "consent_categories": [1, "3"],
        "email_md5": md5,
        "phone_sha256": sha256,
        "city": "",
        "state": None,
    }
    expected = dict(
        given,
        id="77",
        email="siti@example.com",
        consent_categories=["1", "3"],
        phone_sha256=sha256.lower(),
    )
    del expected["city"]
    del expected["state"]
    assert event.check_user(given) == expected
    assert event.check_user(None) == {}
    assert event.check_user({}) == {}


def test_errors_about_the_user_never_repeat_personal_data() -> None:
    """DESIGN 5.5: personal data is never in an error message, whatever is wrong with it."""
    for given, field, message in (
        ("Siti Lestari", "user", "user must be an object"),
        (["Siti Lestari"], "user", "user must be an object"),
        ({"email": "Siti Lestari"}, "user.email", "email must look like name@domain"),
        (
            {"phone": "Siti Lestari"},
            "user.phone",
            "phone must hold 5 to 20 digits, best with country code: +62...",
        ),
        ({"gender": "Siti Lestari"}, "user.gender", "gender must be one of f, m"),
        (
            {"birthdate": "Siti Lestari"},
            "user.birthdate",
            "birthdate must be a date YYYY-MM-DD",
        ),
        (
            {"lastname": ["Siti Lestari"]},
            "user.lastname",
            "lastname must be a text of 1 to 2048 characters",
        ),
        (
            {"firstname": "Siti Lestari, got " * 200},
            "user.firstname",
            "firstname must be a text of 1 to 2048 characters",
        ),
        (
            {"consent_categories": "Siti Lestari"},
            "user.consent_categories",
            "consent_categories must be a list of texts",
        ),
        (
            {"email_sha256": "Siti Lestari"},
            "user.email_sha256",
            "email_sha256 must be 64 hexadecimal characters",
        ),
    ):
        found = refused(event.check_user, given)
        assert found == (field, message), (given, found)


def test_an_unknown_user_field_is_refused_with_the_nearest_one() -> None:
    """A misspelt field of the user would be lost silently, so it is refused with the nearest."""
    for field, hint in (
        ("e_mail", ", did you mean 'email'?"),
        ("first_name", ", did you mean 'firstname'?"),
        ("Phone", ", did you mean 'phone'?"),
        ("shoe_size_of_the_left_foot", ""),
        ("email_sha1", ", did you mean 'email'?"),
    ):
        found = refused(event.check_user, {field: "x"})
        assert found == ("user." + field, "user has no field " + field + hint), found
