"""`SECURITY.md` promises nothing that no test holds."""

from __future__ import annotations

import re
from pathlib import Path

from relay import body, callers, connection, sending
from relay.outbox import UNIQUE_DAYS

REPO = Path(__file__).parents[1]
DOCUMENT = (REPO / "SECURITY.md").read_text(encoding="utf-8")


def test_every_test_that_it_names_is_there() -> None:
    """And it names a good many."""
    named = set(re.findall(r"`(test_\w+)`", DOCUMENT))
    code = "\n".join(path.read_text("utf-8") for path in (REPO / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)\(", code))
    assert named - there == set()
    assert len(named) > 40


def test_its_numbers_are_those_of_the_code() -> None:
    """A limit that changes changes here too."""
    for words in (
        f"end at {body.MAX_BYTES // 1024} KiB",
        f"{body.MAX_KEYS} keys an object",
        f"{body.MAX_KEY} characters a key",
        f"{body.MAX_DEPTH} levels",
        f"{connection.MAX_HEAD_BYTES // 1024} KiB and {connection.MAX_HEADERS} headers",
        f"one more for each {connection.BYTES_A_S // 1024} KiB",
        f"{connection.MAX_CONNECTIONS:,} at the most",
        f"{callers.SITE_TIMES} times it, and never less than {callers.SITE_RATE} a second",
        f"{callers.STRANGERS_RATE} a second for each address",
        f"{sending.MAX_ANSWER_BYTES // 1024} KiB are read",
        f"at least {UNIQUE_DAYS} days",
    ):
        assert words in DOCUMENT, words
    assert (connection.PATIENCE_S, sending.TOTAL_TIMEOUT_S, callers.BURST) == (10, 10, 4)


def test_the_readme_leads_to_it() -> None:
    assert "(SECURITY.md)" in (REPO / "README.md").read_text(encoding="utf-8")
