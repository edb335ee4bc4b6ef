"""Whether a destination is to get an event, by the site file and by what the call said."""

from .anything import Any, Mapping


def unwanted(event: Mapping, events: Any) -> str | None:
    """Why no destination with this `events` setting wants the event; None when it may.

    An order that looks like spam goes nowhere (scalev R63).
    """
    if event["params"].get("is_probably_spam"):
        return "probably spam"
    if events is not None and event["event_name"] not in events:
        return "not among the events set for this destination"
    return None


def is_named(destination: str, names: Any) -> bool:
    """True where the names have the destination or its table: `scalev` is `scalev.meta` too."""
    return destination in names or destination.partition(".")[0] in names
