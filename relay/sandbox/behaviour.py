"""How an outside system was told to behave, and for how many calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from relay.sandbox.shape import (
    Fault,
    anything,
    at_least,
    between,
    either,
    integer,
    number,
    one_of,
    record,
)

# What each does to a call: answers an error; answers 429; answers late; answers a page of HTML;
# ends the connection without an answer.
MISBEHAVIOURS = ("fail", "throttle", "stall", "garbage", "close")
MAX_SECONDS = 600


@dataclass(slots=True)
class Behaviour:
    """What to do with the next `times` calls, with all of them when it is None.

    `body` is what `fail` and `throttle` answer instead of the vendor's usual error: so a test has
    an outside system say anything it likes.
    """

    do: str
    times: int | None = None
    status: int = 503
    retry_after_s: int = 1
    seconds: float = 5
    body: Any = None


class Behaviours:
    """What is in force, by system and side."""

    def __init__(self, systems: Mapping[str, Iterable[str]]) -> None:
        self._systems = {side: tuple(names) for side, names in systems.items()}
        self._in_force: dict[tuple[str, str], Behaviour] = {}
        unset = one_of([None])
        self._shape = record(
            {"do": one_of(("normal", *MISBEHAVIOURS))},
            {
                "system": anything,
                "side": one_of(self._systems),
                "times": either(at_least(1), unset),
                "status": either(between(200, 599, integer), unset),
                "retry_after_s": either(between(0, MAX_SECONDS, integer), unset),
                "seconds": either(between(0, MAX_SECONDS, number), unset),
                "body": anything,
            },
            closed=True,
        )

    def change(self, wanted: Any) -> list[Fault]:
        """The faults of the request, or none and the behaviour is in force.

        Shape: `{"system": "meta", "do": "fail", "times": 3, "status": 503}`. `side` is `server`
        unless given; `pixel` is about the SDK's script. `normal` ends what was in force.
        """
        if faults := self._shape(wanted, ()):
            return faults
        side = wanted.get("side", "server")
        if faults := one_of(self._systems[side])(wanted.get("system"), ("system",)):
            return faults
        given = {k: v for k, v in wanted.items() if k not in ("system", "side") and v is not None}
        if given["do"] == "normal":
            self._in_force.pop((wanted["system"], side), None)
        else:
            self._in_force[wanted["system"], side] = Behaviour(**given)
        return []

    def take(self, system: str, side: str) -> Behaviour | None:
        """What holds for this call, None for the usual; one of its `times` is used up."""
        behaviour = self._in_force.get((system, side))
        if behaviour is not None and behaviour.times is not None:
            behaviour.times -= 1
            if behaviour.times == 0:
                del self._in_force[system, side]
        return behaviour

    def reset(self) -> None:
        """Every system behaves as usual."""
        self._in_force.clear()
