"""Systems quote in their answers what they were sent; the keys and the visitor's IDs stay out."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from relay.destinations import Answer

SHORT = 3
"""Texts of up to so many characters are in every sentence, and tell nothing."""


def without(answer: Answer, *secrets: str) -> Answer:
    """The answer with `...` in the place of each secret, however a body may write it.

    Words are taken from the body and cut afterwards, so that no half of a secret is left over.
    """
    body = answer.body
    for secret in (secret for secret in secrets if len(secret) > SHORT):
        # As it is, in a URL, and in JSON as PHP writes it.
        for written in {secret, quote(secret, safe=""), secret.replace("/", r"\/")}:
            body = body.replace(written.encode(), b"...")
    return replace(answer, body=body)
