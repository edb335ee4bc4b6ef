"""CPython and MicroPython make the same of the same: what the page builds, the relay builds too."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.unit import examples


def canonical(text: str) -> str:
    """JSON text in one order and form; 1 and 1.0 stay different, as they do in a pixel's eyes."""
    return json.dumps(json.loads(text), sort_keys=True, indent=1)


def test_the_same_event_is_the_same_json(micropython: Callable[[str, str], Any]) -> None:
    """Events, pixel calls, bodies and refusals are the same values on both interpreters."""
    theirs = micropython("tests.unit.examples", "texts")
    ours = examples.texts()
    assert [name for name, _ in theirs] == [name for name, _ in ours]
    for (name, there), (_, here) in zip(theirs, ours, strict=True):
        assert canonical(there) == canonical(here), name


def test_what_is_refused_here_is_refused_there(micropython: Callable[[str, str], Any]) -> None:
    """Each wrong example is refused, by both, with a field and a message."""
    for found in (micropython("tests.unit.examples", "texts"), examples.texts()):
        refusals = [json.loads(text) for name, text in found if name.startswith("refusal")]
        assert len(refusals) == len(examples.WRONG)
        assert all(refusals), refusals
