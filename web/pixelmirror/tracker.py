"""The tracker: one page's way from a call to every pixel, to the mirror, and to Scalev itself.

Decides and orders; `page` (`pixelmirror.browser`, or a fake in the tests) does what touches the
page. Order (DESIGN 5.3): attribution first, then pixels once, then the page view, then the calls
that came earlier.
"""

from . import attribution, consent_rules, event_id
from .anything import Any
from .calls import Calls
from .catalogue import own_name
from .check import EventError
from .direct import Direct
from .doubts import doubts
from .matching import Matching
from .mirror import MOST_LEAVING, Mirror
from .pixels import PIXELS

CONSENT_COOKIE = "_pm_consent"
VISITOR_COOKIE = "_pm_visitor"
YEAR_S = 365 * attribution.DAY_S
ORDERS_KEPT = 200

# Attribution field -> the method of Alhena's widget that tells it. Source: specs/alhena.md 1, 2.
FINGERPRINTS = (
    ("alhena_fingerprint", "getFingerprint"),
    ("alhena_faq_fingerprint", "getFAQFingerprint"),
)
FINGERPRINT_LIMIT = 200

# Of a pixel's global that the page's own code has left alone.
NOTHING_HEARD = {"ids": [], "page_view": False}


class Tracker:
    """One for each page. `take(call)` is all that the loader needs."""

    def __init__(self, site: dict, page: Any) -> None:
        self.site = site
        self.page = page
        self.mirror = Mirror(page, self._on_settled)
        self.direct = Direct(site, page)
        self.pixels: dict = {}  # name -> what the page's own code had done before ours
        self.matching = Matching()
        self.warned: list = []
        self.fingerprints: dict = {}
        self.in_order = [
            (name, site["destinations"][name])
            for kind in PIXELS
            for name in sorted(site["destinations"])
            if site["destinations"][name]["kind"] == kind
        ]
        self.rows: dict = {}  # event name -> (pixel's name, pixel, its own name of the event)
        self.refusals: dict = {}  # pixel's name -> why it may not have events,
        self.refused_by: dict = {}  # by this consent
        cookies = page.cookies()
        remembered = cookies.get(CONSENT_COOKIE, "")
        start = consent_rules.initial(site["consent"], remembered, page.has_gpc())
        visitor_id = cookies.get(VISITOR_COOKIE, "")
        self.calls = Calls(
            site, page.cookies, start, visitor_id, self._on_consent, self._remember_visitor
        )
        self.domain: str | None = None
        self.is_withdrawn = False
        self.is_flush_due = False

    def start(self, calls: list) -> None:
        """Capture, set the pixels up, take over what was left behind.

        `calls`: of those that come next, being of before Python, all but events.
        """
        if self.calls.consent["status"] == "granted":
            self.matching.look_ahead(calls)
            self._begin()
            self.matching.look_ahead([])  # a pixel that is set up later goes by who is known then

    def _take_over(self, uuid: str, entry: dict) -> None:
        """What was left behind and is ours now: an event goes again, a call is taken."""
        if "event" in entry:
            self.mirror.keep(uuid, entry["event"])
        else:
            self.take(dict(entry["call"], uuid=uuid))

    def take(self, call: dict) -> str | None:
        """The event ID of a call that became an event; a wrong one is said in the console.

        One that breaks us (an older version's, say) stops no other.
        """
        try:
            return self._take(call)
        except EventError as error:
            # What `identify` is called with may be personal; an event's name is not.
            names_event = call["args"][:1] in (["track"], ["data_layer"])
            words = call["args"][: 2 if names_event else 1]
            about = " ".join([word for word in words if isinstance(word, str)]) or "a call"
            self.page.say(about, "is not sent:", error.field, "-", error.message)
        except Exception as error:
            self.page.say("internal error in take -", repr(error))
        self.mirror.entries.forget(call["uuid"])
        return None

    def _take(self, call: dict) -> str | None:
        taken = None
        is_kept = False
        for source, event in self.calls.take(call):
            is_kept = is_kept or source is call
            if self._fire(source, event):
                taken = event["event_id"]
        if not is_kept:
            self.mirror.entries.forget(call["uuid"])
        return taken

    def flush(self) -> None:
        """Send what the page's code has called in one go."""
        self.is_flush_due = False
        self.mirror.flush()
        self.direct.flush()

    def leave(self) -> None:
        """The page hides, and may not come back."""
        # What goes to Scalev from here needs some of the browser's room.
        self.mirror.leave(1 if self.direct.copies else MOST_LEAVING)
        self.direct.leave()

    def come_back(self) -> None:
        """Out of the back/forward cache."""
        self.mirror.come_back()
        self.direct.flush()

    # --- one event ---

    def _fire(self, call: dict, event: dict) -> bool:
        """Give the event to each pixel, each on its own, and to the mirror; False for a repeat.

        All that is sent is written ahead first; that the page sends some of it itself, the event
        tells the relay.
        """
        if not self._is_first(event):
            self.page.note(event["event_name"] + " " + event["event_id"] + " was sent before")
            self.mirror.entries.forget(call["uuid"])
            return False
        self._warn(event)
        if self.page.has_widget():
            self._add_fingerprints(event)
        direct = self.direct.keep(call["uuid"], event)
        if direct:
            event["direct"] = direct
        self.mirror.keep(call["uuid"], event)
        self.page.fire(call["uuid"], self._calls(event))
        if not self.is_flush_due:
            self.is_flush_due = True
            self.page.afterwards(self.flush, "tracker")
        return True

    def _calls(self, event: dict) -> list:
        """`(name, calls)` of each pixel that gets the event, `(name, result)` of all others."""
        event_name, only = event["event_name"], event.get("destinations")
        if event_name not in self.rows:
            self.rows[event_name] = self._own_names(event_name)
        if event["consent"] is not self.refused_by:
            self._heed(event["consent"])
        heard = self.page.heard()
        found = []
        for name, pixel, own in self.rows[event_name]:
            reason = self.refusals[name]
            if reason is None and only is not None and name not in only:
                reason = "not among this call's destinations"
            if reason is None and own is None:
                reason = "it has no name for " + event_name
            if reason is None and event_name == "page_view":
                reason = self._page_sent_it(name)
            if reason:
                found.append((name, "skipped: " + reason))
            else:
                found.append((name, self._made(name, pixel, event, own, heard)))
        return found

    def _made(self, name: str, pixel: dict, event: dict, own: str, all_heard: dict) -> Any:
        """The pixel's calls; a text where they can't be made."""
        heard = all_heard.get(pixel["kind"], NOTHING_HEARD)
        if pixel.get("advanced_matching"):
            first = self.pixels.get(name, heard)
            self.page.prepare(name, self.matching.before(name, pixel, event, first, heard))
        try:
            return PIXELS[pixel["kind"]].calls(event, own, pixel, heard)
        except (KeyError, TypeError, ValueError) as error:
            return "failed: " + repr(error)

    def _own_names(self, event_name: str) -> list:
        return [
            (name, pixel, own_name(event_name, pixel["kind"], pixel["event_names"]))
            for name, pixel in self.in_order
        ]

    def _heed(self, consent: dict) -> None:
        self.refused_by = consent
        for name, pixel in self.in_order:
            refusal = consent_rules.refusal(consent, pixel["kind"], pixel["categories"])
            self.refusals[name] = refusal

    def _add_fingerprints(self, event: dict) -> None:
        """What Alhena's server copies need of its widget, from when that is on the page."""
        for field, method in FINGERPRINTS:
            if field not in self.fingerprints:
                value = self.page.value("gleenWidget", [["gleenWidget"], [method, []]])
                if isinstance(value, str) and 0 < len(value) <= FINGERPRINT_LIMIT:
                    self.fingerprints[field] = value
        event["attribution"] = dict(event["attribution"], **self.fingerprints)

    def _page_sent_it(self, name: str) -> str | None:
        """The page's own code set our pixel up and, as its snippet does, sent this page's view."""
        before = self.pixels.get(name, NOTHING_HEARD)
        ours = self.site["destinations"][name].get("pixel_ids", ())
        if not before["page_view"] or not ours:
            return None
        if [one for one in ours if one not in before["ids"]]:
            return None
        self.pixels[name] = dict(before, page_view=False)
        return "the page's own code has sent it"

    def _warn(self, event: dict) -> None:
        """Say what is odd about the event, each kind once for this page."""
        for kind, words in doubts(event, self.site, self.warned):
            self.warned.append(kind)
            self.page.warn(words)

    def _is_first(self, event: dict) -> bool:
        """True unless this order's event was fired in this browser before (scalev R30, R49)."""
        name, params = event["event_name"], event["params"]
        if not event_id.is_order_event(name, params):
            return True
        return self.page.is_new_order(event_id.event_id(name, params, ""), ORDERS_KEPT)

    def _on_settled(self) -> None:
        if self.is_withdrawn:
            self._forget_visitor()  # the answer to what was under way has renewed his cookies

    # --- set-up, once consent is there ---

    def _begin(self) -> None:
        """Cookies first (R14), then each pixel once (R10), then what earlier pages left."""
        self.is_withdrawn = False
        self.domain = self.page.cookie_domain(self.site["cookie_domain"])
        self.mirror.cookie_domain = self.domain
        cookies = dict(self.page.cookies())
        index = attribution.domain_index(self.domain)
        for landing in self.page.landings():
            if self.calls.consent.get("gpc"):  # all of these are for ads
                continue
            query = attribution.parse_query(landing["url"])
            writes = attribution.capture(
                query, cookies, landing["time"], index, self.page.chance(10**10)
            )
            for name, value, max_age_s in writes:
                self.page.write_cookie(name, value, max_age_s, self.domain)
                cookies[name] = value
        # A page that was left before Python was up could not write the cookie on its `reset`.
        known = self.page.left_reset() or cookies.get(VISITOR_COOKIE)
        self.calls.visitor_id = known or self.page.uuid()
        self._remember_visitor()
        self._set_up_pixels()
        self.mirror.entries.take_over(self._take_over, self.mirror.flush)
        self.direct.heed(self.calls.consent)
        self.direct.take_over()

    def _set_up_pixels(self) -> None:
        heard = self.page.heard()
        self._heed(self.calls.consent)
        for name, pixel in self.in_order:
            if self.refusals[name] is None and name not in self.pixels:
                self._set_up(name, pixel, heard.get(pixel["kind"], NOTHING_HEARD))

    def _set_up(self, name: str, pixel: dict, heard: dict) -> None:
        self.pixels[name] = heard
        if pixel["stub"]:
            self.page.install(name)
        user = self.calls.user
        self.page.prepare(name, self.matching.set_up(name, pixel, heard, user))

    def _on_consent(self) -> None:
        """Remember it; granted: begin, or set up what was refused before; denied: forget.

        What a consent tool says is not remembered: it says it again on the next page.
        """
        given = self.calls.consent
        self.direct.heed(given)
        if self.calls.is_own:
            text = consent_rules.to_text(given)
            self.page.write_cookie(CONSENT_COOKIE, text, YEAR_S, self._cookie_domain())
        if given["status"] == "denied":
            self.mirror.forget_all()
            if VISITOR_COOKIE in self.page.cookies():  # so it was granted before
                self.is_withdrawn = True
                self._forget_visitor()
            self.domain = None
        elif self.domain is None:
            self._begin()
        else:
            self._set_up_pixels()

    def _cookie_domain(self) -> str:
        return self.domain or self.page.cookie_domain(self.site["cookie_domain"])

    def _remember_visitor(self) -> None:
        """The cookie holds whoever visits now, once consent is there."""
        if self.calls.consent["status"] == "granted":
            self.page.write_cookie(
                VISITOR_COOKIE, self.calls.visitor(), YEAR_S, self._cookie_domain()
            )

    def _forget_visitor(self) -> None:
        """Our cookies are gone, but for the consent; `_ttp` is TikTok's own (R21)."""
        cookies = self.page.cookies()
        ours = [name for _, name, _, max_age_s in attribution.COOKIES if max_age_s]
        for name in [VISITOR_COOKIE] + ours:
            if name in cookies:
                self.page.write_cookie(name, "", 0, self._cookie_domain())
