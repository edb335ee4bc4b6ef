"""`docs/openapi.json`: every route of the relay, as OpenAPI 3.1.

Which refusals a route knows stands here, what they are in `relay.refusals`; the tests ask the
relay and hold it to this document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from pixelmirror.scalev import KEY_HEADER, PATH
from relay import __version__
from relay.app import MAX_ROWS, STATES
from relay.body import MAX_BYTES
from relay.callers import BURST
from relay.reference import openapi_schemas
from relay.reference.kinds import Schema
from relay.refusals import STATUS
from relay.site import Provider

ABOUT = f"""\
Pages are known by their `Origin`, servers and operators by the site's secret key. `/s` is the \
setting `serve --path`. A body has at most {MAX_BYTES // 1024} KiB and is not compressed; what \
comes too slowly is cut off with 408, a head that is too large with 431. Where `rate_limit` is \
set, a client may ask so often a second, and {BURST} times that at once. A path that is not here \
is 404 `not_found`, another method 405 `method_not_allowed`, in the same shape as every refusal."""

STATUSES = {
    200: "Yes.",
    204: "Durable: on disk for every destination that wants it.",
    206: "The part that was asked for.",
    304: "As the caller has it.",
    400: "Not JSON, or not an object.",
    401: "No such key.",
    403: "Not from here, or not signed.",
    404: "No such thing.",
    413: "More than the limit.",
    415: "Another media type, or compressed.",
    416: "No such part.",
    422: "One field is wrong, and nothing of the request is stored.",
    429: "Too many requests.",
    503: "Not now.",
}

BODY = ("invalid_json", "too_large", "unsupported_media_type", "rate_limited", "not_durable")
OPERATOR = ("unknown_key", "unknown_site", "rate_limited", "not_durable")

Content = Mapping[str, Schema]
TEXT: Content = {"text/plain": {"type": "string"}}


@dataclass(frozen=True)
class Operation:
    """One method of one path. `answers`: what each status but a refusal's holds, if anything."""

    path: str
    method: str
    name: str
    about: str
    answers: Mapping[int, Content]
    refusals: Sequence[str] = ()
    body: str | Sequence[str] = ""
    key: str = ""
    parameters: Sequence[Schema] = field(default_factory=list)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(name: str) -> Content:
    return {"application/json": _ref(name)}


def _in(place: str, name: str, about: str, schema: Schema | None = None) -> Schema:
    return {
        "name": name,
        "in": place,
        "required": place == "path" or name == "Origin",
        "description": about,
        "schema": schema or {"type": "string"},
    }


SITE = _in("path", "site", "The site's name.", {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"})
STORE = _in("path", "store_id", "The site's `store_id`.")
ORIGIN = _in("header", "Origin", "The page's; one of the site's `origins`.")
LIMIT = _in(
    "query",
    "limit",
    "At most so many rows.",
    {"type": "integer", "minimum": 1, "maximum": MAX_ROWS},
)


def _query(*names: str) -> list[Schema]:
    about = {
        "site": "That of the key.",
        "event_id": "Only this event's.",
        "order_id": "Only this order's.",
        "destination": "Only this destination's.",
    }
    return [_in("query", name, about[name]) for name in names]


STATE = _in("query", "state", "Only those in this state.", {"enum": list(STATES)})

OPERATIONS = [
    Operation(
        "/s/{site}.js",
        "get",
        "loader",
        "What the tag loads: the loader with the site's public settings.",
        {200: {"text/javascript": {"type": "string"}}, 304: {}},
        ["unknown_site", "rate_limited"],
        parameters=[SITE],
    ),
    Operation(
        "/s/{site}/pyscript.json",
        "get",
        "pyscript_config",
        "A PyScript config that makes `import pixelmirror` work in a page's own PyScript.",
        {200: {"application/json": {"type": "object"}}, 304: {}},
        ["unknown_site", "rate_limited"],
        parameters=[SITE],
    ),
    Operation(
        "/s/{site}/client.json",
        "get",
        "client_config",
        "A PyScript config that makes `import pixelmirror.client` work in Pyodide.",
        {200: {"application/json": {"type": "object"}}, 304: {}},
        ["unknown_site", "rate_limited"],
        parameters=[SITE],
    ),
    Operation(
        "/s/assets/{path}",
        "get",
        "asset",
        "A file of the page assets; what is at one path never changes.",
        {200: {"*/*": {}}, 206: {"*/*": {}}, 304: {}, 400: TEXT, 416: TEXT},
        ["unknown_asset"],
        parameters=[_in("path", "path", "As the site's script names it.")],
    ),
    Operation(
        "/s/{site}",
        "post",
        "page_events",
        "Events of a page, or the calls of one that was left before they were events.",
        {204: {}},
        [*BODY, "invalid_event", "origin_not_allowed", "unknown_site"],
        body=["events", "calls"],
        parameters=[SITE, ORIGIN],
    ),
    Operation(
        "/s/{site}",
        "options",
        "page_events_preflight",
        "Whether a page of this origin may send JSON.",
        {204: {}},
        ["origin_not_allowed", "unknown_site", "rate_limited"],
        parameters=[SITE, ORIGIN],
    ),
    Operation(
        "/v1/events",
        "post",
        "server_events",
        "Events from the shop's own servers.",
        {204: {}},
        [*BODY, "invalid_event", "unknown_key", "unknown_site"],
        body="server_events",
        key="secret_key",
    ),
    Operation(
        "/v1/deliveries",
        "get",
        "deliveries",
        "What became of each event, newest first.",
        {200: _json("deliveries")},
        [*OPERATOR, "invalid_event"],
        key="secret_key",
        parameters=[*_query("site", "event_id", "order_id", "destination"), STATE, LIMIT],
    ),
    Operation(
        "/v1/dead-letters",
        "get",
        "dead_letters",
        "What will not be tried again by itself.",
        {200: _json("dead_letters")},
        OPERATOR,
        key="secret_key",
        parameters=_query("site", "destination"),
    ),
    Operation(
        "/v1/dead-letters/replay",
        "post",
        "replay",
        "Those that match are tried again from now on.",
        {
            200: {
                "application/json": {
                    "type": "object",
                    "required": ["replayed"],
                    "properties": {"replayed": {"type": "integer", "minimum": 0}},
                    "additionalProperties": False,
                }
            }
        },
        [*BODY, *OPERATOR, "invalid_event"],
        body="replay",
        key="secret_key",
    ),
    Operation(
        "/v1/payments",
        "get",
        "payments",
        "Which orders are paid, or taken back, last changed first.",
        {200: _json("payments")},
        [*OPERATOR, "invalid_event"],
        key="secret_key",
        parameters=[*_query("site", "order_id"), LIMIT],
    ),
    *(
        operation
        for provider in get_args(Provider)
        for operation in (
            Operation(
                PATH.replace("{provider}", provider),
                "post",
                f"scalev_{provider}",
                "Events as Scalev's storefront analytics API takes them.",
                {204: {}},
                [*BODY, "invalid_event", "unknown_key", "unknown_store", "origin_not_allowed"],
                body=f"scalev_{provider}",
                key="publishable_key",
                parameters=[STORE],
            ),
            Operation(
                PATH.replace("{provider}", provider),
                "options",
                f"scalev_{provider}_preflight",
                "Whether a page of this origin may send JSON.",
                {204: {}},
                ["unknown_store", "origin_not_allowed", "rate_limited"],
                parameters=[STORE, ORIGIN],
            ),
        )
    ),
    Operation(
        "/webhooks/midtrans/{site}",
        "post",
        "notification",
        "Midtrans' payment notification.",
        {
            200: {
                "application/json": {
                    "type": "object",
                    "required": ["result"],
                    "properties": {"result": {"enum": ["paid", "reversed", "ignored"]}},
                    "additionalProperties": False,
                }
            }
        },
        [*BODY, "invalid_notification", "wrong_signature", "unknown_site", "not_confirmed"],
        body="notification",
        parameters=[SITE],
    ),
    Operation("/healthz", "get", "healthz", "The process lives.", {200: TEXT}),
    Operation("/readyz", "get", "readyz", "Events can be stored.", {200: TEXT, 503: TEXT}),
    Operation("/metrics", "get", "metrics", "Counters, as Prometheus reads them.", {200: TEXT}),
]

RETRY_AFTER: Schema = {
    "description": "Seconds until it is worth asking again.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}

KEYS: dict[str, Schema] = {
    "secret_key": {
        "type": "http",
        "scheme": "bearer",
        "description": "The site's secret key, for its servers and operators.",
    },
    "publishable_key": {
        "type": "apiKey",
        "in": "header",
        "name": KEY_HEADER,
        "description": "The site's publishable key, which every page may show.",
    },
}


def text() -> str:
    """The document."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def document() -> Schema:
    """The relay's HTTP interface."""
    paths: dict[str, Schema] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "pixelmirror relay", "version": __version__, "description": ABOUT},
        "paths": paths,
        "components": {"schemas": openapi_schemas.schemas(), "securitySchemes": KEYS},
    }


def _operation(one: Operation) -> Schema:
    made: Schema = {"operationId": one.name, "summary": one.about}
    if one.key:
        made["security"] = [{one.key: []}]
    if one.parameters:
        made["parameters"] = list(one.parameters)
    if one.body:
        schema = _ref(one.body) if isinstance(one.body, str) else {"anyOf": [*map(_ref, one.body)]}
        # The tracker says text/plain, which needs no preflight.
        kinds = ["application/json"] if one.key == "publishable_key" else JSON_OR_TEXT
        made["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": schema} for kind in kinds},
        }
    made["responses"] = _responses(one)
    return made


JSON_OR_TEXT = ["application/json", "text/plain"]


def _responses(one: Operation) -> Schema:
    made: Schema = {}
    for status, content in one.answers.items():
        made[str(status)] = _response(status, content)
    by_status: dict[int, list[str]] = {}
    # A parameter that holds a slash or a line break makes another path.
    refusals = [*one.refusals, *(["not_found"] if "{" in one.path else [])]
    for code in dict.fromkeys(refusals):
        by_status.setdefault(STATUS[code], []).append(code)
    for status, codes in by_status.items():
        made[str(status)] = _refused(status, codes)
    return dict(sorted(made.items()))


def _response(status: int, content: Content) -> Schema:
    made: Schema = {"description": STATUSES[status]}
    if content:
        made["content"] = {kind: {"schema": schema} for kind, schema in content.items()}
    return made


def _refused(status: int, codes: Sequence[str]) -> Schema:
    code = {"properties": {"error": {"properties": {"code": {"enum": list(codes)}}}}}
    made = _response(status, {"application/json": {"allOf": [_ref("error"), code]}})
    if status in (429, 503):
        made["headers"] = {"Retry-After": RETRY_AFTER}
    return made
