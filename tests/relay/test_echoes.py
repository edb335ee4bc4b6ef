"""What a system quotes of its request loses the keys and IDs that are named."""

import pytest

from relay.destinations import Answer
from relay.destinations.echoes import without

QUOTED = [
    (b"bad key s3cret/1!", b"bad key ..."),
    (b"POST /events?token=s3cret%2F1%21", b"POST /events?token=..."),
    (b'{"error": "bad key s3cret\\/1!"}', b'{"error": "bad key ..."}'),
    (b"s3cret/1!s3cret/1!", b"......"),
    (b"bad key s3cret", b"bad key s3cret"),
    (b"an abc", b"an abc"),
    (b"", b""),
]


@pytest.mark.parametrize(("body", "expected"), QUOTED)
def test_a_secret_is_left_out_however_it_is_written(body: bytes, expected: bytes) -> None:
    """DESIGN 5.5: plain, in a URL, in JSON; short texts and an empty setting blot out nothing."""
    assert without(Answer(400, body), "s3cret/1!", "abc", "").body == expected


def test_the_rest_of_the_answer_stays() -> None:
    """Status and headers are judged as before."""
    answer = Answer(429, b"s3cret", {"Retry-After": "7"})
    assert without(answer, "s3cret") == Answer(429, b"...", {"Retry-After": "7"})
