"""`docs/event.schema.json`: what the relay takes as events, as JSON Schema 2020-12.

It takes less than the relay where one of two spellings is the documented one (`IDR`, not `idr`).
"""

from __future__ import annotations

import json

from pixelmirror import catalogue
from relay import wire
from relay.reference import facts
from relay.reference.facts import Event, Field
from relay.reference.kinds import HASHES, KINDS, TEXT, Schema

ABOUT = """\
The body of POST /s/{site} and of POST /v1/events. A site's custom events are to be added in \
$defs/custom_event_name. Not said here, and held by the relay: all currencies of one event are \
one; an amount without a currency is refused where the site has none; a discount is no more than \
its price; a value includes its shipping and tax; no field of the shop's own is nested deeper than \
four levels; IDs and times that are numbers have no decimal point; a body has at most 512 KiB."""

NULL: Schema = {"type": "null"}
NOT_NULL: Schema = {"not": NULL}
EMPTY: Schema = {"enum": [None, ""]}

PRINTABLE: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": wire.MAX_ID,
    "pattern": "^[ -~]*$",
}
TIME: Schema = {
    "type": "integer",
    "exclusiveMinimum": wire.EARLIEST_MS,
    "exclusiveMaximum": wire.LATEST_MS,
}

# Any JSON, for fields that the catalogue does not know.
PLAIN: Schema = {
    "anyOf": [
        {"type": ["null", "boolean", "number"]},
        {"type": "string", "maxLength": TEXT["maxLength"]},
        {"type": "array", "items": {"$ref": "#/$defs/plain"}},
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/plain"}},
    ]
}

# When the ID of an order's event, which is made of the order's, may be left out.
WITHOUT_ID = {
    "without items": {"properties": {"params": {"not": {"required": ["items"]}}}},
    "with id": {"properties": {"params": {"required": ["id"], "properties": {"id": NOT_NULL}}}},
}


def text() -> str:
    """The document."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def document() -> Schema:
    """The schema of a request's body."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events for a pixelmirror relay",
        "description": ABOUT,
        "type": "object",
        "required": ["events"],
        "properties": {
            "sent_at": {
                "description": "The sender's clock when it sends, in milliseconds since 1970; "
                "without it no clock is corrected.",
                **_or_null(TIME),
            },
            "site": {
                "description": "The site's name; POST /v1/events needs it.",
                "type": "string",
            },
            "events": {
                "type": "array",
                "minItems": 1,
                "maxItems": wire.MAX_EVENTS,
                "items": {"$ref": "#/$defs/event"},
            },
        },
        "$defs": {
            "event": _event(),
            "custom_event_name": {
                "$comment": 'In place of `not`: "enum": ["quiz_done"].',
                "not": {},
            },
            **{event.name: _params(event) for event in facts.events()},
            "custom_event": {
                "$ref": "#/$defs/params",
                "properties": {"items": _or_null({"$ref": "#/$defs/items"})},
            },
            "params": _all_params(),
            "item": {"$ref": "#/$defs/viewed_item", **_said("quantity")},
            "viewed_item": _item(),
            "product": _object({row.name: _field(row) for row in facts.products()}),
            "user": _user(),
            **{
                name: {"description": kind.words, **kind.schema}
                for name, kind in KINDS.items()
                if name != "product"
            },
            "viewed_items": {**KINDS["items"].schema, "items": {"$ref": "#/$defs/viewed_item"}},
            "plain": PLAIN,
        },
    }


def _event() -> Schema:
    return {
        "type": "object",
        "required": ["event_name", "event_time"],
        "properties": {
            "event_id": {
                "description": "The same as that of the pixels' calls. An order's event may leave "
                "it out: it is made of the order's ID.",
                **PRINTABLE,
            },
            "event_name": {
                "anyOf": [
                    {"enum": list(catalogue.EVENTS)},
                    {"$ref": "#/$defs/custom_event_name"},
                ]
            },
            "event_time": {"description": "In milliseconds since 1970.", **TIME},
            "page": {
                "description": "Cut, what is personal in the URLs first, to what the relay stores.",
                **_texts("url", "referrer", "title", limit=None),
            },
            "user": _or_null({"$ref": "#/$defs/user"}),
            "visitor_id": _or_null(PRINTABLE),
            "attribution": _texts(*wire.ATTRIBUTION),
            "consent": _consent(),
            "destinations": {
                "description": "Only these, by their names in the site file.",
                **_or_null({"$ref": "#/$defs/texts"}),
            },
            "direct": {
                "description": "Those to which the page posts it itself; in POST /s/{site} only.",
                **_or_null({"$ref": "#/$defs/texts"}),
            },
            "client": {
                "description": "Of the shopper's browser; it counts in POST /v1/events only.",
                **_texts("ip", "user_agent"),
            },
        },
        "allOf": [*map(_rule, facts.events()), _custom_rule()],
    }


def _rule(event: Event) -> Schema:
    """What one event asks of its params, and whether it may leave its ID to the relay."""
    params: Schema = {"$ref": f"#/$defs/{event.name}"}
    has_needs = bool(event.required())
    then: Schema = {
        "required": ["params"] if has_needs else [],
        "properties": {"params": params if has_needs else _or_null(params)},
    }
    if event.order_rule == "never":
        then["required"].append("event_id")
    elif event.order_rule != "always":
        then["anyOf"] = [{"required": ["event_id"]}, WITHOUT_ID[event.order_rule]]
    return {"if": {"properties": {"event_name": {"const": event.name}}}, "then": then}


def _custom_rule() -> Schema:
    params = _or_null({"$ref": "#/$defs/custom_event"})
    return {
        "if": {"properties": {"event_name": {"$ref": "#/$defs/custom_event_name"}}},
        "then": {"required": ["event_id"], "properties": {"params": params}},
    }


def _params(event: Event) -> Schema:
    """The params of one event: those of all, what it requires, and its items."""
    items: Schema = {"$ref": "#/$defs/viewed_items" if event.is_viewing else "#/$defs/items"}
    if event.most_items:
        items["maxItems"] = event.most_items
    required = event.required()
    row = {"description": event.about, "$ref": "#/$defs/params", **_said(*required)}
    row["properties"]["items"] = items if "items" in required else _or_null(items)
    return row


def _all_params() -> Schema:
    """What the fields of params are in any event; `items` are each event's own matter."""
    rows = {row.name: row for event in facts.events() for row in event.fields}
    properties = {name: _field(rows[name]) for name in sorted(rows)}
    properties["items"] = {"description": rows["items"].about}
    return _object(properties)


def _item() -> Schema:
    """An item of a viewing event, whose quantity may be left out."""
    row = _object({field.name: _field(field) for field in facts.items()})
    row["allOf"] = [_said("id")]
    for field in facts.products():
        if field.need == "required":
            on_product = {"product": {"type": "object", **_said(field.name)}}
            elsewhere = {"required": ["product"], "properties": on_product}
            row["allOf"].append({"anyOf": [_said(field.name), elsewhere]})
    return row


def _user() -> Schema:
    """What the shopper told the shop; an empty text is the same as none."""
    properties: Schema = {}
    for field in facts.users():
        properties[field.name] = {"description": field.about, "anyOf": [_kind(field), EMPTY]}
        for algorithm, schema in HASHES.items():
            properties[f"{field.name}_{algorithm}"] = {"anyOf": [schema, EMPTY]}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _consent() -> Schema:
    return {
        "description": "Without it, the site's own setting.",
        "type": ["object", "null"],
        "required": ["status"],
        "properties": {
            "status": {"enum": ["granted", "denied", "awaited"]},
            "categories": {
                "description": "The only ones agreed to.",
                **_or_null({"$ref": "#/$defs/texts"}),
            },
            "gpc": {"description": "The browser sends Global Privacy Control."},
        },
    }


def _texts(*names: str, limit: int | None = wire.MAX_URL) -> Schema:
    """An object of texts that may be left out; other keys are left behind by the relay."""
    text: Schema = {"type": ["string", "null"]}
    text |= {"maxLength": limit} if limit else {}
    return {"type": ["object", "null"], "properties": dict.fromkeys(names, text)}


def _object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": {"$ref": "#/$defs/plain"},
    }


def _said(*names: str) -> Schema:
    """These fields are there; null is the same as absent."""
    return {"required": list(names), "properties": dict.fromkeys(names, NOT_NULL)}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, NULL]}


def _field(field: Field) -> Schema:
    """One field of an object and what it is for; null is the same as absent."""
    return {"description": field.about, **_or_null(_kind(field))}


def _kind(field: Field) -> Schema:
    return {"enum": list(field.values)} if field.values else {"$ref": f"#/$defs/{field.kind}"}
