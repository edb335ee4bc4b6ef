"""The schemas of `docs/openapi.json`: every body that the relay takes, and every one it answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import get_args, get_type_hints

from pixelmirror.calls import SHOPS
from pixelmirror.check import ITEMS_LIMIT
from relay import storefront_params, wire
from relay.app import STATES
from relay.midtrans import FAILURES, REFUNDS
from relay.outbox import DeliveryRow, PaymentRow, Step, StoryRow
from relay.reference import schema
from relay.reference.kinds import Schema
from relay.refusals import STATUS
from relay.site import Provider
from relay.storefront_body import SHAPES, URLS, Shape

NULLABLE: Schema = {"type": ["string", "null"]}
NO_WORD: Schema = {"enum": [None, ""]}

# What operators are shown of a delivery and of a payment.
SHOWN: dict[str, Schema] = {
    "attempts": {"type": "integer", "minimum": 0},
    "destination": {"type": "string"},
    "event_id": {"type": "string"},
    "event_name": {"type": "string"},
    "order_id": {"type": "string"},
    "reason": {"description": "Why, where it is not done.", "type": "string"},
    "sent_as": {"description": "The event ID that the destination is given.", **NULLABLE},
    "state": {"enum": list(STATES)},
    "status": {"description": "Of the last answer.", "type": ["integer", "null"]},
    "updated_at": {"description": "In milliseconds since 1970.", "type": "integer"},
    "at": {"description": "In milliseconds since 1970.", "type": "integer"},
    "attempt": {"description": "Which one ended so.", "type": ["integer", "null"]},
    "what": {"enum": list(get_args(get_type_hints(Step)["what"]))},
}

# And of one whose event or order is asked for.
STORY: dict[str, Schema] = {
    "order_id": NULLABLE,
    "received_at": {"description": "In milliseconds since 1970.", "type": "integer"},
    "source": {"description": "Who told it.", "enum": ["page", "server", "payment", None]},
    "consent": {"description": "As the event told it.", "type": ["object", "null"]},
    "due_at": {"description": "The next attempt, at the earliest.", "type": ["integer", "null"]},
}


def schemas() -> dict[str, Schema]:
    """Each schema by its name, those of `docs/event.schema.json` among them."""
    document = schema.document()
    parts = document.pop("$defs")
    parts["any_event"] = {key: parts["event"][key] for key in parts["event"] if key != "allOf"}
    parts["event"] = {"anyOf": [_one_event(rule) for rule in parts["event"]["allOf"]]}
    del document["$schema"], document["title"], document["description"]
    server = {**document, "required": ["site", "events"]}
    every = {
        **parts,
        "events": document,
        "server_events": server,
        "calls": _calls(),
        **{f"scalev_{one}": _storefront(SHAPES[one]) for one in get_args(Provider)},
        "notification": _notification(),
        "replay": _replay(),
        "deliveries": _deliveries(),
        "dead_letters": _rows("dead_letters", DeliveryRow.__annotations__),
        "payments": _rows(
            "payments",
            PaymentRow.__annotations__,
            state={"enum": ["paid", "reversed"]},
            status={"description": "Midtrans' own.", "type": "string"},
            event_id={"description": "Of the event that the payment sent.", **NULLABLE},
        ),
        "error": _error(),
    }
    moved: dict[str, Schema] = json.loads(
        json.dumps(every).replace('"#/$defs/', '"#/components/schemas/')
    )
    return moved


def _one_event(rule: Schema) -> Schema:
    """An event of one name. A choice of these is what tools can read, make up and show."""
    then: Schema = rule["then"]
    return {
        "$ref": "#/$defs/any_event",
        **then,
        "properties": {**rule["if"]["properties"], **then["properties"]},
    }


def _error() -> Schema:
    """The body of every refusal."""
    properties: Schema = {
        "code": {"enum": sorted(STATUS)},
        "message": {"description": "Why, for a person.", "type": "string", "minLength": 1},
        "field": {
            "description": "The path of what is wrong, such as `events[0].params.currency`.",
            "type": "string",
        },
    }
    return _exactly({"error": {**_exactly(properties), "required": ["code", "message"]}})


def _exactly(properties: Schema) -> Schema:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def _calls() -> Schema:
    """What a page sends that was left before Python was up."""
    text: Schema = {"type": "string"}
    page = {
        "type": "object",
        "required": ["url"],
        "properties": {
            "url": text,
            "referrer": text,
            "title": text,
        },
    }
    call = {
        "description": "One that is none costs only itself.",
        "type": "object",
        "required": ["uuid", "time", "args", "page"],
        "properties": {
            "uuid": text,
            "time": {"description": "In milliseconds since 1970.", "type": "integer"},
            "args": {
                "description": "As the page called it: the verb and what belongs to it.",
                "type": "array",
                "minItems": 1,
                "prefixItems": [{"type": "string", "examples": list(SHOPS)}],
            },
            "page": page,
        },
    }
    return {
        "type": "object",
        "required": ["calls"],
        "properties": {
            "sent_at": {"anyOf": [schema.TIME, {"type": "null"}]},
            "calls": {
                "type": "array",
                "minItems": 1,
                "maxItems": wire.MAX_EVENTS,
                "items": call,
            },
            "cookies": {"description": "The page's `document.cookie`.", "type": "string"},
            "consent": {"description": "`required`, where the tag says so.", "type": "string"},
            "gpc": {"description": "Global Privacy Control.", "type": "boolean"},
        },
    }


# --- Scalev's bodies ---


def _storefront(shape: Shape) -> Schema:
    """One system's copy, as the fields that `relay.storefront_body` reads."""
    properties: Schema = {name: _word({"type": "string"}) for name in URLS}
    if shape.user_key:
        fields = {name: _word(_limited()) for name in {**shape.user, **shape.attribution}}
        properties[shape.user_key] = {"type": "object", "properties": fields}
    else:
        properties.update({name: _word(_limited()) for name in shape.attribution})
    for name, id_key, _ in storefront_params.ITEM_LISTS:
        properties[name] = _item_list(id_key)
    properties["events"] = {
        "type": "array",
        "minItems": 1,
        "maxItems": wire.MAX_EVENTS,
        "items": _storefront_event(shape),
    }
    required = ["events", *shape.required, *([shape.user_key] if shape.user_key else [])]
    for name in shape.required:
        text = {"type": "string"} if name in URLS else _limited()
        properties[name] = {**text, "minLength": 1}
    for name in URLS:
        if name in properties:
            properties[name] = {"description": "A URI.", **properties[name]}
    return {"type": "object", "required": required, "properties": properties}


def _storefront_event(shape: Shape) -> Schema:
    data = _fields(storefront_params.PARAMS) | _fields(storefront_params.ONLY_ITEM)
    data |= {
        "order_id": _word({"$ref": "#/$defs/id"}),
        "content_id": _word({"$ref": "#/$defs/id"}),
        "content_ids": _list(_word({"$ref": "#/$defs/id"})),
        "contents": _list({"type": "object", "properties": _fields(storefront_params.CONTENT)}),
    }
    properties: Schema = {
        shape.name_key: {"description": "The system's own name.", "type": "string"},
        shape.data_key: {"anyOf": [{"type": "object", "properties": data}, NO_WORD]},
    }
    required = [shape.name_key]
    if "event_id" in shape.event_keys:
        properties["event_id"] = schema.PRINTABLE
        required.append("event_id")
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


def _item_list(id_key: str) -> Schema:
    row = {
        "type": "object",
        "required": [id_key, "quantity"],
        "properties": {
            id_key: {"$ref": "#/$defs/id"},
            "quantity": {"type": "integer", "minimum": 1, "maximum": 10**9 - 1},
        },
        "additionalProperties": False,
    }
    return _list(row)


def _fields(fields: storefront_params.Fields) -> Schema:
    return {theirs: _word({"$ref": f"#/$defs/{kind}"}) for theirs, _, kind in fields}


def _word(of: Schema) -> Schema:
    """Null and an empty text say nothing."""
    return {"anyOf": [of, NO_WORD]}


def _limited() -> Schema:
    return {"type": "string", "maxLength": wire.MAX_URL}


def _list(row: Schema) -> Schema:
    return {"type": ["array", "null"], "maxItems": ITEMS_LIMIT, "items": row}


# --- the others ---


def _notification() -> Schema:
    text: Schema = {"type": "string"}
    return {
        "description": "Midtrans' payment notification; one without `order_id` is no payment.",
        "type": "object",
        "properties": {
            "order_id": text,
            "status_code": text,
            "gross_amount": text,
            "signature_key": {"description": "Midtrans' own, over the three above.", **text},
            "transaction_status": {
                **text,
                "examples": ["settlement", "capture", *REFUNDS, *FAILURES],
            },
            "fraud_status": {"description": "`accept` for a payment.", **NULLABLE},
            "payment_type": text,
            "currency": NULLABLE,
            "transaction_time": text,
            "settlement_time": text,
        },
    }


def _replay() -> Schema:
    return {
        "type": "object",
        "properties": {
            "site": {"description": "That of the key.", **NULLABLE},
            "destination": {"description": "Only this one's.", **NULLABLE},
            "event_id": {"description": "Only this one.", **NULLABLE},
            "since": {
                "description": "Only those that became dead letters since then, in milliseconds.",
                "anyOf": [
                    {"type": "integer", "minimum": 0, "exclusiveMaximum": wire.LATEST_MS},
                    {"type": "null"},
                ],
            },
        },
    }


def _deliveries() -> Schema:
    """The rows; of an event or an order each with its story."""
    found = _rows("deliveries", DeliveryRow.__annotations__)
    history = _rows("history", Step.__annotations__)["properties"]["history"]
    told = {**STORY, "history": {"description": "What became of it, step by step.", **history}}
    more = [field for field in StoryRow.__annotations__ if field not in DeliveryRow.__annotations__]
    found["properties"]["deliveries"]["items"]["properties"] |= {key: told[key] for key in more}
    return found


def _rows(name: str, fields: Iterable[str], **own: Schema) -> Schema:
    """`{name: [row]}`, each row with exactly these fields."""
    rows = {field: {**SHOWN, **own}[field] for field in fields}
    return _exactly({name: {"type": "array", "items": _exactly(rows)}})
