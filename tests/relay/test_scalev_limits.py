"""What Scalev says of its rate limit, whose number it does not publish (specs/scalev.md 2)."""

from __future__ import annotations

import pytest

from relay.destinations import Answer
from tests.relay import shop
from tests.relay.scalev_shop import request_for, scalev

NOW = 1_760_000_000.0


@pytest.mark.parametrize(
    ("status", "headers", "after_s"),
    [
        (204, {}, None),
        (204, {"X-Ratelimit-Limit": "60", "X-Ratelimit-Remaining": "1"}, None),
        (204, {"X-Ratelimit-Remaining": "1", "X-Ratelimit-Reset": "30"}, None),
        (204, {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "30"}, 30.0),
        (204, {"x-ratelimit-remaining": " 0 ", "x-ratelimit-reset": " 0 "}, 0.0),
        (204, {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "1760000045"}, 45.0),
        (204, {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "1759999999"}, 0.0),
        (204, {"X-Ratelimit-Remaining": "0"}, None),
        (204, {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "soon"}, None),
        (204, {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "-5"}, None),
        (429, {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "30"}, 30.0),
        (429, {"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "30", "Retry-After": "7"}, 7.0),
    ],
)
@pytest.mark.parametrize("provider", ["meta", "snackvideo"])
def test_nothing_is_sent_while_nothing_is_left_of_the_limit(
    provider: str, status: int, headers: dict[str, str], after_s: float | None
) -> None:
    """Until the reset, a span or a moment; a 204 is a 204 all the same."""
    event = shop.add_to_cart()
    answer = Answer(status, headers=headers)
    judgement = scalev(provider).judge(request_for(provider, event), answer, NOW)
    assert judgement.after_s == after_s
    assert judgement.verdict == ("done" if status == 204 else "retry")
