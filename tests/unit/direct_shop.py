"""A shop whose page posts to Scalev itself, and what Scalev is posted."""

from pixelmirror.anything import Any
from tests.unit.fake_page import FakePage
from tests.unit.samples import URL, pixel, site
from tests.unit.shop import Shop

KEY = "sfpk_1"
BASE = "https://api.scalev.com/v3/stores/store_1/public/analytics/"
PROVIDERS = ("meta", "tiktok", "snackvideo")
LANDING = URL + "?fbclid=AbC-1&ttclid=E.C.P.x&click_id=kw-9f"


def route(provider: str, **settings: Any) -> dict[str, Any]:
    """One provider, as the relay puts it into the public settings."""
    fields: dict[str, Any] = {
        "provider": provider,
        "url": BASE + provider + "/events",
        "events": None,
        "event_names": {},
        "requested": [],
        "order_event_id": "{order_id}-{event_name}-FORM",
        "country": "id",
    }
    return dict(fields, **settings)


def table(routes: Any = None, **settings: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "api_key": KEY,
        "categories": [],
        "waits_for_payment": [],
        "routes": [route(provider) for provider in PROVIDERS] if routes is None else routes,
    }
    return dict(fields, **settings)


class DirectShop(Shop):
    """A page of that shop; keys of what goes to Scalev are named by call and provider."""

    def __init__(self, one: Any = None, page: Any = None, **settings: Any) -> None:
        tables = {"scalev": table() if one is None else one}
        destinations = {"meta": pixel("meta")}
        public = site(direct=tables, destinations=destinations)
        super().__init__(dict(public, **settings), page or FakePage(None, "page-1", LANDING))

    def then(self, page_id: str = "page-2", **settings: Any) -> Any:
        """The next page of the same browser."""
        page = FakePage(self.page.browser, page_id, LANDING)
        page.clock_ms = self.page.clock_ms
        one = settings.pop("one", self.site["direct"]["scalev"])
        return DirectShop(one, page, **settings)

    def bodies(self, provider: str) -> list[Any]:
        """What this page has posted to one route."""
        url = BASE + provider + "/events"
        return [body for to, _, body in self.page.done("send") if to == url]

    def names(self, provider: str) -> list[Any]:
        events = [body["events"][0] for body in self.bodies(provider)]
        return [event.get("event_name", event.get("event")) for event in events]

    def under_way(self) -> list[str]:
        """The providers that have not answered yet."""
        return [one for one in PROVIDERS if self._key(one)]

    def answer(self, provider: str, status: int, retry_after: str = "") -> None:
        """Scalev's answer to the oldest that is under way."""
        self.page.scalev(status, self._key(provider), retry_after)

    def answer_all(self, status: int = 204) -> None:
        for provider in PROVIDERS:
            while self._key(provider):
                self.answer(provider, status)

    def kept(self) -> list[str]:
        """The providers whose copies this browser still keeps."""
        return sorted([key[key.find(".scalev.") + 8 :] for key in self.page.browser.copies])

    def said(self) -> list[str]:
        return [words for [words] in self.page.done("say")]

    def _key(self, provider: str) -> str:
        found = [key for key in self.page.sends if key.endswith(".scalev." + provider)]
        return sorted(found)[0] if found else ""
