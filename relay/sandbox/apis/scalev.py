"""Scalev's three Storefront analytics routes (scalev.md section 2, R1-R7, R34-R41, R50-R59)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from relay.sandbox.apis.exchange import (
    Api,
    Received,
    Verdict,
    dedup_key,
    is_good,
    narrowed,
    words,
)
from relay.sandbox.calls import Seen
from relay.sandbox.shape import (
    Check,
    Fault,
    at_least,
    dotted,
    integer,
    list_of,
    record,
    string,
    text,
    url,
)

KEY_HEADER = "x-scalev-storefront-api-key"
_JSON = "application/json"
_CODES = {400: "bad_request", 404: "not_found", 429: "too_many_requests", 503: "unavailable"}


def _row(unique_id: str) -> Check:
    """R35, R36: exactly two keys."""
    return record({unique_id: text, "quantity": at_least(1)}, closed=True)


# R38, R41: beside `events`, and left out rather than empty.
_ITEMS: dict[str, Check] = {
    "variants": list_of(_row("variant_unique_id"), least=1),
    "bundle_price_options": list_of(_row("bundle_price_option_unique_id"), least=1),
}
_META_USER = dict.fromkeys("fn ln em ph ct st country external_id fbc fbp".split(), string)
_TIKTOK_USER = dict.fromkeys("email phone external_id ttclid ttp user_agent".split(), string)
_SNACKVIDEO_PROPERTIES = {
    **dict.fromkeys(("value", "quantity", "price"), integer),
    **dict.fromkeys(
        ("content_type", "content_category", "content_name", "currency", "query"), string
    ),
}


@dataclass(frozen=True)
class _Provider:
    """What one route takes. `deduplicates`: its events carry an event ID (R46, R50)."""

    name_key: str
    required: dict[str, Check]
    optional: dict[str, Check]
    event: Check
    deduplicates: bool


_PROVIDERS = {
    "meta": _Provider(
        "event_name",
        {"user_data": record(optional={**_META_USER, "location_id": integer})},
        {"event_source_url": url, "referrer_url": url},
        record(
            {"event_id": text, "event_name": text},
            {"parameters": record()},
            closed=True,
        ),
        deduplicates=True,
    ),
    "tiktok": _Provider(
        "event",
        {"event_source_url": url, "user": record(optional=_TIKTOK_USER)},
        {"referrer_url": url},
        record(
            {"event_id": text, "event": text},
            {"parameters": record()},
            closed=True,
        ),
        deduplicates=True,
    ),
    "snackvideo": _Provider(
        "event_name",
        {"click_id": text},
        {"event_source_url": url, "referrer_url": url},
        record(
            {"event_name": text},
            {"properties": record(optional=_SNACKVIDEO_PROPERTIES)},
            closed=True,
        ),
        deduplicates=False,
    ),
}


def refuse(status: int, message: str, errors: dict[str, list[str]] | None = None) -> Any:
    """Scalev's error body. A 429 may be plain text, so here it is."""
    if status == 429:
        return message
    return {
        "error": message,
        "error_code": _CODES.get(status, "error"),
        "message": message,
        "errors": errors or {},
    }


def _judge(provider: _Provider, received: Received) -> Verdict:
    seen = []
    for event, call in narrowed(received, "events"):
        name, event_id = words(event, provider.name_key), words(event, "event_id")
        key = dedup_key(name, event_id) if provider.deduplicates else None
        seen.append(Seen(name, event_id, call, key=key))
    accepted = Verdict(204, None, tuple(seen))
    if not (is_good(received.headers.get(KEY_HEADER)) and is_good(received.path["store_id"])):
        return accepted.refused(404, refuse(404, "Store not found"), "Store not found")
    if faults := _faults(provider, received):
        by_field: dict[str, list[str]] = {}
        for fault in faults:
            by_field.setdefault(dotted(fault.path), []).append(fault.words)
        message = f"{dotted(faults[0].path)} {faults[0].words}"
        return accepted.refused(400, refuse(400, message, by_field), message)
    return accepted


def _faults(provider: _Provider, received: Received) -> list[Fault]:
    headers = received.headers
    if not received.is_json:
        return [Fault(("Content-Type",), f"must be {_JSON}", "value")]
    if headers.get("accept") != _JSON:
        return [Fault(("Accept",), f"must be {_JSON}", "value")]
    if "cookie" in headers:  # R5; the true Scalev does not look, we do
        return [Fault(("Cookie",), "must not be sent", "value")]
    shape = record(
        {**provider.required, "events": list_of(provider.event, least=1)},
        {**provider.optional, **_ITEMS},
    )
    return shape(received.body, ())


APIS = tuple(
    Api(
        f"scalev.{name}",
        f"/v3/stores/{{store_id}}/public/analytics/{name}/events",
        partial(_judge, provider),
        refuse,
    )
    for name, provider in _PROVIDERS.items()
)
