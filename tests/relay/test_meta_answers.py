"""Meta: what its answers mean (specs/meta.md section 6), and round trips to its stand-in."""

import json
from typing import Any

import pytest

from relay.destinations import Answer, Judgement
from tests.relay import shop
from tests.relay.pixel_api_shop import EVERY_EVENT, SANDBOX, TOKEN, judged, one, round_trip

TAKEN = b'{"events_received": 1, "messages": [], "fbtrace_id": "AbCdEf"}'
PAGE = b"<!doctype html><title>Sorry, something went wrong.</title>"


def error(code: Any, subcode: int | None = None, **more: Any) -> bytes:
    told = {"message": "Words", "type": "OAuthException", "code": code, "is_transient": False}
    return json.dumps({"error": {**told, "error_subcode": subcode, **more}}).encode()


# Code, subcode, verdict and what is said, at HTTP 400.
CODES: list[tuple[int, int | None, str, str]] = [
    (1, None, "retry", "trouble at Meta (code 1): Words"),
    (2, None, "retry", "trouble at Meta (code 2): Words"),
    (1, 99, "dead", "refused (code 1, subcode 99): Words"),
    *((code, None, "retry", f"throttled (code {code}): Words")
      for code in (4, 17, 32, 341, 613, 80003, 80004)),
    (368, None, "retry", "blocked for a while (code 368): Words"),
    (5000, None, "retry", "trouble at Meta (code 5000): Words"),
    (21009, None, "retry", "trouble at Meta (code 21009): Words"),
    (100, None, "dead", "refused (code 100): Words"),
    *((100, subcode, "dead", f"refused (code 100, subcode {subcode}): Words") for subcode in
      (2804003, 2804009, 2804001, 2804007, 2804016, 2804017, 2804019, 2804048)),
    (100, 33, "pause", "no such pixel, or no permission for it (code 100, subcode 33): Words"),
    (190, None, "pause", "access token refused (code 190): Words"),
    (190, 460, "pause", "access token refused (code 190, subcode 460): Words"),
    (190, 463, "pause", "access token refused (code 190, subcode 463): Words"),
    (190, 467, "pause", "access token refused (code 190, subcode 467): Words"),
    (102, None, "pause", "access token refused (code 102): Words"),
    *((code, None, "pause", f"no permission (code {code}): Words")
      for code in (3, 10, 200, 294, 299)),
    (105, None, "dead", "refused (code 105): Words"),
    (506, None, "dead", "refused (code 506): Words"),
    (2500, None, "dead", "refused (code 2500): Words"),
    (300, None, "dead", "refused (code 300): Words"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "subcode", "verdict", "reason"), CODES)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_meta_6_the_code_decides(
    status: int, code: int, subcode: int | None, verdict: str, reason: str
) -> None:
    """meta 6: not the HTTP status it comes with."""
    judgement = judged("meta", Answer(status, error(code, subcode)))
    assert (judgement.verdict, judgement.reason) == (verdict, reason)


STATUSES: list[tuple[Answer, str, str]] = [
    (Answer(200, TAKEN), "done", ""),
    (Answer(200, PAGE), "retry", "not Meta's answer (200)"),
    (Answer(200, b"{}"), "retry", "not Meta's answer (200)"),
    (Answer(200, b""), "retry", "not Meta's answer (200)"),
    (Answer(400, PAGE), "retry", "not Meta's answer (400)"),
    (Answer(404, b"[" * 100_000), "retry", "not Meta's answer (404)"),
    (Answer(400, b'{"error": "no"}'), "dead", "refused (400)"),
    (Answer(400, b'{"error": {"message": "no"}}'), "dead", "refused (400): no"),
    (Answer(400, b'{"error": {"code": "100"}}'), "dead", "refused (400)"),
    (Answer(500, PAGE), "retry", "server error (500)"),
    (Answer(503, error(9999)), "retry", "trouble at Meta (code 9999): Words"),
    (Answer(429, error(9999)), "retry", "trouble at Meta (code 9999): Words"),
    (Answer(500, error(100)), "dead", "refused (code 100): Words"),
    (Answer(500, error(190)), "pause", "access token refused (code 190): Words"),
    (Answer(400, error(100, is_transient=True)), "retry", "trouble at Meta (code 100): Words"),
    (Answer(400, error(190, is_transient=True)), "pause", "access token refused (code 190): Words"),
    (Answer(429), "retry", "throttled (429)"),
    (Answer(401), "pause", "credentials refused (401)"),
    (Answer(403, PAGE), "pause", "credentials refused (403)"),
    (Answer(302), "pause", "redirected (302), check base_url"),
    (Answer(failure="not_sent", detail="refused"), "retry", "no connection: refused"),
    (Answer(failure="no_answer", detail="late"), "retry", "no answer: late"),
]


@pytest.mark.parametrize(("answer", "verdict", "reason"), STATUSES)
def test_meta_6_other_answers(answer: Answer, verdict: str, reason: str) -> None:
    """meta 6: an answer that is not Meta's own, or none, is tried again."""
    judgement = judged("meta", answer)
    assert (judgement.verdict, judgement.reason) == (verdict, reason)


WAITS: list[tuple[Answer, float | None]] = [
    (Answer(400, error(4)), None),
    (Answer(400, error(4), {"Retry-After": "30"}), 30.0),
    (Answer(400, error(2), {"Retry-After": "30"}), 30.0),
    (Answer(400, error(368)), 900.0),
    (Answer(400, error(368), {"Retry-After": "30"}), 900.0),
    (Answer(400, error(368), {"Retry-After": "1200"}), 1200.0),
    (Answer(400, error(190), {"Retry-After": "30"}), None),
    (Answer(429, headers={"Retry-After": "30"}), 30.0),
]


@pytest.mark.parametrize(("answer", "after_s"), WAITS)
def test_meta_6_when_to_try_again(answer: Answer, after_s: float | None) -> None:
    """meta 6: `Retry-After` is obeyed, and after a policy block a quarter of an hour passes."""
    assert judged("meta", answer).after_s == after_s


HASH = "4320997dde26a372566fbae6938926b36996b927f236fa61d6ca48e94313c843"
WORDS: list[tuple[dict[str, Any], str]] = [
    ({"message": "Invalid parameter"}, ": Invalid parameter"),
    (
        {"message": "Invalid parameter", "error_user_msg": "Event too old."},
        ": Invalid parameter: Event too old.",
    ),
    ({"message": "The same", "error_user_msg": "The same"}, ": The same"),
    ({"message": None, "error_user_msg": ["no"]}, ""),
    ({"message": f"Malformed access token {TOKEN}"}, ": Malformed access token ..."),
    ({"message": f"em '{HASH}' is invalid"}, ": em '...' is invalid"),
    ({"message": f"em '{HASH.upper()}' is invalid"}, ": em '...' is invalid"),
    ({"message": "em siti@example.com is not hashed"}, ": em ... is not hashed"),
    ({"message": "ph 6281234567890 is not hashed"}, ": ph ... is not hashed"),
    ({"message": f"user agent {shop.USER_AGENT} is bad"}, ": user agent ... is bad"),
    ({"message": "address 203.0.113.7 is bad"}, ": address ... is bad"),
    ({"message": "fbc fb.1.1760000000000.AbC is bad"}, ": fbc ... is bad"),
    ({"message": "a\r\nb"}, ": a b"),
]


@pytest.mark.parametrize(("told", "words"), WORDS)
def test_meta_6_metas_words_without_token_and_shopper(told: dict[str, Any], words: str) -> None:
    """DESIGN 5.5: what Meta quotes of a request gets into no reason and no log."""
    judgement = judged("meta", Answer(400, error(100, **told)))
    assert judgement.reason == "refused (code 100)" + words


def test_meta_6_short_texts_do_not_cut_up_metas_words() -> None:
    """A user agent may be a letter, and the token missing."""
    event = shop.add_to_cart(client={"user_agent": "e", "ip": ""})
    judgement = judged("meta", Answer(400, error(100, message="Invalid parameter")), event)
    assert judgement.reason == "refused (code 100): Invalid parameter"


def test_meta_4_nothing_of_a_refused_request_was_taken() -> None:
    """meta 4: one invalid event rejects all, so its parts may be sent again."""
    assert judged("meta", Answer(400, error(100))).took_nothing is True
    assert judged("meta", Answer(400, error(4))).took_nothing is False


# --- round trips ---


def test_the_sandbox_takes_every_event_in_one_request() -> None:
    """Meta's stand-in, which knows the contract, has nothing to object to."""
    judgements, calls = round_trip(one("meta", base_url=SANDBOX), EVERY_EVENT)
    assert judgements == [Judgement("done")]
    assert {(call["accepted"], call["error"]) for call in calls} == {(True, None)}
    assert [call["event_id"] for call in calls] == [
        one("meta").sent_as(event) for event in EVERY_EVENT
    ]


def test_the_sandbox_takes_an_apps_proof() -> None:
    """meta 4: `appsecret_proof` stands beside the token."""
    to = one("meta", base_url=SANDBOX, app_secret="app-secret-demo")
    assert round_trip(to, [shop.add_to_cart()])[0] == [Judgement("done")]


def test_the_sandbox_takes_a_shopper_who_told_all() -> None:
    """alusio S6: every field is hashed, so that nothing told is in the request as it was."""
    user = {**shop.USER, "birthdate": "1990-01-31", "gender": "f", "zipcode": "40111"}
    to = one("meta", base_url=SANDBOX, test_event_code="TEST12345")
    event = shop.purchase(user=user)
    [judgement], [call] = round_trip(to, [event])
    assert (judgement, call["accepted"]) == (Judgement("done"), True)
    [request] = to.requests([event])
    told = [value.encode() for value in user.values() if len(value) > 1]
    assert [value for value in told if value in request.body] == []


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (
            {"access_token": "wrong-token"},
            "access token refused (code 190): Invalid OAuth access token",
        ),
        (
            {"pixel_ids": ["toko"]},
            "no such pixel, or no permission for it (code 100, subcode 33): "
            "Unsupported post request. Object with ID 'toko' missing",
        ),
    ],
)
def test_the_sandbox_refuses_what_the_site_file_has_wrong(
    table: dict[str, Any], reason: str
) -> None:
    """DESIGN 5.5: no fault of the event; the destination pauses."""
    to = one("meta", base_url=SANDBOX, **table)
    judgements, _ = round_trip(to, [shop.purchase()])
    assert judgements == [Judgement("pause", reason)]


def test_the_sandbox_refuses_a_request_with_an_event_that_is_too_old() -> None:
    """meta 4: the whole of it, in Meta's words."""
    old = shop.add_to_cart(time_ms=shop.NOW_MS - 8 * 86_400_000)
    [judgement], calls = round_trip(one("meta", base_url=SANDBOX), [shop.purchase(), old])
    assert judgement.verdict == "dead"
    assert judgement.reason.startswith("refused (code 100, subcode 2804003): Invalid parameter")
    assert [call["accepted"] for call in calls] == [False, False]
