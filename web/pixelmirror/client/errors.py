"""What a caller of the client may have to catch, told apart by what to do about it.

    EventError          what was given is no event, nothing of it was sent: mend the call
    RelayError          not all of it is stored
    ├── Refused         the relay said no, and would again: mend what it names
    └── Unreachable     nobody said yes in time: send it again later, under the same event IDs

None of their texts holds the secret key or what a shopper told.
"""

from __future__ import annotations

from collections.abc import Sequence


class RelayError(Exception):
    """Of the events that were to be sent, `stored` are stored and `not_stored` are not.

    Both are event IDs, in the order of sending. An event that is `not_stored` for want of an answer
    may be stored after all: the relay takes each event ID once, so sending it again does no harm.
    """

    def __init__(
        self, text: str, *, stored: Sequence[str] = (), not_stored: Sequence[str] = ()
    ) -> None:
        super().__init__(text)
        self.stored = tuple(stored)
        self.not_stored = tuple(not_stored)


class Refused(RelayError):
    """The relay's no: its `status`, and the `code`, `message` and `field` that it gave.

    `field` is a path in what was sent: `events[0].params.currency`; None where no field is wrong.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int = 0,
        code: str = "",
        message: str = "",
        field: str | None = None,
        stored: Sequence[str] = (),
        not_stored: Sequence[str] = (),
    ) -> None:
        super().__init__(text, stored=stored, not_stored=not_stored)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


class Unreachable(RelayError):
    """No yes after all tries. `status` is the last answer's, 429 or 5xx; None when none came."""

    def __init__(
        self,
        text: str,
        *,
        status: int | None = None,
        stored: Sequence[str] = (),
        not_stored: Sequence[str] = (),
    ) -> None:
        super().__init__(text, stored=stored, not_stored=not_stored)
        self.status = status
