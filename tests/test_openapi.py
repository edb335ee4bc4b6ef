"""`docs/openapi.json` has every route of the relay, each with all that it can answer."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from starlette.routing import Route

from relay.app import Relay
from relay.outbox.sqlite import SqliteOutbox
from relay.reference.examples import EXAMPLES
from relay.refusals import STATUS
from tests.relay.paid_shop import notification
from tests.relay.relay_stage import EVENT, page_assets, site
from tests.relay.storefront_bodies import META, SNACKVIDEO, TIKTOK
from tests.relay.test_hostile_bodies import CALLS, EVENTS, REPLAY, SERVER

DOCUMENT = json.loads(
    (Path(__file__).parents[1] / "docs" / "openapi.json").read_text(encoding="utf-8")
)
SCHEMAS = DOCUMENT["components"]["schemas"]
METHODS = {"get", "post", "put", "patch", "delete", "options"}

# What a connection is told before any route is known, and what every path and method may be told.
EVERYWHERE = {
    "invalid_request",
    "too_slow",
    "head_too_large",
    "not_found",
    "method_not_allowed",
    "internal_error",
}


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    """Those of the app."""
    folder = tmp_path_factory.mktemp("relay")

    async def made() -> list[Route]:
        async with await SqliteOutbox.open(folder / "outbox.db") as outbox:
            return Relay([site()], outbox, page_assets(folder / "dist")).routes()

    return asyncio.run(made())


def test_every_route_is_in_the_document_and_no_other(routes: list[Route]) -> None:
    """Path by path, method by method; HEAD is GET without its body."""
    served = {
        (re.sub(r":\w+}", "}", route.path), method.lower())
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
    }
    written = {
        (path, method) for path, row in DOCUMENT["paths"].items() for method in set(row) & METHODS
    }
    assert written == served


def test_every_refusal_is_in_the_document() -> None:
    """Each code stands at the routes that know it, under its own status."""
    found = set()
    for row in DOCUMENT["paths"].values():
        for operation in row.values():
            for status, answer in operation["responses"].items():
                for code in codes(answer):
                    assert STATUS[code] == int(status)
                    found.add(code)
    assert found | EVERYWHERE == set(STATUS)
    assert set(SCHEMAS["error"]["properties"]["error"]["properties"]["code"]["enum"]) == set(STATUS)


def codes(answer: dict[str, Any]) -> list[str]:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    for part in schema.get("allOf", ()):
        if "$ref" not in part:
            found: list[str] = part["properties"]["error"]["properties"]["code"]["enum"]
            return found
    return []


def test_each_name_that_it_refers_to_is_there() -> None:
    """And each schema is sound and used."""
    names: set[str] = set()

    def collect(node: Any) -> None:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if key == "$ref":
                names.add(value)
            elif isinstance(value, dict | list):
                collect(value)

    collect(DOCUMENT)
    assert names == {f"#/components/schemas/{name}" for name in SCHEMAS}
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def is_valid(name: str, body: Any) -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    return bool(jsonschema.Draft202012Validator(schema).is_valid(body))


BODIES = [
    ("events", EVENTS),
    ("server_events", SERVER),
    ("calls", CALLS),
    ("replay", REPLAY),
    ("replay", {}),
    ("notification", notification()),
    ("notification", {"account_id": "a"}),
    ("scalev_meta", META),
    ("scalev_tiktok", TIKTOK),
    ("scalev_snackvideo", SNACKVIDEO),
]


@pytest.mark.parametrize(("name", "body"), BODIES)
def test_what_the_relay_takes_is_right_by_the_document(name: str, body: dict[str, Any]) -> None:
    """Each kind of body, as the other tests send it."""
    assert is_valid(name, body)


@pytest.mark.parametrize("event_name", EXAMPLES)
def test_each_example_is_right_by_the_document(event_name: str) -> None:
    event = {**EVENT, "event_name": event_name, "params": EXAMPLES[event_name]}
    assert is_valid("events", {"events": [event]})
    assert not is_valid("server_events", {"events": [event]})
    assert is_valid("server_events", {"site": "toko", "events": [event]})


WRONG = [
    ("events", {"events": [{**EVENT, "event_time": 7}]}),
    ("calls", {"calls": [{}]}),
    ("replay", {"since": "yesterday"}),
    ("scalev_meta", {**META, "user_data": None}),
    ("scalev_meta", {**META, "variants": [{"variant_unique_id": "v"}]}),
    ("scalev_tiktok", {key: TIKTOK[key] for key in TIKTOK if key != "event_source_url"}),
    ("scalev_snackvideo", {**SNACKVIDEO, "events": [{"event_id": "e", "event_name": "x"}]}),
]


@pytest.mark.parametrize(("name", "body"), WRONG)
def test_what_the_relay_refuses_is_wrong_by_the_document(name: str, body: dict[str, Any]) -> None:
    assert not is_valid(name, body)
