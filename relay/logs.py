"""Logs: an entry is one line of words and `key=value` pairs, without personal data or secrets.

On a terminal

    2026-11-21T06:38:45.123456Z WARNING dead letter site=toko destination=meta status=400

and as JSON, one object a line, elsewhere: `time`, `level`, `logger`, `message`, `request_id` of
what belongs to an HTTP request, and the pairs. What the standard library's loggers say, uvicorn's
say, goes the same way. An exception is its type and where it happened: its own words may quote
an event.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, cast

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.types import EventDict, Processor, WrappedLogger

from relay.lines import Lines, Place
from relay.redaction import HIDDEN, hidden

LogFormat = Literal["auto", "json", "text"]

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Of the HTTP request that is being answered; empty otherwise."""

NOT_A_LINE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)
"""What would end a line, move the cursor of a terminal, or turn the text that follows around."""

MOST_FRAMES = 12
LEVELS = {logging.DEBUG: "debug", logging.INFO: "info"}
FIRST = ("time", "level", "logger", "message")

_encode = json.JSONEncoder(separators=(",", ":")).encode
_logfmt = structlog.processors.LogfmtRenderer(bool_as_flag=False)


class Entry(dict[str, Any]):
    """An entry with a text, for handlers that know nothing of structlog: pytest's, say."""

    def __str__(self) -> str:
        return _words(self)


def get_logger(name: str) -> BoundLogger:
    """A logger that takes words and pairs: `log.info("paid", site="toko", order_id="O1")`."""
    logger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, *_FACTS, *_SAFE, _as_entry],
        wrapper_class=BoundLogger,
    )
    return cast(BoundLogger, logger.bind())


class OwnWords(Entry):
    """An entry in which every word is ours: it is written as it is."""


class Kind(Protocol):
    """What is the same of many entries; they are told apart by what `pairs` is given."""

    def pairs(self, *values: Place) -> dict[str, Place | None]: ...


class QuickLogger:
    """A logger for what is told of every request, at a tenth of the cost.

    `places` are values like no others: an entry of a kind is put into words with them, once, and
    then filled in. Nobody looks over it: no word that somebody sent may be in it.
    """

    def __init__(self, name: str, words: str, places: Sequence[Place]) -> None:
        self._logger = logging.getLogger(name)
        self._root = logging.getLogger()
        self._words = words
        self._places = ("@time", *places)
        self._second = 0
        self._of_second = ""

    def log(self, level: int, kind: Kind, *values: str) -> None:
        """An entry of this kind. Its values stand in the line as they are, without quotes."""
        if not self._logger.isEnabledFor(level):
            return
        values = (self._time(), *values)
        for handler in self._root.handlers:
            if isinstance(handler, Lines):
                template = handler.known.get((level, kind)) or self._taught(handler, level, kind)
                handler.add(template % values)
            elif level >= handler.level:
                handler.handle(self._record(level, kind, *values))

    def _taught(self, lines: Lines, level: int, kind: Kind) -> str:
        blank = self._record(level, kind, *self._places)
        return lines.learn((level, kind), blank, self._places)

    def _time(self) -> str:
        """It, as the other loggers write it, in a third of the time."""
        second, rest = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._second = second
            self._of_second = datetime.fromtimestamp(second, UTC).isoformat()[:19]
        return f"{self._of_second}.{rest // 1000:06}Z"

    def _record(self, level: int, kind: Kind, at: Place, *values: Place) -> logging.LogRecord:
        name = self._logger.name
        facts = {"time": at, "level": LEVELS[level], "logger": name, "message": self._words}
        entry = OwnWords(facts, **kind.pairs(*values))
        return logging.LogRecord(name, level, __file__, 0, entry, None, None)


class _Formatter(ProcessorFormatter):
    def __init__(self, secrets: Iterable[str], render: Processor) -> None:
        super().__init__(
            foreign_pre_chain=[_first_line, *_FACTS, *_SAFE],
            processors=[ProcessorFormatter.remove_processors_meta, _without(secrets), render],
        )
        self._render = render

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.msg, OwnWords):
            return str(self._render(None, "", record.msg))
        return super().format(record)


@contextmanager
def written(
    log_format: LogFormat = "auto", level: str = "info", secrets: Iterable[str] = ()
) -> Iterator[None]:
    """Meanwhile entries of this level and above go to stderr; no secret of these is in them."""
    is_text = sys.stderr.isatty() if log_format == "auto" else log_format == "text"
    handler = Lines(sys.stderr)
    handler.setFormatter(_Formatter(secrets, _as_text if is_text else _as_json))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level.upper())
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.flush()


def where(error: BaseException) -> str:
    """The way to the place where it happened, innermost last, without a word of the error."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    places = [
        f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}"
        for frame in frames
    ]
    return " > ".join(places)


def _traced(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """An exception is told by its type and place only."""
    entry.pop("stack_info", None)
    given = entry.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        entry["error"] = type(error).__name__
        entry["where"] = where(error)
    return entry


def _first_line(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """Of another library's words the first line: below it they print exceptions."""
    entry["event"] = str(entry["event"]).strip().partition("\n")[0]
    return entry


def _cleaned(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """Each text is on one line and hides what looks personal or secret."""
    for key, value in entry.items():
        if isinstance(value, str) and key not in ("time", "level", "logger", "where"):
            entry[key] = hidden(NOT_A_LINE.sub(" ", value))
    return entry


def _as_entry(
    logger: WrappedLogger, name: str, entry: EventDict
) -> tuple[tuple[EventDict], dict[str, dict[str, Any]]]:
    return ProcessorFormatter.wrap_for_formatter(logger, name, Entry(entry))


def _of_request(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
    """What belongs to an HTTP request has its ID."""
    if request_id := REQUEST_ID.get():
        entry.setdefault("request_id", request_id)
    return entry


_FACTS: list[Processor] = [
    _of_request,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    structlog.processors.EventRenamer("message"),
]
_SAFE: list[Processor] = [_traced, _cleaned]


def _without(secrets: Iterable[str]) -> Processor:
    """Hides these wherever they stand in an entry."""
    known = sorted({secret for secret in secrets if len(secret) > 3}, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, known)) or r"(?!)")

    def without(_: WrappedLogger, __: str, entry: EventDict) -> EventDict:
        for key, value in entry.items():
            if isinstance(value, str):
                entry[key] = pattern.sub(HIDDEN, value)
        return entry

    return without


def _as_json(_: WrappedLogger, __: str, entry: EventDict) -> str:
    ordered = {key: entry[key] for key in FIRST}
    ordered.update(entry)
    return _encode({key: value for key, value in ordered.items() if value is not None})


def _as_text(_: WrappedLogger, __: str, entry: EventDict) -> str:
    return f"{entry['time']} {entry['level'].upper():<7} {_words(entry)}"


def _words(entry: EventDict) -> str:
    pairs = {key: value for key, value in entry.items() if key not in FIRST and value is not None}
    return f"{entry['message']} {_logfmt(None, '', pairs)}".rstrip()
