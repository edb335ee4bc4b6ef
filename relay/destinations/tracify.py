"""Tracify's server-side events, for which a page has no pixel. Source: specs/tracify.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlsplit

from pixelmirror.attribution import parse_query
from pixelmirror.catalogue import own_name
from relay.destinations import (
    DONE,
    Answer,
    Event,
    Judgement,
    KeepsHashes,
    Request,
    ambiguous,
    http_url,
    judge_transport,
    refused,
    retry_after_s,
    unwanted,
)
from relay.identity import anonymise, normal_email
from relay.site import Site, TracifyTable

BASE_URL = "https://api.tracify.ai"
PATH = "/api/v1/events"
TOKEN_HEADER = "tracify-token"  # noqa: S105 - a header's name

TYPES = ("pageview", "productview", "addtocart", "purchase", "conversion")

# The types that Tracify knows again, by which key: a repeat of these is ignored.
UNIQUE_ID = {"purchase": "order_id", "conversion": "conversion_id"}

# The types that may start a session, and the landing parameters they carry (T8).
LANDING_TYPES = ("pageview", "productview")
LANDING_PREFIXES = ("utm_", "trc_")

# identity_data's classes.
EMAIL, SESSION, IP, USER_AGENT = 1, 2, 3, 4

# A gateway that could not reach Tracify: retried for every type (section 2, retry table).
NOT_REACHED = (502, 503, 504)

DEFAULT_PORTS = {"http": 80, "https": 443}
CENT = Decimal("0.01")


def destinations(site: Site, name: str, table: TracifyTable) -> list[Tracify]:
    """The table's one destination."""
    return [Tracify(name, table)]


class Tracify(KeepsHashes):
    """Tracify, as one site has set it up."""

    kind = "tracify"
    batch = 50  # no maximum is published
    in_flight = 4
    per_second = 10.0  # nor is a limit; this one is ours
    max_age_s = 7 * 24 * 60 * 60

    def __init__(self, name: str, table: TracifyTable) -> None:
        self._events = table.events
        self._own_names = table.event_names
        self._customer_site_id = table.customer_site_id
        self._url = (table.base_url or BASE_URL) + PATH
        self._headers = {
            TOKEN_HEADER: table.token,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        self.name = name
        self.categories: Sequence[str] = table.categories

    def skips(self, event: Event) -> str | None:
        if reason := unwanted(event, self._events):
            return reason
        kind = self._type(event)
        if kind not in TYPES:
            named = f"{event['event_name']} ({kind})" if kind else event["event_name"]
            return f"Tracify has no type for {named}, known: {', '.join(TYPES)}"
        return _lacks(event, kind)

    def sent_as(self, event: Event) -> str | None:
        return None

    def hashed_user(self, event: Event) -> Mapping[str, int]:
        """The anonymised e-mail address -> its class."""
        email = event.get("user", {}).get("email")
        return {anonymise(normal_email(email)): EMAIL} if email else {}

    def requests(self, events: Sequence[Event]) -> list[Request]:
        """Apart: what may be sent twice, and what Tracify would count twice."""
        again = [event for event in events if self._type(event) in UNIQUE_ID]
        once = [event for event in events if self._type(event) not in UNIQUE_ID]
        return [
            self._request(group, repeatable)
            for group, repeatable in ((again, True), (once, False))
            if group
        ]

    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        if answer.status in NOT_REACHED:
            reason = f"server error ({answer.status})"
            return Judgement("retry", reason, retry_after_s(answer, now))
        shared = judge_transport(request, answer, now)
        if shared is not None:
            return shared
        if answer.status not in range(200, 300):
            return refused(answer)
        was_accepted = _status(answer.body)
        if was_accepted is None:
            return ambiguous(request, f"not Tracify's answer ({answer.status})")
        return DONE if was_accepted else refused(answer)

    def _type(self, event: Event) -> str:
        """Empty where there is none."""
        name: str | None = own_name(event["event_name"], "tracify", self._own_names)
        return name or ""

    def _request(self, events: Sequence[Event], repeatable: bool) -> Request:
        body = {"events": [self._envelope(event) for event in events]}
        return Request(
            url=self._url,
            body=json.dumps(body, separators=(",", ":")).encode(),
            headers=self._headers,
            events=events,
            repeatable=repeatable,
        )

    def _envelope(self, event: Event) -> dict[str, Any]:
        kind = self._type(event)
        moment = datetime.fromtimestamp(event["event_time"] // 1000, UTC)
        return {
            "url": event["page"]["url"],
            "customer_site_id": self._customer_site_id,
            "identity_data": {**_identity_data(event), **self.stored_hashes(event)},
            "datetime": moment.strftime("%Y-%m-%d %H:%M:%S"),
            "type": kind,
            "data": _data(event, kind),
        }


def _lacks(event: Event, kind: str) -> str | None:
    """What the event has not and Tracify requires (T14)."""
    if not http_url(event, "url"):
        return "no http or https page URL"
    client = event.get("client", {})
    for field, words in (("ip", "no IP address"), ("user_agent", "no user agent")):
        if not client.get(field):
            return words
    if kind in UNIQUE_ID:
        for field in ("value", "currency"):
            if field not in event["params"]:
                return f"no {field}, which a {kind} needs"
    return None


def _identity_data(event: Event) -> dict[str, int]:
    """Anonymised value -> class; the session is the raw IP, a bar and the raw user agent (T10)."""
    ip, user_agent = event["client"]["ip"], event["client"]["user_agent"]
    return {
        anonymise(f"{ip}|{user_agent}"): SESSION,
        anonymise(ip): IP,
        anonymise(user_agent): USER_AGENT,
    }


def _data(event: Event, kind: str) -> dict[str, str]:
    """`data` by type: landing parameters, the order, its items; flat, all of it text."""
    data = {"origin": _origin(event["page"]["url"])}
    if referrer := http_url(event, "referrer"):
        data["Referer"] = referrer
    if kind in LANDING_TYPES:
        data.update(_landing(event["page"]["url"]))
    if kind in UNIQUE_ID:
        data.update(_amounts(event, kind))
    if kind == "purchase":
        data.update(_items(event["params"].get("items", ())))
    return data


def _origin(url: str) -> str:
    """Scheme, host and a port that is not the scheme's own, no slash behind (T7)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _landing(url: str) -> dict[str, str]:
    """The URL's campaign parameters; their prefixes keep them off every other key (T8).

    What may be an e-mail address stays out: some mail tools put it into `utm_content`.
    """
    return {
        name: value
        for name, value in parse_query(url).items()
        if name.startswith(LANDING_PREFIXES) and value and "@" not in value
    }


def _amounts(event: Event, kind: str) -> dict[str, str]:
    """The ID by which a repeat is known, and the amount, shipping included (T1, T2, T13)."""
    params = event["params"]
    amount = _decimals(params["value"])
    data = {
        UNIQUE_ID[kind]: params.get("id") or event["event_id"],
        "currency": params["currency"],
        "amount": amount,
    }
    return {**data, "value": amount} if kind == "conversion" else data


def _items(items: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """`ITEM1`, `AMT1`, `QTY1` and so on: name, unit price, pieces (T3, T4, T5)."""
    data = {}
    for n, item in enumerate(items, start=1):
        product = item["product"]
        data[f"ITEM{n}"] = product["name"]
        if "price" in product:
            data[f"AMT{n}"] = _decimals(product["price"])
        data[f"QTY{n}"] = str(item["quantity"])
    return data


def _decimals(amount: float) -> str:
    """The amount as text with a dot and two decimals: 100 is `100.00` (T1)."""
    return str(Decimal(str(amount)).quantize(CENT, ROUND_HALF_UP))


def _status(body: bytes) -> bool | None:
    """The answer's own `status`; None when there is none, as in a proxy's page."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    status = said.get("status") if isinstance(said, dict) else None
    return status if isinstance(status, bool) else None
