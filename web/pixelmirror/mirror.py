"""The mirror: each event is written ahead in the page, sent to the relay, and kept until 204.

An entry is one event, or one call that Python has not seen yet, under the call's UUID. The relay
stores an event once, however often it is sent.
"""

import json

from .anything import Any, Function
from .entries import Entries, back_off_ms

MAX_EVENTS = 100
MAX_CHARACTERS = 20000  # of one request, so that the browser sends it on while the page goes away
MAX_KEPT = 200

REFUSED = (400, 413, 415, 422)  # by what is in it: it would be refused again


class Mirror:
    """Sends what it is given, in order. `page` is the edge: storage, `post`, `later`, `say`.

    `on_fate(uuid, fate)` is told `"stored"`, `"kept"` or `"refused"` once for each event.
    """

    def __init__(self, page: Any, on_fate: Function) -> None:
        self.page = page
        self.on_fate = on_fate
        self.entries = Entries(page, "call", MAX_KEPT, "events were never taken by the relay")
        self.waiting: list = []  # [(uuid, event)]
        self.sending: list = []
        self.cookie_domain = ""  # where the tracker keeps our cookies; the relay renews them there
        self.most = MAX_EVENTS  # events of one request
        self.failures = 0
        self.is_paused = False

    def keep(self, uuid: str, event: dict) -> None:
        """Write the event ahead; it will be sent by the next `flush`."""
        self.entries.write(uuid, {"event": event}, self.page.id)
        self.waiting.append((uuid, event))

    def forget_all(self) -> None:
        """Consent was withdrawn: nothing that waits is sent any more."""
        self.entries.forget_all()
        self.waiting = []

    # --- sending ---

    def flush(self) -> None:
        """Send what waits, at once and one request at a time."""
        if self.sending or self.is_paused or not self.waiting:
            return
        self.sending, text = self._batch()
        self.waiting = self.waiting[len(self.sending) :]
        self.page.post(text, self.on_answer)

    def _batch(self) -> tuple:
        """The first events that fit one request, and its body."""
        texts: list = []
        size = 0
        for _, event in self.waiting[: self.most]:
            text = json.dumps(event)
            size += len(text)
            if texts and size > MAX_CHARACTERS:
                break
            texts.append(text)
        head = json.dumps({"sent_at": self.page.now_ms(), "cookie_domain": self.cookie_domain})
        body = head[:-1] + ', "events": [' + ", ".join(texts) + "]}"
        return self.waiting[: len(texts)], body

    def on_answer(self, status: int, retry_after: str) -> None:
        """What the relay said: 204 ends it; a refusal is narrowed down; all else goes again."""
        sent, self.sending = self.sending, []
        if status == 204:
            self.failures = 0
            self._settle(sent, "stored")
        elif status in REFUSED and len(sent) > 1:
            # Nothing of the request was stored: send one by one until the bad event is found.
            self.most = 1
            self._put_back(sent)
        elif status in REFUSED:
            name = sent[0][1]["event_name"]
            self.page.say("the relay refuses " + name + " (" + str(status) + ")")
            self.most = MAX_EVENTS
            self._settle(sent, "refused")
        else:
            self._wait(sent, retry_after)
            return
        self.flush()

    def _settle(self, sent: list, fate: str) -> None:
        for uuid, _ in sent:
            self.entries.forget(uuid)
            self.on_fate(uuid, fate)

    def _put_back(self, sent: list) -> None:
        """Send it again, but for what is no longer kept: consent was withdrawn meanwhile."""
        self.waiting = [pair for pair in sent if self.page.entry(pair[0], "call")] + self.waiting

    def _wait(self, sent: list, retry_after: str) -> None:
        self._put_back(sent)
        for uuid, _ in self.waiting:
            self.on_fate(uuid, "kept")
        wait_ms = back_off_ms(self.failures, retry_after)
        self.failures += 1
        self.is_paused = True
        self.page.later(wait_ms, self.resume, "mirror")

    def resume(self) -> None:
        """The wait is over, or the network is back."""
        self.is_paused = False
        self.flush()

    # --- leaving and coming back ---

    def leave(self) -> None:
        """The page hides: hand what waits to the browser, and let go of every entry.

        What is on its way may or may not be acknowledged; the next page asks again, and the relay
        stores it once.
        """
        if self.waiting:
            _, text = self._batch()
            self.page.beacon(text)
        for uuid, event in self.waiting + self.sending:
            self.entries.write(uuid, {"event": event}, None)

    def come_back(self) -> None:
        """Out of the back/forward cache: only what no other page has taken is still ours."""
        mine = []
        for uuid, event in self.sending + self.waiting:
            if self.entries.is_ours(uuid):
                self.entries.write(uuid, {"event": event}, self.page.id)
                mine.append((uuid, event))
        self.waiting, self.sending = mine, []
        self.resume()
