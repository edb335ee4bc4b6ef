"""The reference: the documents that say what may be called and sent, made of the catalogue.

`make reference` writes them; a test holds the files in the repository to what is made here.
"""

from __future__ import annotations

from relay.reference import openapi, rendering, schema

DOCUMENTS = {
    "docs/events.md": rendering.page,
    "docs/event.schema.json": schema.text,
    "docs/openapi.json": openapi.text,
    "web/pixelmirror.d.ts": rendering.declarations,
}


def documents() -> dict[str, str]:
    """The text of each document, by its path in the repository."""
    return {path: text() for path, text in DOCUMENTS.items()}
