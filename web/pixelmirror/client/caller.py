"""What both clients know and decide; they differ in how they send and wait."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypedDict

import httpx

from ..check import EventError, check_kind
from .events import Events, batches
from .sending import Patience, Steps, sending

TIMEOUT_S = 10.0
TRIES = 5
PATIENCE_S = 30.0

Fields = Mapping[str, Any]
Consent = str | Sequence[str] | Fields


def system_now_ms() -> int:
    return time.time_ns() // 1_000_000


class Settings(TypedDict, total=False):
    """How a client is made, beside who it is; the last four are for tests."""

    currency: str | None  # of amounts told without one; else the site file's, by the relay
    custom_events: Collection[str]  # those of the site file: any other unknown name is refused
    timeout_s: float  # of each step of one try: to connect, to send, to hear
    tries: int
    patience_s: float  # no try begins later than that
    now_ms: Callable[[], int]
    clock_s: Callable[[], float]
    chance: Callable[[], float]
    urandom: Callable[[int], bytes]


class Told(TypedDict, total=False):
    """What may be told of an event beside its name and params (DESIGN 5.4)."""

    user: Fields | None  # {"id": "C-77", "email": "siti@example.com", "phone": "+6281234567890"}
    page: Fields | None  # {"url", "referrer", "title"}
    visitor_id: str | None
    attribution: Fields | None  # {"fbc", "fbp", "ttclid", "ttp", "kwai_click_id", ...}
    consent: Consent | None  # "granted", "denied", ["1", "3"]; else the site's setting
    client: Fields | None  # the shopper's {"ip", "user_agent"}
    event_id: str | None  # else {order ID}-{event name} of an order's, or {event name}_{UUID}
    event_time: int | None  # milliseconds since 1970; else now
    destinations: Sequence[str] | None  # only these


class Caller:
    """One site of one relay, and its secret key: makes events, and the steps of sending them."""

    def __init__(
        self,
        url: str,
        site: str,
        secret: str,
        *,
        currency: str | None = None,
        custom_events: Collection[str] = (),
        timeout_s: float = TIMEOUT_S,
        tries: int = TRIES,
        patience_s: float = PATIENCE_S,
        now_ms: Callable[[], int] = system_now_ms,
        clock_s: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        urandom: Callable[[int], bytes] = os.urandom,
    ) -> None:
        if not re.fullmatch("[a-z0-9-]+", site):
            raise ValueError("site must be its name in the site file: a to z, 0 to 9 and -")
        if not re.fullmatch("[!-~]+", secret):
            raise ValueError("secret must be the site's secret_key: ASCII, without spaces")
        if currency is not None:
            currency = _currency(currency)
        if isinstance(custom_events, str):
            raise ValueError("custom_events must be a list of names, not one text")
        if tries < 1:
            raise ValueError("tries must be 1 or more")
        self.url = _address(url)
        self.site = site
        self._events = Events(currency, custom_events, now_ms, urandom)
        self._patience = Patience(tries, patience_s, now_ms, clock_s, chance)
        self._timeout_s = timeout_s
        self._headers = httpx.Headers(  # whose repr hides the key
            {
                "Authorization": f"Bearer {secret}",
                "Content-Type": "application/json",
                "User-Agent": "pixelmirror.client",
            }
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, site={self.site!r})"

    def event(
        self,
        name: str,
        params: Fields | None = None,
        *,
        user: Fields | None = None,
        page: Fields | None = None,
        visitor_id: str | None = None,
        attribution: Fields | None = None,
        consent: Consent | None = None,
        client: Fields | None = None,
        event_id: str | None = None,
        event_time: int | None = None,
        destinations: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """The checked event, for `send` now or later; raises EventError. `Told` says what is what.

        Shape: `{"event_id": "ORD-77-refund", "event_name": "refund", "event_time": 1760000000000,
        "params": {"id": "ORD-77", "value": 147000, "type": "online", ...}}`.
        """
        return self._events.checked(
            {
                "event_name": name,
                "params": params,
                "user": user,
                "page": page,
                "visitor_id": visitor_id,
                "attribution": attribution,
                "consent": consent,
                "client": client,
                "event_id": event_id,
                "event_time": event_time,
                "destinations": destinations,
            }
        )

    def _steps(self, events: Sequence[Fields]) -> Steps:
        return sending(batches(self.site, events), self._patience)


def _currency(code: str) -> str:
    """The code as events have it; raises ValueError."""
    try:
        return str(check_kind("currency", code, "currency"))
    except EventError as error:
        raise ValueError(error.message) from error


def _address(url: str) -> str:
    """The relay's address without a slash at its end; raises ValueError."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    # What stands before an @ would go along as another key.
    is_plain = not (parsed.userinfo or parsed.query or parsed.fragment)
    if parsed.scheme not in ("http", "https") or not parsed.host or not is_plain:
        raise ValueError("url must be the relay's address, such as https://t.shop.example")
    return str(parsed).rstrip("/")
