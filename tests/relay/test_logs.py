"""Logs: one line an entry, for people or for machines, with nothing personal and no secret."""

from __future__ import annotations

import json
import logging
import re
from typing import Any, NamedTuple

import pytest

from relay.lines import Place
from relay.logs import LogFormat, QuickLogger, get_logger, written
from relay.redaction import secrets
from tests.relay.relay_stage import KEY, site

SECRET = "s3cret-of-the-site-file"


def said(
    capsys: pytest.CaptureFixture[str],
    *entries: tuple[str, dict[str, Any]],
    log_format: LogFormat = "json",
    level: str = "info",
) -> list[str]:
    """The lines of these entries, each a warning of our own."""
    with written(log_format, level, [SECRET]):
        log = get_logger("pixelmirror.test")
        for words, pairs in entries:
            log.warning(words, **pairs)
    return capsys.readouterr().err.splitlines()


def test_as_json_an_entry_is_an_object_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What is None is left out."""
    (line,) = said(capsys, ("dead letter", {"site": "toko", "status": 400, "reason": None}))
    entry = json.loads(line)
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "warning",
        "logger": "pixelmirror.test",
        "message": "dead letter",
        "site": "toko",
        "status": 400,
    }


def test_as_text_an_entry_is_its_words_and_its_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    """A value of several words is in quotes."""
    pairs = {"site": "toko", "status": 400, "reason": 'no "id"'}
    (line,) = said(capsys, ("dead letter", pairs), log_format="text")
    _, _, rest = line.partition(" ")
    assert rest == r'WARNING dead letter site=toko status=400 reason="no \"id\""'


def test_json_is_what_is_written_where_no_terminal_reads(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`auto`, as under systemd and in a container."""
    (line,) = said(capsys, ("paid", {}), log_format="auto")
    assert json.loads(line)["message"] == "paid"


def test_only_what_is_asked_for_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Of this level and above."""
    assert said(capsys, ("paid", {}), level="error") == []
    assert len(said(capsys, ("paid", {}), level="debug")) == 1


def test_other_libraries_speak_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    """uvicorn's words, and httpx's warnings: of several lines the first."""
    with written("json"):
        logging.getLogger("uvicorn.error").error("lost %s\nand more", "siti@example.com")
    entry = json.loads(capsys.readouterr().err)
    assert (entry["logger"], entry["message"]) == ("uvicorn.error", "lost [hidden]")


@pytest.mark.parametrize("name", ["pixelmirror.test", "uvicorn.error"])
def test_an_exception_is_its_type_and_place(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Its own words may quote the shopper; a traceback is more than one line."""
    with written("json"):
        try:
            dict[str, str]()["Siti Rahma"]
        except KeyError:
            if name == "uvicorn.error":
                logging.getLogger(name).exception("Exception in ASGI application\n")
            else:
                get_logger(name).error("internal error", exc_info=True)
    text = capsys.readouterr().err
    entry = json.loads(text)
    assert entry["error"] == "KeyError"
    assert entry["where"].startswith("relay/test_logs.py:")
    assert entry["where"].endswith(" test_an_exception_is_its_type_and_place")
    assert "Siti" not in text
    assert text.count("\n") == 1


# What somebody sends, and what is left of it.
WORDS = [
    ("a\nb", "a b"),
    ("a\r\n2026-01-01 INFO forged", "a 2026-01-01 INFO forged"),
    ("a\x1b[31mred", "a [31mred"),
    ("a\u2028b\u202ec\x00d\x9fe", "a b c d e"),
    ("half \ud83d an emoji", "half   an emoji"),
    ("Kaos Ünïcode 世界", "Kaos Ünïcode 世界"),
    ("write to Siti.R+x@Example.co.id now", "write to [hidden] now"),
    ("add_to_cart_siti@example.com", "[hidden]"),
    ("email must look like name@domain", "email must look like name@domain"),
    ("call +62 812-3456-7890", "call [hidden]"),
    ("call 081234567890", "call [hidden]"),
    ("ORD-081234567890", "ORD-081234567890"),
    ("at 1760000000500", "at 1760000000500"),
    ("Authorization: Bearer abcdef0123", "Authorization: [hidden]"),
    ('{"access_token": "abc123def"}', '{"access_[hidden]"}'),
    ("api_key=k3y-0123456", "api_[hidden]"),
    ("token EAABsbCS1iHgBO7 expired", "token [hidden] expired"),
    ("eyJhbGciOi.eyJzdWIi.c2ln", "[hidden]"),
    ("em=" + "0a" * 32, "em=[hidden]"),
    ("https://toko.example/p?email=siti&x=1 failed", "https://toko.example/p?[hidden] failed"),
    (f"with {SECRET}.", "with [hidden]."),
    ("secret_key: must not be empty", "secret_key: must not be empty"),
    ("add_to_cart_0199cb23-8a00-7000-8000-0123456789ab",) * 2,
]  # fmt: skip


@pytest.mark.parametrize("log_format", ["json", "text"])
@pytest.mark.parametrize(("words", "left"), WORDS)
def test_an_entry_hides_what_looks_personal_and_stays_one_line(
    capsys: pytest.CaptureFixture[str], log_format: LogFormat, words: str, left: str
) -> None:
    """The last defence, in words and in pairs; nobody forges an entry or moves a terminal."""
    lines = said(capsys, (words, {}), ("refused", {"reason": words}), log_format=log_format)
    assert len(lines) == 2
    if log_format == "json":
        first, second = map(json.loads, lines)
        assert (first["message"], second["reason"]) == (left, left)
    else:
        assert lines[0].endswith(f" WARNING {left}")
        assert all(character.isprintable() for line in lines for character in line)


class Answer(NamedTuple):
    """A kind of entry, as the request log has them."""

    route: str
    status: int
    code: str | None = None

    def pairs(self, *values: Place) -> dict[str, Place | None]:
        request_id, duration_ms = values
        return {"request_id": request_id, **self._asdict(), "duration_ms": duration_ms}


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_what_is_logged_of_every_request_looks_the_same(
    capsys: pytest.CaptureFixture[str], log_format: LogFormat
) -> None:
    """Only cheaper: each time, whatever was logged before."""
    slow = get_logger("pixelmirror.test")
    quick = QuickLogger("pixelmirror.test", "asked", ("@id", 987654321.5))
    kinds = [Answer("/s/{site}", 204), Answer("100%s", 404, "not found"), Answer("/s/{site}", 503)]
    with written(log_format):
        for turn, kind in enumerate(kinds * 2):
            duration_ms = turn + 0.5
            slow.info("asked", **kind.pairs(f"id-{turn}", duration_ms))
            slow.debug("asked")
            quick.log(logging.INFO, kind, f"id-{turn}", str(duration_ms))
            quick.log(logging.DEBUG, kind, "id", "0.1")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 12
    at = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
    times = [at.findall(line) for line in lines]
    assert times == sorted(times)
    assert {len(found) for found in times} == {1}
    bare = [at.sub("", line) for line in lines]
    assert bare[::2] == bare[1::2]


def test_the_secrets_of_a_site_file_are_known() -> None:
    """Of every table; what pages are told is none."""
    found = site(
        midtrans={"server_key": "SB-Mid-server-1"},
        destinations={
            "meta": {"mode": "server", "pixel_ids": ["1"], "access_token": "EAA1"},
            "scalev": {"store_id": "s", "api_key": "sfpk_1", "providers": ["tiktok"]},
            "alhena": {"company_key": "public-1"},
        },
    )
    assert set(secrets(found)) == {KEY, "SB-Mid-server-1", "EAA1", "sfpk_1"}
