"""TikTok: what its answers mean (specs/tiktok.md section 6), and round trips to its stand-in."""

import json
from typing import Any

import pytest

from relay.destinations import Answer, Judgement
from tests.relay import shop
from tests.relay.pixel_api_shop import EVERY_EVENT, SANDBOX, TOKEN, judged, one, round_trip

PAGE = b"<!doctype html><title>504 Gateway Time-out</title>"


def said(code: Any, message: Any = "Words") -> bytes:
    return json.dumps({"code": code, "message": message, "request_id": "1", "data": {}}).encode()


CODES: list[tuple[int, str, str]] = [
    (0, "done", ""),
    (20001, "done", "partly accepted (code 20001): Words"),
    (40050, "done", "a repeat, which TikTok dropped (code 40050): Words"),
    *((code, "retry", f"throttled (code {code}): Words") for code in (40100, 40132, 61000)),
    (40202, "retry", "write conflict (code 40202): Words"),
    *((code, "retry", f"trouble at TikTok (code {code}): Words")
      for code in (50000, 50002, 51000, 51010, 51999, 52000, 52999, 60001)),
    *((code, "dead", f"refused (code {code}): Words")
      for code in (40000, 40002, 40006, 40007, 40051, 40061, 40062, 40063, 40700, 40400)),
    *((code, "pause", f"token or permission refused (code {code}): Words")
      for code in (40001, 40003, 40101, 40102, 40104, 40105, 40119, 40300, 41000)),
    # Any other.
    *((code, "dead", f"refused (code {code}): Words") for code in (1, 40120, 50001, 53000, 99999)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "verdict", "reason"), CODES)
@pytest.mark.parametrize("status", [200, 400, 401])
def test_tiktok_6_the_code_decides(status: int, code: int, verdict: str, reason: str) -> None:
    """tiktok 6: HTTP 200 is also what an error comes with."""
    judgement = judged("tiktok", Answer(status, said(code)))
    assert (judgement.verdict, judgement.reason) == (verdict, reason)


STATUSES: list[tuple[Answer, str, str]] = [
    (Answer(200, PAGE), "retry", "not TikTok's answer (200)"),
    (Answer(200, b""), "retry", "not TikTok's answer (200)"),
    (Answer(200, b"{}"), "retry", "not TikTok's answer (200)"),
    (Answer(200, said("0")), "retry", "not TikTok's answer (200)"),
    (Answer(200, said(False)), "retry", "not TikTok's answer (200)"),
    (Answer(404, PAGE), "retry", "not TikTok's answer (404)"),
    (Answer(200, b"[" * 100_000), "retry", "not TikTok's answer (200)"),
    (Answer(429, said(40002)), "retry", "throttled (429)"),
    (Answer(503, said(40002)), "retry", "server error (503)"),
    (Answer(504, PAGE), "retry", "server error (504)"),
    (Answer(401), "pause", "credentials refused (401)"),
    (Answer(403, PAGE), "pause", "credentials refused (403)"),
    (Answer(301), "pause", "redirected (301), check base_url"),
    (Answer(failure="not_sent", detail="refused"), "retry", "no connection: refused"),
    (Answer(failure="no_answer", detail="late"), "retry", "no answer: late"),
]


@pytest.mark.parametrize(("answer", "verdict", "reason"), STATUSES)
def test_tiktok_6_other_answers(answer: Answer, verdict: str, reason: str) -> None:
    """tiktok 6, transport: an answer that is not TikTok's own, or none, is tried again."""
    judgement = judged("tiktok", answer)
    assert (judgement.verdict, judgement.reason) == (verdict, reason)


AFTER = {"Retry-After": "30"}
WAITS: list[tuple[Answer, float | None]] = [
    (Answer(200, said(40100)), None),
    (Answer(200, said(40100), AFTER), 30.0),
    (Answer(200, said(50000), AFTER), 30.0),
    (Answer(429, said(40100), AFTER), 30.0),
    (Answer(503, PAGE, AFTER), 30.0),
    (Answer(200, said(40105), AFTER), None),
]


@pytest.mark.parametrize(("answer", "after_s"), WAITS)
def test_tiktok_6_when_to_try_again(answer: Answer, after_s: float | None) -> None:
    """DESIGN 5.5: `Retry-After` is obeyed."""
    assert judged("tiktok", answer).after_s == after_s


HASH = "62397bbd6a8c9ae53bc914a6017300eb6b13af5be20e4cc9ad2dc3d61ecb24cd"
WORDS: list[tuple[Any, str]] = [
    (
        "Batch.0.properties.contents.0.content_id: Not a valid string",
        ": Batch.0.properties.contents.0.content_id: Not a valid string",
    ),
    (None, ""),
    (f"Access token {TOKEN} is wrong", ": Access token ... is wrong"),
    (f"phone {HASH} is bad", ": phone ... is bad"),
    ("email budi@example.org is not hashed", ": email ... is not hashed"),
    ("ttclid E.C.P.x is bad", ": ttclid ... is bad"),
    (f"user agent {shop.USER_AGENT} is bad", ": user agent ... is bad"),
]


@pytest.mark.parametrize(("message", "words"), WORDS)
def test_tiktok_6_its_words_without_token_and_shopper(message: Any, words: str) -> None:
    """DESIGN 5.5: what TikTok quotes of a request gets into no reason and no log."""
    judgement = judged("tiktok", Answer(200, said(40002, message)))
    assert judgement.reason == "refused (code 40002)" + words


def test_tiktok_4_nothing_of_a_refused_request_was_taken() -> None:
    """tiktok 4: one bad row fails all, so its parts may be sent again."""
    assert judged("tiktok", Answer(200, said(40002))).took_nothing is True
    assert judged("tiktok", Answer(200, said(20001))).took_nothing is False


# --- round trips ---


def test_the_sandbox_takes_every_event_in_one_request() -> None:
    """TikTok's stand-in, which knows the contract, has nothing to object to."""
    judgements, calls = round_trip(one("tiktok", base_url=SANDBOX), EVERY_EVENT)
    assert judgements == [Judgement("done")]
    assert {(call["accepted"], call["error"]) for call in calls} == {(True, None)}
    assert [call["event_id"] for call in calls] == [
        one("tiktok").sent_as(event) for event in EVERY_EVENT
    ]


def test_the_sandbox_takes_a_shopper_who_told_all() -> None:
    """tiktok 5: every field is hashed, so that nothing told is in the request as it was."""
    to = one("tiktok", base_url=SANDBOX, test_event_code="TEST01234")
    event = shop.purchase()
    [judgement], [call] = round_trip(to, [event])
    assert (judgement, call["accepted"]) == (Judgement("done"), True)
    [request] = to.requests([event])
    told = [value.encode() for value in shop.USER.values()]
    assert [value for value in told if value in request.body] == []


PAUSED = "token or permission refused "


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (
            {"access_token": "wrong-token"},
            PAUSED + "(code 40105): Access token is incorrect or has been revoked",
        ),
        ({"pixel_ids": ["wrong1"]}, PAUSED + "(code 40001): No permission for event_source_id"),
    ],
)
def test_the_sandbox_refuses_what_the_site_file_has_wrong(
    table: dict[str, Any], reason: str
) -> None:
    """DESIGN 5.5: no fault of the event; the destination pauses."""
    judgements, _ = round_trip(one("tiktok", base_url=SANDBOX, **table), [shop.purchase()])
    assert judgements == [Judgement("pause", reason)]
