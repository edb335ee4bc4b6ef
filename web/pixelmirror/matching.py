"""Advanced matching: which pixel is told who the shopper is, when, and with what. Pure.

Only a pixel whose table asks for it (`advanced_matching = true`) is told, only hashes, and only
once it is consented. Meta's pixel reads them in `init` alone, and takes one that comes later only
while it has none of that ID; from then on it says "Duplicate Pixel ID" and keeps what it has. So
Meta is told once a page, TikTok whenever somebody else or more is known. Neither can be made to
forget before the next page.
"""

from .anything import Any
from .check import EventError
from .event import check_user
from .pixels import PIXELS


class Matching:
    """Of one page: what each pixel has been told, by the destination's name."""

    def __init__(self) -> None:
        self.told: dict = {}
        self.early: dict = {}  # who the calls that came before Python say he is

    def look_ahead(self, calls: list) -> None:
        """Know of whom the calls of before Python tell, so that Meta's first `init` has it.

        Up to where consent may change. Nobody, where one of them forgets: each event brings its
        own user then. What is wrong in them is said when they are taken.
        """
        known: dict = {}
        for call in calls:
            if call.get("kept"):  # events, and whoever they are of
                continue
            verb, user = (list(call["args"]) + [None, None])[:2]
            if verb in ("consent", "consent_heard"):
                break
            if verb == "reset" or (verb == "identify" and not user):
                known = {}
                break
            if verb == "identify":
                try:
                    known.update(check_user(user))
                except EventError:
                    continue
        self.early = known

    def set_up(self, name: str, pixel: dict, heard: dict, user: dict) -> list:
        """The steps that set the pixel up, with who the shopper is where that is part of it."""
        module = PIXELS[pixel["kind"]]
        news = self._news(name, pixel, user or self.early) if _is_told_once(pixel) else {}
        return module.identify(news, pixel, heard) if news else module.setup(pixel, heard)

    def before(self, name: str, pixel: dict, event: dict, first: dict, heard: dict) -> list:
        """The steps that go before an event's own; mostly none.

        `first`: what the page's own code had done before our set-up; `heard`: what it has by now.
        """
        news = self._news(name, pixel, event.get("user", {}))
        if not news:
            return []
        module = PIXELS[pixel["kind"]]
        return module.identify(news, pixel, first if _is_told_once(pixel) else heard)

    def _news(self, name: str, pixel: dict, user: dict) -> dict:
        """The hashes that this pixel is to be told now; from here on it has been."""
        if not pixel.get("advanced_matching") or (_is_told_once(pixel) and name in self.told):
            return {}
        data: dict = PIXELS[pixel["kind"]].user_data(user)
        if not data or data == self.told.get(name):
            return {}
        self.told[name] = data
        return data


def _is_told_once(pixel: Any) -> bool:
    return bool(pixel.get("advanced_matching")) and PIXELS[pixel["kind"]].IS_TOLD_ONCE
