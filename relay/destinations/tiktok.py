"""TikTok's Events API 2.0: the server copy of each call of the pixel. Source: specs/tiktok.md 4-6.

HTTP 200 is also what an error comes with: the answer's `code` says what became of the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pixelmirror.pixels import tiktok
from relay.destinations import (
    DONE,
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
from relay.identity.tiktok import hashed_user
from relay.site import Site, TiktokTable

BASE_URL = "https://business-api.tiktok.com"
PATH = "/open_api/v1.3/event/track/"
TOKEN_HEADER = "Access-Token"  # noqa: S105 - a header's name

ACCEPTED = 0

# Section 6; any other code is a permanent refusal.
MEANINGS = {
    20001: Meaning("done", "partly accepted"),
    40050: Meaning("done", "a repeat, which TikTok dropped"),
    **dict.fromkeys((40100, 40132, 61000), Meaning("retry", "throttled")),
    40202: Meaning("retry", "write conflict"),
    **dict.fromkeys(
        (50000, 50002, 60001, *range(51000, 53000)), Meaning("retry", "trouble at TikTok")
    ),
    **dict.fromkeys(
        (40001, 40003, *range(40101, 40120), 40300, 41000),
        Meaning("pause", "token or permission refused"),
    ),
}
REFUSED = Meaning("dead", "refused")


def destinations(site: Site, name: str, table: TiktokTable) -> list[Tiktok]:
    """One destination for each pixel ID."""
    return [Tiktok(site, each, table, pixel_id) for each, pixel_id in pixels(name, table)]


class Tiktok(PixelApi):
    """TikTok's Events API for one pixel."""

    kind = "tiktok"
    per_second = 1000.0  # section 4, from a secondary source

    def __init__(self, site: Site, name: str, table: TiktokTable, pixel_id: str) -> None:
        headers = {TOKEN_HEADER: table.access_token}
        super().__init__(site, name, table, (table.base_url or BASE_URL) + PATH, headers)
        self._pixel_id = pixel_id
        self._test_event_code = table.test_event_code
        asked = {*(table.events or ()), *table.event_names}
        self._takes_page_views = table.mode == "server" or "page_view" in asked

    def judge(self, request: Request, answer: Answer, now: float) -> Judgement:
        """Section 6: 429 and 5xx are not TikTok's own; else its code decides."""
        said = answer_json(answer)
        code = whole(said, "code")
        is_gateway = answer.status is None or answer.status == 429 or answer.status >= 500
        shared = judge_transport(request, answer, now) if code is None or is_gateway else None
        if shared is not None:
            return shared
        if said is None or code is None:
            return ambiguous(request, f"not TikTok's answer ({answer.status})")
        if code == ACCEPTED:
            return DONE
        meaning = MEANINGS.get(code, REFUSED)
        after_s = retry_after_s(answer, now) if meaning.verdict == "retry" else None
        words = said.get("message")
        return self._judgement(
            meaning, f"code {code}", words if isinstance(words, str) else "", request, after_s
        )

    def _lacks(self, event: Event) -> str | None:
        if event["event_name"] == "page_view" and not self._takes_page_views:
            # `ttq.page()` takes none (tiktok 1), so TikTok could not know the two for one.
            return "the pixel sends its page views without an event ID"
        return None if http_url(event, "url") else "no http or https page URL"

    def hashed_user(self, event: Event) -> dict[str, str]:
        return hashed_user(shopper(event), self._site.country)

    def _body(self, events: Sequence[Event]) -> dict[str, Any]:
        return known(
            event_source="web",
            event_source_id=self._pixel_id,
            data=[self._web_event(event) for event in events],
            test_event_code=self._test_event_code,
        )

    def _web_event(self, event: Event) -> dict[str, Any]:
        return known(
            event=self._name(event),
            event_time=event["event_time"] // 1000,
            event_id=self._event_id(event),
            user=self._user(event),
            page=known(url=http_url(event, "url"), referrer=http_url(event, "referrer")),
            properties=self._properties(event),
        )

    def _user(self, event: Event) -> dict[str, str]:
        """Section 5: hashed what the shopper told, as it is what the browser did."""
        attribution = event["attribution"]
        return {
            **self.stored_hashes(event),
            **known(
                ttclid=attribution.get("ttclid"),
                ttp=attribution.get("ttp"),
                ip=client_ip(event),
                user_agent=user_agent(event),
            ),
        }

    def _properties(self, event: Event) -> dict[str, Any]:
        """The pixel's parameters and, of what is the server's alone, the order's ID."""
        return {**tiktok.parameters(dict(event)), **known(order_id=order_id(event))}
