"""pixelmirror in a page's own Python: the same calls as JavaScript's.

    from pixelmirror import track
    track("add_to_cart", {"items": [...]})

Importing it in the interpreter that the tag has started also starts the tracker. Everywhere else
in the page the calls go to the one tracker there is. In the relay the package is only data and
pure functions.
"""

import json
import sys

from .anything import Any

IN_PAGE = sys.platform in ("webassembly", "emscripten")


def track(name: str, params: dict | None = None, options: dict | None = None) -> str | None:
    """One event; returns its event ID once the tracker is up. Never raises: the console tells."""
    return _call("track", name, params, options)


def page(params: dict | None = None) -> str | None:
    """A `page_view`."""
    return _call("page", params)


def identify(user: dict | None) -> None:
    """What the shopper told the shop, remembered for this page's later events; None forgets it."""
    _call("identify", user)


def reset() -> None:
    """The shopper has logged out: the user is forgotten, and the visitor ID is a new one."""
    _call("reset")


def consent(value: object) -> None:
    """`"granted"`, `"denied"` or a list of the categories agreed to; remembered."""
    _call("consent", value)


def _call(*words: object) -> str | None:
    if not IN_PAGE:
        raise RuntimeError("pixelmirror's calls work in a page only")
    return _loader().call(json.dumps(words)) or None


def _loader() -> Any:
    import js

    return getattr(getattr(js, "pixelmirror", None), "_", None)


if IN_PAGE and _loader() is not None:
    from . import browser

    browser.offer(_loader())
