"""Bots: crawlers and headless browsers, known by the user agent they give."""

from __future__ import annotations

from functools import lru_cache

from crawleruseragents import is_crawler

MAX_USER_AGENT = 512
"""Characters that are looked at: a longer one is no browser's, and matching costs by length."""


@lru_cache(maxsize=10_000)
def is_bot(user_agent: str) -> bool:
    """True for a known crawler or headless browser; False for one that says nothing of itself."""
    return bool(is_crawler(user_agent[:MAX_USER_AGENT]))
