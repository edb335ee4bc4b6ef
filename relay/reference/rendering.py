"""`docs/events.md` and `web/pixelmirror.d.ts`: the templates beside this, filled with the facts."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pixelmirror import catalogue
from pixelmirror.check import HASH_LENGTHS
from relay import wire
from relay.destinations.kwai import SERVER_NAMES
from relay.reference import facts, words
from relay.reference.examples import EXAMPLES
from relay.reference.facts import Event, Field
from relay.reference.javascript import literal
from relay.reference.kinds import KINDS


def page() -> str:
    """The text of `docs/events.md`."""
    return _render("events.md.jinja")


def declarations() -> str:
    """The text of `web/pixelmirror.d.ts`."""
    return _render("pixelmirror.d.ts.jinja")


def example(event_name: str) -> str:
    """The example call of an event, in JavaScript."""
    start = f'pixelmirror("track", "{event_name}", '
    return f"{start}{literal(EXAMPLES[event_name], taken=len(start) + 2)});"


def alias(field_name: str) -> str:
    """The name of the type of a field's values: `payment_method` is a `PaymentMethod`."""
    return "".join(word.title() for word in field_name.split("_"))


def typed(field: Field, event: Event | None = None) -> str:
    """The TypeScript type of a field; what its items are depends on the event."""
    if field.values or field.name in words.RECOMMENDED:
        return alias(field.name)
    if field.kind == "items" and event and event.is_viewing:
        return "readonly [ViewedItem]" if event.most_items == 1 else "readonly ViewedItem[]"
    return KINDS[field.kind].alias or KINDS[field.kind].type


def _render(template: str) -> str:
    # Neither text is HTML, so nothing is to be escaped.
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    return environment.get_template(template).render(
        events=facts.events(),
        items=facts.items(),
        products=facts.products(),
        users=facts.users(),
        choices=facts.choices(),
        recommended=words.RECOMMENDED,
        kinds=KINDS,
        hashes=list(HASH_LENGTHS),
        attribution=wire.ATTRIBUTION,
        viewing=catalogue.VIEWING_EVENTS,
        kwai_api=SERVER_NAMES,
        alias=alias,
        typed=typed,
        example=example,
    )
