"""The mirror: each event is written ahead in the page, sent to the relay, and kept until 204.

An entry is one event, or one call that Python has not seen yet, under the call's UUID. The relay
stores an event once, however often it is sent.
"""

import json

from .anything import Any, Function
from .entries import Entries, back_off_ms

MAX_EVENTS = 500  # of one request: the relay's limit
MAX_CHARACTERS = 150000  # of one request; the relay takes 512 KiB
MAX_LEAVING = 18000  # of one that the browser sends on while the page goes away,
MOST_LEAVING = 3  # and how many of these: it sends on 64 KiB in all
MAX_KEPT = 1000

REFUSED = (400, 413, 415, 422)  # by what is in it: it would be refused again


class Mirror:
    """Sends what it is given, in order. `page` is the edge, which holds the events themselves.

    `on_settled()` is called when the relay has answered.
    """

    def __init__(self, page: Any, on_settled: Function) -> None:
        self.page = page
        self.on_settled = on_settled
        self.entries = Entries(page, "call", MAX_KEPT, "events were never taken by the relay")
        self.waiting: list = []  # [(uuid, characters, event name)]
        self.sending: list = []
        self.cookie_domain = ""  # where the tracker keeps our cookies; the relay renews them there
        self.most = MAX_EVENTS  # events of one request
        self.failures = 0
        self.is_paused = False

    def keep(self, uuid: str, event: dict) -> None:
        """Write the event ahead; it will be sent by the next `flush`."""
        text = json.dumps(event)
        self.page.keep(uuid, text)
        self.waiting.append((uuid, len(text), event["event_name"]))

    def forget_all(self) -> None:
        """Consent was withdrawn: nothing that waits is sent any more."""
        self.entries.forget_all()
        self.waiting = []

    # --- sending ---

    def flush(self) -> None:
        """Send what waits, at once and one request at a time."""
        if self.sending or self.is_paused or not self.waiting:
            return
        self.sending = _first(self.waiting[: self.most], MAX_CHARACTERS)
        self.waiting = self.waiting[len(self.sending) :]
        self.page.post(_uuids(self.sending), self._head(), self.on_answer)

    def _head(self) -> dict:
        """What the request says beside its events."""
        return {"sent_at": self.page.now_ms(), "cookie_domain": self.cookie_domain}

    def on_answer(self, status: int, retry_after: str) -> None:
        """What the relay said: 204 ends it; a refusal is narrowed down; all else goes again."""
        sent, self.sending = self.sending, []
        if status == 204:
            self.failures = 0
            self._settle(sent, "stored")
        elif status in REFUSED and len(sent) > 1:
            # Nothing of the request was stored: send ever fewer until the bad event is found.
            self.most = len(sent) // 2
            self._put_back(sent)
        elif status in REFUSED:
            self.page.say("the relay refuses " + sent[0][2] + " (" + str(status) + ")")
            self.most = MAX_EVENTS
            self._settle(sent, "refused")
        else:
            self._wait(sent, retry_after)
            return
        self.flush()

    def _settle(self, sent: list, fate: str) -> None:
        self.on_settled()
        self.page.tell(_uuids(sent), fate)
        self.page.forget(_uuids(sent), "call")

    def _put_back(self, sent: list) -> None:
        """Send it again, but for what is no longer kept: consent was withdrawn meanwhile."""
        kept = self.page.holders(_uuids(sent), "call")
        self.waiting = [row for row in sent if row[0] in kept] + self.waiting

    def _wait(self, sent: list, retry_after: str) -> None:
        self.on_settled()
        self._put_back(sent)
        self.page.tell(_uuids(self.waiting), "kept")
        wait_ms = back_off_ms(self.failures, retry_after)
        self.failures += 1
        self.is_paused = True
        self.page.later(wait_ms, self.resume, "mirror")

    def resume(self) -> None:
        """The wait is over, or the network is back."""
        self.is_paused = False
        self.flush()

    # --- leaving and coming back ---

    def leave(self, requests: int = MOST_LEAVING) -> None:
        """The page hides: hand what waits to the browser, and let go of every entry.

        What is on its way may or may not be acknowledged; the next page asks again, and the relay
        stores it once.
        """
        is_sent_on = sum([size for _, size, _ in self.sending]) < MOST_LEAVING * MAX_LEAVING
        waiting = self.waiting if is_sent_on else self.sending + self.waiting
        for _ in range(requests):
            rows = _first(waiting, MAX_LEAVING)
            if rows:
                self.page.beacon(_uuids(rows), self._head())
            waiting = waiting[len(rows) :]
        self.page.hand(_uuids(self.waiting + self.sending), None)

    def come_back(self) -> None:
        """Out of the back/forward cache: only what no other page has taken is still ours."""
        rows = self.sending + self.waiting
        ours = self.entries.ours(_uuids(rows))
        self.page.hand(ours, self.page.id)
        self.waiting, self.sending = [row for row in rows if row[0] in ours], []
        self.resume()


def _first(rows: list, most_characters: int) -> list:
    """Those that fit one request; always one."""
    size = 0
    for i, row in enumerate(rows):
        size += row[1]
        if i and size > most_characters:
            return rows[:i]
    return rows


def _uuids(rows: list) -> list:
    return [row[0] for row in rows]
