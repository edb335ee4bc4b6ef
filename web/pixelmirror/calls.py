"""Calls into events: what `track`, `page`, `identify`, `reset` and `consent` mean, in their order.

Two calls are the loader's own: `data_layer`, a GA4 event that the shop pushed to
`window.dataLayer`, and `consent_heard`, what a consent tool on the page says.

Pure, and the same in the page and in the relay, which builds the events of a page that left
before Python was up (DESIGN 5.3). A call is `{"uuid", "time" (ms), "args": ["track", name, params,
options], "page": {"url", "referrer", "title"}}`.
"""

from . import attribution, consent_rules, data_layer, event, urls
from .anything import Any, Function
from .check import EventError, shown


class Calls:
    """The calls of one page: keeps what they tell of user and consent.

    `cookies()` gives the cookies as they are now; `consent` is the one to start with;
    `on_consent()` is called when another was given, before the events that waited for it are built;
    `on_reset()` when the visitor is a new one. `visitor_id` is this browser's until then.
    """

    def __init__(
        self,
        site: dict,
        cookies: Function,
        consent: dict,
        visitor_id: str,
        on_consent: Function | None = None,
        on_reset: Function | None = None,
    ) -> None:
        self.site = site
        self.cookies = cookies
        self.consent = consent
        self.visitor_id = visitor_id
        self.on_consent = on_consent
        self.on_reset = on_reset
        # The shop's own call has given it, on this page or an earlier one.
        self.is_own = consent["status"] != "awaited"
        self.heard_from: object = None
        self.user: dict = {}
        self.reset_id = ""  # of the visitor since `reset`
        self.awaiting: list = []  # arguments of `_built`
        self.context: dict = {}
        self.context_of: list = []

    def take(self, call: dict) -> list:
        """The events that this call brings about: `[(call, event)]`.

        One for `track`, `page` and a `data_layer` that is ecommerce; none while consent is awaited
        or after it was denied; on consent all that waited, in order. Raises EventError.
        """
        verb, *words = call["args"] or [None]
        if not isinstance(verb, str) or verb not in VERBS:
            raise EventError("call", "unknown call " + shown(verb) + ", known: " + ", ".join(SHOPS))
        return VERBS[verb](self, call, *(words + [None] * 3)[:3])

    def _track(self, call: dict, name: object, params: object, options: Any) -> list:
        options = options or {}
        if not isinstance(options, dict):
            raise EventError("options", "options must be an object, got " + shown(options))
        # What is told later is not of this call, though consent comes later still.
        said = (call, name, params, options, self.user, self.reset_id)
        events = self._built(*said)
        if self.consent["status"] != "awaited":
            return events
        self.awaiting.append(said)
        return []

    def _built(
        self, call: dict, name: object, params: object, options: dict, user: dict, reset_id: str
    ) -> list:
        context = self._context(call["page"], user, reset_id or self.visitor_id)
        built = event.build(name, params, call["uuid"], call["time"], options, context)
        if self.consent["status"] == "denied" or built["params"].get("is_probably_spam"):
            return []
        return [(call, built)]

    def _context(self, page: dict, user: dict, visitor_id: str) -> dict:
        """What an event holds beside its own; made anew only where one of these has changed."""
        cookies = self.cookies()
        if self.context_of != [page, cookies, user, visitor_id, self.consent]:
            found = attribution.read(attribution.parse_query(page["url"]), cookies)
            self.context_of = [page, dict(cookies), user, visitor_id, self.consent]
            self.context = {
                "site": self.site,
                "page": urls.sent_page({key: page[key] for key in page if page[key]}),
                "user": user,
                "visitor_id": visitor_id,
                "attribution": attribution.allowed(found, self.consent),
                "consent": self.consent,
            }
        return self.context

    def _page(self, call: dict, params: object, *_: object) -> list:
        return self._track(call, "page_view", params, None)

    def _data_layer(self, call: dict, name: object, pushed: object, *_: object) -> list:
        params = data_layer.read(name, pushed)
        return [] if params is None else self._track(call, name, params, None)

    def _identify(self, call: dict, user: object, *_: object) -> list:
        """What is told is added to what is known; `null` forgets it."""
        told = event.check_user(user)
        self.user = dict(self.user, **told) if told else {}
        return []

    def _reset(self, call: dict, *_: object) -> list:
        """The shopper has logged out: nobody is known, and the visitor is a new one.

        His ID is the call's UUID, so that page and relay make the same of the same call.
        """
        self.user = {}
        self.reset_id = call["uuid"]
        if self.on_reset:
            self.on_reset()
        return []

    def visitor(self) -> str:
        """The ID of whoever visits now."""
        return self.reset_id or self.visitor_id

    def _consent(self, call: dict, value: object, *_: object) -> list:
        given = consent_rules.given(value)
        self.is_own = True
        return self._give(given)

    def _consent_heard(self, call: dict, value: object, source: object, *_: object) -> list:
        """It counts until the shop's own call does; Commanders Act's categories beat Google's."""
        given = consent_rules.given(value)
        if self.is_own or (source == "google" and self.heard_from == "commanders_act"):
            return []
        self.heard_from = source
        had = {key: self.consent[key] for key in self.consent if key != "gpc"}
        return [] if had == given else self._give(given)

    def _give(self, given: dict) -> list:
        was_awaited = self.consent["status"] == "awaited"
        has_gpc = self.consent.get("gpc")
        self.consent = given
        if given["status"] == "denied":
            self.reset_id = ""  # after a refusal he is somebody new once more
        if has_gpc:
            self.consent["gpc"] = True
        if self.on_consent:
            self.on_consent()
        waited, self.awaiting = self.awaiting, []
        found: list = []
        for said in waited if was_awaited else ():
            found.extend(self._built(*said))
        return found


# What a shop may call.
SHOPS = ("track", "page", "identify", "reset", "consent")

VERBS: dict = {
    "track": Calls._track,
    "page": Calls._page,
    "data_layer": Calls._data_layer,
    "consent_heard": Calls._consent_heard,
    "identify": Calls._identify,
    "reset": Calls._reset,
    "consent": Calls._consent,
}
