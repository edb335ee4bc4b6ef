"""A page with its mirror, and the least event that it can send."""

from pixelmirror.anything import Any
from pixelmirror.mirror import Mirror
from tests.unit.fake_page import FakePage
from tests.unit.samples import NOW_MS


class Stage:
    """A page with its mirror; `fates` is what it was told of each event."""

    def __init__(
        self, browser: Any = None, page_id: str = "page-1", clock_ms: int = NOW_MS
    ) -> None:
        self.page = FakePage(browser, page_id)
        self.page.clock_ms = clock_ms
        self.fates = self.page.fates
        self.mirror = Mirror(self.page, lambda: None)

    def keep(self, *uuids: str) -> None:
        for uuid in uuids:
            self.mirror.keep(uuid, event(uuid))

    def kept(self) -> list[str]:
        return sorted(self.page.browser.stored)

    def next_page(self, page_id: str = "page-2") -> Any:
        return Stage(self.page.browser, page_id, self.page.clock_ms)

    def taken_over(self) -> list[str]:
        found: list[str] = self.mirror.entries.left_over()
        return found


def event(uuid: str, **fields: Any) -> dict[str, Any]:
    return dict(
        {"event_id": "page_view_" + uuid, "event_name": "page_view", "event_time": NOW_MS}, **fields
    )


def uuids(body: Any) -> list[str]:
    return [event["event_id"][len("page_view_") :] for event in body["events"]]
