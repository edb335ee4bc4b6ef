"""Tracify: what travels together, and what its answers mean (specs/tracify.md section 2)."""

import json

import pytest

from relay.destinations import Answer, Event, Request
from tests.relay import shop
from tests.relay.tracify_shop import CONVERSION, ITEMS, TYPES, purchase, tracify

NOW = 1760000001.0


# --- batches and answers ---


def test_what_may_be_repeated_travels_apart() -> None:
    """Section 2, idempotency: order and conversion IDs make a repeat harmless."""
    events = [
        shop.event("page_view", event_id="1"),
        purchase(),
        shop.add_to_cart(),
        shop.event("begin_checkout", {"items": ITEMS}),
    ]
    again, once = tracify(**CONVERSION).requests(events)
    assert (again.repeatable, list(again.events)) == (True, [events[1], events[3]])
    assert (once.repeatable, list(once.events)) == (False, [events[0], events[2]])
    for request in (again, once):
        assert len(json.loads(request.body)["events"]) == 2


def test_nothing_is_requested_for_no_event() -> None:
    """Section 2: a request has at least one event, so a batch of one type is one request."""
    assert len(tracify().requests([purchase()])) == 1


def request_of(event: Event) -> Request:
    [request] = tracify().requests([event])
    return request


TRUE = b'{"status": true}'
FALSE = b'{"status": false, "error": "customer_site_id is unknown"}'

# Answer; what it means for a purchase, for a page view; the reason's start.
ANSWERS: list[tuple[Answer, str, str, str]] = [
    (Answer(200, TRUE), "done", "done", ""),
    (Answer(200, FALSE), "dead", "dead", "refused (200): customer_site_id is unknown"),
    (Answer(200, b"<!doctype html>"), "retry", "dead", "not Tracify's answer (200)"),
    (Answer(200, b'{"status": 1}'), "retry", "dead", "not Tracify's answer (200)"),
    (Answer(204), "retry", "dead", "not Tracify's answer (204)"),
    (Answer(400, b'{"status":false,"error":"bad"}'), "dead", "dead", "refused (400): bad"),
    (Answer(404), "dead", "dead", "refused (404)"),
    (Answer(422, TRUE), "dead", "dead", "refused (422)"),
    (Answer(401), "pause", "pause", "credentials refused (401)"),
    (Answer(403), "pause", "pause", "credentials refused (403)"),
    (Answer(302), "pause", "pause", "redirected (302)"),
    (Answer(429), "retry", "retry", "throttled (429)"),
    (Answer(502), "retry", "retry", "server error (502)"),
    (Answer(503), "retry", "retry", "server error (503)"),
    (Answer(504), "retry", "retry", "server error (504)"),
    (Answer(500), "retry", "dead", "server error (500)"),
    (Answer(failure="not_sent", detail="refused"), "retry", "retry", "no connection: refused"),
    (Answer(failure="no_answer", detail="late"), "retry", "dead", "no answer: late"),
]


@pytest.mark.parametrize(("answer", "of_purchase", "of_page_view", "reason"), ANSWERS)
def test_the_retry_table(answer: Answer, of_purchase: str, of_page_view: str, reason: str) -> None:
    """Section 2, retry: what is ambiguous is tried again only where a repeat is ignored."""
    for event, expected in ((purchase(), of_purchase), (shop.event("page_view"), of_page_view)):
        judgement = tracify().judge(request_of(event), answer, NOW)
        assert judgement.verdict == expected
        assert judgement.reason.startswith(reason)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(status: int) -> None:
    """DESIGN 5.5: for every type."""
    answer = Answer(status, headers={"retry-after": "30"})
    assert tracify().judge(request_of(shop.event("page_view")), answer, NOW).after_s == 30.0


# --- a round trip ---

SANDBOX = {"base_url": "http://tracify.test/sandbox/api"}


def test_the_sandbox_takes_every_type() -> None:
    """Tracify's stand-in, which knows the contract, has nothing to object to any of the five."""
    events = [shop.event(name, params) for name, params, _ in TYPES]
    events.append(shop.event("begin_checkout", {"items": ITEMS}, user=shop.USER))
    destination = tracify(**SANDBOX, **CONVERSION)
    assert [destination.skips(event) for event in events] == [None] * 5
    assert shop.verdicts(destination, events, NOW) == ["done", "done"]


def test_the_sandbox_refuses_a_bad_token() -> None:
    """DESIGN 5.5: a wrong token pauses the destination."""
    destination = tracify(**SANDBOX, token="wrong")
    assert shop.verdicts(destination, [purchase()], NOW) == ["pause"]


def test_a_batch_refused_as_a_whole_may_be_sent_again_in_parts() -> None:
    """DESIGN 5.5: one bad page view never takes its batch down; Tracify took none of it."""
    judgement = tracify().judge(request_of(shop.event("page_view")), Answer(200, FALSE), NOW)
    assert judgement.took_nothing
