"""Secrets of a site file: short, well-known and public ones are refused, and none is ever told."""

from __future__ import annotations

from typing import Any

import pytest

from relay.site import parse
from tests.relay.site_files import FULL, LEAST, problems

EXAMPLES = [
    "change-me",
    "ChangeMe!",
    "your-secret-key",
    "YOUR_SECRET_KEY",
    "replace-me",
    "<placeholder>",
    "password",
    "super-secret",
    "12345678",
    "xxxxxxxx",
    "********",
    "00000000-0000",
]
NOT_OURS = "must be a secret of your own, not what stands in an example"


@pytest.mark.parametrize("secret", EXAMPLES)
def test_a_secret_key_from_an_example_is_refused(secret: str) -> None:
    """By its letters and digits; the reason does not repeat it."""
    assert problems({**LEAST, "secret_key": secret}) == [("secret_key", NOT_OURS)]


def test_a_short_secret_key_is_refused() -> None:
    told = [("secret_key", "must have 8 characters or more")]
    assert problems({**LEAST, "secret_key": "s3cret!"}) == told
    assert parse({**LEAST, "secret_key": "s3cret!!"}, "toko.toml")


@pytest.mark.parametrize("key", ["publishable_key", "store_id", "site"])
def test_what_everyone_knows_is_no_secret_key(key: str) -> None:
    """In whichever case."""
    told = [("secret_key", f"must not be the {key}, which everyone may know")]
    public = {"publishable_key": "pmk_toko", "store_id": "store_one", "site": "toko-kawung"}
    raw = {**LEAST, **public, "secret_key": public[key].upper()}
    assert problems(raw) == told


TOKENS = [
    ("destinations.meta.access_token", ("destinations", "meta", "access_token")),
    ("destinations.scalev.api_key", ("destinations", "scalev", "api_key")),
    ("destinations.tracify.token", ("destinations", "tracify", "token")),
    ("midtrans.server_key", ("midtrans", "server_key")),
]


@pytest.mark.parametrize(("key", "place"), TOKENS)
def test_a_token_from_an_example_is_refused(key: str, place: tuple[str, ...]) -> None:
    """The vendor would refuse it, at the first event that a shopper has waited for."""
    raw: dict[str, Any] = {
        **FULL,
        "destinations": {name: dict(table) for name, table in FULL["destinations"].items()},
        "midtrans": dict(FULL["midtrans"]),
    }
    table = raw
    for name in place[:-1]:
        table = table[name]
    table[place[-1]] = "your-access-token"
    assert problems(raw) == [(key, NOT_OURS)]


@pytest.mark.parametrize("field", ["secret_key", "publishable_key", "origins", "currency"])
def test_no_value_of_a_wrong_file_is_told(field: str) -> None:
    """Whichever it is: a secret may stand at the wrong key."""
    for value in ("hunter2-hunter2 ", ["hunter2-hunter2"], {"hunter2-hunter2": 1}, 2.5):
        told = problems({**LEAST, "currency": "idr", field: value})
        assert "hunter2" not in str([reason for _, reason in told])
