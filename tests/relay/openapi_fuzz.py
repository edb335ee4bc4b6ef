"""Asks a relay what its OpenAPI document allows, and more; holds each answer to the document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import BaseSchema, Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.relay.paid_shop import SHOP, notification
from tests.relay.relay_stage import HOST, KEY, ORIGIN, SHOPPER, Stage, site

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"

# A part of what is asked is right, so that the rest of it is looked at.
OWN = {"site": "toko", "store_id": "store_1", "path": "hash-of-tracker/pixelmirror.tar.gz"}
HEADERS = {
    "Origin": ORIGIN,
    "Authorization": f"Bearer {KEY}",
    "X-Scalev-Storefront-Api-Key": "pmk_toko",
}
TOKO = site(SHOP, store_id="store_1")

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def document() -> BaseSchema:
    """The published one."""
    return schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text(encoding="utf-8")))


def labels() -> list[str]:
    """Each operation: `POST /s/{site}`."""
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    return [f"{method.upper()} {path}" for path, row in paths.items() for method in row]


def fuzz(toko: Stage, label: str, examples: int, *, is_random: bool = False) -> None:
    """So many requests of each kind, right and wrong by the document; the same each time, or not.

    Fails with the shortest request that gets an answer which is not in the document.
    """
    method, path = label.split()
    operation = document()[path][method]
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        try:
            _ask(toko, operation.as_strategy(generation_mode=mode), examples, is_random)
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE  # nothing of it can be wrong


def _ask(toko: Stage, cases: st.SearchStrategy[Case[Any]], examples: int, is_random: bool) -> None:
    @settings(
        max_examples=examples,
        derandomize=not is_random,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        verbosity=Verbosity.quiet,  # schemathesis says how to ask again
    )
    @given(cases, st.data())
    def ask(case: Case[Any], data: st.DataObject) -> None:
        _make_right(case, data)
        answer = _sent(toko, case)
        assert answer.status_code < 500, answer.text
        case.validate_response(answer, checks=CHECKS)

    ask()


def _make_right(case: Case[Any], data: st.DataObject) -> None:
    """Who calls, where, and by which names is right more often than chance would have it."""

    def is_put_right() -> bool:
        return data.draw(st.integers(0, 9)) != 5

    for name in case.path_parameters:
        if is_put_right():
            case.path_parameters[name] = OWN[name]
    for name, value in HEADERS.items():
        if is_put_right():
            case.headers[name] = value
    for told in (case.query, case.body):
        if isinstance(told, dict) and "site" in told and is_put_right():
            told["site"] = "toko"
    if isinstance(case.body, dict) and is_put_right():
        _put_right(case.body, data)


def _put_right(body: dict[str, Any], data: st.DataObject) -> None:
    """A signature and the names of Scalev's events, which no schema can tell."""
    if "signature_key" in body:
        status = data.draw(st.sampled_from(["settlement", "capture", "deny", "refund", "x"]))
        order_id = data.draw(st.sampled_from(["ORD-1", "MBR-1", "\0", "é" * 99]))
        body.update(notification(order_id, transaction_status=status))
    for row in body["events"] if isinstance(body.get("events"), list) else ():
        for key in ("event", "event_name"):
            if isinstance(row, dict) and isinstance(row.get(key), str) and "event_time" not in row:
                row[key] = data.draw(st.sampled_from(["AddToCart", "Purchase", "addToCart"]))


def _sent(toko: Stage, case: Case[Any]) -> httpx.Response:
    """The answer to the request as schemathesis would have sent it."""
    told: dict[str, Any] = case.as_transport_kwargs(base_url=f"https://{HOST}")
    kept = ("method", "url", "headers", "params", "cookies", "data", "json", "files")
    made = requests.Request(**{name: told[name] for name in kept if name in told}).prepare()
    headers = [
        (name.encode(), value if isinstance(value, bytes) else value.encode("utf-8"))
        for name, value in made.headers.items()
    ]
    body = made.body.encode() if isinstance(made.body, str) else made.body
    assert made.method
    assert made.url
    return toko.ask(made.method, made.url, peer=SHOPPER, headers=headers, content=body)
