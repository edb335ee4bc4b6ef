"""Bodies as the tracker writes them, of every event of the catalogue, and what holds of them."""

from __future__ import annotations

import json
from typing import Any

from pixelmirror import catalogue
from pixelmirror.event import build
from relay import wire
from relay.body import read_strictly
from relay.canonical import Canonical, canonical, events
from relay.reference.examples import EXAMPLES
from tests.relay.relay_stage import NOW, UUID, site
from tests.unit import samples

SITES = (
    site(),
    site(currency="USD", consent="required", custom_events=["quiz_done"]),
)

CONTEXT: dict[str, Any] = {
    "site": {"currency": "IDR", "custom_events": []},
    "page": {"url": "https://toko.example/p/kaos?utm_source=fb", "title": "Kaos “Merah” 日本 😀"},
    "user": {
        "id": "C-77",
        "email": "siti@example.com",
        "phone": "+6281234567890",
        "firstname": "Siti Nurhaliza",
        "birthdate": "1988-03-09",
        "gender": "f",
        "country": "id",
        "consent_categories": ["1", "3"],
        "lastname_sha256": "ab" * 32,
    },
    "visitor_id": UUID,
    "attribution": {"fbc": "fb.1.1760000000000.AbC", "caid": "1" * 24},
    "consent": {"status": "granted", "categories": ["1", "3"], "gpc": True},
}
LEAST: dict[str, Any] = {
    **CONTEXT,
    "page": {"url": "https://toko.example/"},
    "user": {},
    "visitor_id": "",
    "attribution": {},
    "consent": {"status": "granted"},
}
GOODS = {
    "id": "variant_a1",
    "quantity": 2,
    "discount": 5000,
    "list_position": 0,
    "coupon": "HEMAT",
    "product": {
        "id": "p1",
        "name": 'Layar 15" Kaos',
        "price": 60000,
        "currency": "IDR",
        "colors": ["merah", "biru"],
    },
}


def event(name: str, params: dict[str, Any], context: dict[str, Any] | None = None) -> Any:
    """The event that the page builds."""
    return build(name, params, UUID, NOW, {}, context or CONTEXT)


def body(*rows: Any) -> dict[str, Any]:
    return {"sent_at": NOW + 500, "cookie_domain": "toko.example", "events": list(rows)}


def text(said: dict[str, Any]) -> str:
    """As MicroPython writes it: compact, its characters as they are."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _every() -> dict[str, dict[str, Any]]:
    found = {}
    for name in catalogue.EVENTS:
        found[f"{name} of the documents"] = body(event(name, EXAMPLES[name]))
        found[f"{name} at its least"] = body(event(name, samples.params(name), LEAST))
        if "items" in catalogue.EVENTS[name]["required"]:
            found[f"{name} with more"] = body(event(name, samples.params(name, items=[GOODS])))
    dollars = {**CONTEXT, "site": {"currency": "USD"}, "consent": {"status": "denied"}}
    cents = samples.params("view_cart", items=[samples.item(discount=0.07)])
    found["amounts with cents"] = body(event("view_cart", cents, dollars))
    only = {**event("login", {}), "destinations": ["meta"], "direct": ["scalev.meta"]}
    spam = samples.params("purchase", is_probably_spam=True)
    found["a purchase that may be spam"] = body(event("purchase", spam))
    found["several"] = body(event("page_view", {}, LEAST), event("login", {}), only)
    return found


EVERY = _every()
"""By what is special about them."""


def taken(raw: bytes) -> Canonical | None:
    """What `canonical` makes of a body, or None; the full check leaves its events as they are."""
    said = canonical(raw)
    if said is None:
        return None
    full = read_strictly(raw)
    assert said.sent_at == wire.sent_at(full)
    assert said.cookie_domain == full["cookie_domain"]
    for shop in SITES:
        found = wire.events(full, shop, is_server=False)
        assert said.count == len(found)
        assert said.last["attribution"] == found[-1]["attribution"]
        for field in ("status", "gpc"):
            assert said.last["consent"].get(field) == found[-1]["consent"].get(field)
        # As texts, so that 1 and 1.0 are not the same.
        assert json.dumps(events(raw), sort_keys=True) == json.dumps(found, sort_keys=True)
    return said
