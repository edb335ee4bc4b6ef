"""Meta's Conversions API: the server copy of each call of the pixel. Source: specs/meta.md 4-6."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from pixelmirror.attribution import is_meta_id
from pixelmirror.pixels import meta
from relay.destinations import (
    DONE,
    REMEMBERED,
    Answer,
    Event,
    Judgement,
    Request,
    ambiguous,
    http_url,
    judge_transport,
    retry_after_s,
)
from relay.destinations.pixel_api import (
    Meaning,
    PixelApi,
    answer_json,
    client_ip,
    known,
    order_id,
    pixels,
    shopper,
    user_agent,
    whole,
)
from relay.identity.meta import hashed_user_data
from relay.site import MetaTable, Site

BASE_URL = "https://graph.facebook.com"
PATH = "/{version}/{pixel_id}/events"

# An event with nothing but these matches nobody, and Meta calls it invalid. Of Meta's sets, those
# of our events: each has a country and a user agent (section 4).
TOO_LITTLE = (
    {"ct", "country", "st", "zp", "ge", "client_user_agent"},
    {"db", "country", "client_user_agent"},
)

# Required by name (section 2, subcode 2804009).
REQUIRED = {"Purchase": ("value", "currency")}

# --- answers (section 6) ---

THROTTLED = Meaning("retry", "throttled")
TROUBLE = Meaning("retry", "trouble at Meta")
REFUSED = Meaning("dead", "refused")

MEANINGS = {
    **dict.fromkeys((102, 190), Meaning("pause", "access token refused")),
    **dict.fromkeys((3, 10, *range(200, 300)), Meaning("pause", "no permission")),
    **dict.fromkeys((4, 17, 32, 341, 613, 80003, 80004), THROTTLED),
    368: Meaning("retry", "blocked for a while"),
    **dict.fromkeys((1, 2, 5000, 21009), TROUBLE),
    **dict.fromkeys((100, 105, 506), REFUSED),
}
MEANINGS_WITH_SUBCODE = {
    (1, 99): REFUSED,
    (100, 33): Meaning("pause", "no such pixel, or no permission for it"),
}
SLOW_S = {368: 15 * 60.0}


def destinations(site: Site, name: str, table: MetaTable) -> list[Meta]:
    """One destination for each pixel ID."""
    return [Meta(site, each, table, pixel_id) for each, pixel_id in pixels(name, table)]


class Meta(PixelApi):
    """Meta's Conversions API for one pixel."""

    kind = "meta"

    def __init__(self, site: Site, name: str, table: MetaTable, pixel_id: str) -> None:
        path = PATH.format(version=table.api_version, pixel_id=quote(pixel_id, safe=""))
        super().__init__(site, name, table, (table.base_url or BASE_URL) + path, {})
        self._test_event_code = table.test_event_code
        self._proof = _proof(table.app_secret, table.access_token) if table.app_secret else ""

    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        """Section 6: Meta's code decides, whatever the HTTP status."""
        said = answer_json(answer)
        error = said.get("error") if said else None
        if (code := whole(error, "code")) is not None:
            return self._judge_code(code, error, request, answer, now)
        shared = judge_transport(request, answer, now)
        if shared is not None:
            return shared
        is_accepted = answer.status in range(200, 300)
        if is_accepted and whole(said, "events_received") is not None:
            return DONE
        if is_accepted or said is None:
            return ambiguous(request, f"not Meta's answer ({answer.status})")
        return self._judgement(REFUSED, str(answer.status), _words(error), request)

    def _judge_code(
        self, code: int, error: Any, request: Request, answer: Answer, now: float
    ) -> Judgement:
        subcode = whole(error, "error_subcode")
        meaning = MEANINGS_WITH_SUBCODE.get((code, subcode or 0)) or MEANINGS.get(code)
        if meaning is None:
            status = answer.status or 0
            meaning = TROUBLE if status == 429 or status >= 500 else REFUSED
        if meaning is REFUSED and error.get("is_transient") is True:
            meaning = TROUBLE
        after_s = None
        if meaning.verdict == "retry":
            after_s = max(retry_after_s(answer, now) or 0.0, SLOW_S.get(code, 0.0)) or None
        shown = f"code {code}" + (f", subcode {subcode}" if subcode else "")
        return self._judgement(meaning, shown, _words(error), request, after_s)

    def _lacks(self, event: Event) -> str | None:
        """Section 4: what a website's event must have."""
        if not http_url(event, "url"):
            return "no http or https page URL"
        if not user_agent(event):
            return "no user agent"
        # The browser's part first: mostly it is enough, and costs no hash.
        if _is_too_little(_browser(event)) and _is_too_little(self._user_data(event)):
            return "too little user data to match anyone"
        name = self._name(event)
        for field in REQUIRED.get(name, ()):
            if field not in event["params"]:
                return f"no {field}, which a {name} needs"
        return None

    def hashed_user(self, event: Event) -> dict[str, list[str]]:
        return hashed_user_data(shopper(event), self._site.country)

    def _body(self, events: Sequence[Event]) -> dict[str, Any]:
        """The token is in the body, where no log of URLs can find it."""
        return known(
            data=[self._server_event(event) for event in events],
            access_token=self._token,
            appsecret_proof=self._proof,
            test_event_code=self._test_event_code,
        )

    def _server_event(self, event: Event) -> dict[str, Any]:
        return known(
            event_name=self._name(event),
            event_time=event["event_time"] // 1000,
            event_id=self._event_id(event),
            action_source="website",
            event_source_url=http_url(event, "url"),
            referrer_url=http_url(event, "referrer"),
            user_data=self._user_data(event),
            custom_data=self._custom_data(event),
        )

    def _user_data(self, event: Event) -> dict[str, Any]:
        """Section 5: hashed what the shopper told, as it is what the browser did."""
        return {**self.stored_hashes(event), **_browser(event)}

    def _custom_data(self, event: Event) -> dict[str, Any]:
        """The pixel's parameters and, of what is the server's alone, the order's ID."""
        parameters = meta.parameters(dict(event), self._name(event))
        return {**parameters, **known(order_id=order_id(event))}


def _proof(app_secret: str, token: str) -> str:
    """That who has the token has the app's secret too: apps may require it (section 4)."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _words(error: Any) -> str:
    """What Meta says of the request, to developers and to users."""
    if not isinstance(error, dict):
        return ""
    texts = [error.get(key) for key in ("message", "error_user_msg")]
    return ": ".join(dict.fromkeys(text for text in texts if isinstance(text, str) and text))


def _browser(event: Event) -> dict[str, str]:
    attribution = event["attribution"]
    return known(
        client_ip_address=client_ip(event),
        client_user_agent=user_agent(event),
        fbc=_meta_id(attribution.get("fbc", "")),
        fbp=_meta_id(attribution.get("fbp", "")),
    )


def _is_too_little(user_data: Mapping[str, Any]) -> bool:
    return any(set(user_data) <= alone for alone in TOO_LITTLE)


@lru_cache(REMEMBERED)
def _meta_id(value: str) -> str:
    """An `fbc` or `fbp` that Meta can read (section 3); else empty."""
    return value if is_meta_id(value) and not any(map(str.isspace, value)) else ""
