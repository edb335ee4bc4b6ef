"""A page of a shop with the tracker in it, as the loader would call it."""

import json

from pixelmirror.anything import Any
from pixelmirror.tracker import Tracker
from tests.unit.fake_page import FakePage
from tests.unit.samples import NOW_MS, URL, site

# The global of a pixel -> its kind.
KINDS = {
    "fbq": "meta",
    "ttq": "tiktok",
    "kwaiq": "kwai",
    "cact": "commanders_act",
    "trackAlhenaEvent": "alhena",
}
SET_UP = ("init", "load")


class Shop:
    """`Shop().start(("page",), ...)` is a page with its early calls; `call` is one later on."""

    def __init__(self, settings: Any = None, page: Any = None) -> None:
        self.page = page or FakePage()
        self.site = settings or site()
        self.tracker = Tracker(self.site, self.page)
        self.made = 0

    def recorded(self, *words: Any) -> dict[str, Any]:
        """A call as the loader records it, and writes it ahead if it may."""
        self.made += 1
        uuid = self.page.id + "-" + str(self.made)
        page = {"url": self.page.url, "referrer": "", "title": "Kaos"}
        call = {"uuid": uuid, "time": NOW_MS + self.made, "args": list(words), "page": page}
        is_event = list(words[:1]) in (["track"], ["page"])
        if is_event and self.tracker.calls.consent["status"] == "granted":
            entry = {"call": dict(call), "by": self.page.id, "at": call["time"]}
            self.page.browser.stored[uuid] = json.dumps(entry)
            call["kept"] = True
        return call

    def start(self, *calls: Any) -> Any:
        return self.start_with([self.recorded(*words) for words in calls])

    def start_with(self, calls: list[Any]) -> Any:
        """As web/page/edge.js does it: a call that was kept may be another page's by now."""
        self.tracker.start([call for call in calls if not call.get("kept")])
        for call in calls:
            if not call.get("kept") or self.tracker.mirror.entries.is_ours(call["uuid"]):
                self.tracker.take(call)
        return self

    def call(self, *words: Any) -> Any:
        return self.tracker.take(self.recorded(*words))

    def next_page(self, settings: Any = None, page_id: str = "page-2", url: str = URL) -> Any:
        """Another page in the same browser."""
        return Shop(settings or self.site, FakePage(self.page.browser, page_id, url))

    def calls(self, kind: str) -> list[Any]:
        """The guard steps that one pixel was given."""
        return [steps for [steps] in self.page.done("call") if KINDS[steps[0][0]] == kind]

    def fired(self, kind: str) -> list[Any]:
        """Those of them that are events, not set-up."""
        return [steps for steps in self.calls(kind) if _verb(steps) not in SET_UP]

    def posted(self) -> list[Any]:
        """The events of all requests so far."""
        return [event for [body] in self.page.done("post") for event in body["events"]]

    def results(self) -> list[Any]:
        """What `on("sent")` was told of the pixels, one dict for each event."""
        while self.page.request:
            self.page.answer(204)
        return [result["pixels"] for _, result in self.page.done("sent")]


def _verb(steps: list[Any]) -> Any:
    """`["fbq", ["init", ...]]` and `["ttq"], ["load", ...]` are set-up."""
    if steps[0][0] == "fbq":
        return steps[0][1][0]
    return steps[1][0] if len(steps) > 1 else ""
