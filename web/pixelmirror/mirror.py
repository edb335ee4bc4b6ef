"""The mirror: each event is written ahead in the page, sent to the relay, and kept until 204.

An entry of the page's storage is one event (or one call that Python has not seen yet), under the
call's UUID: `{"event" or "call": ..., "by": page ID or null, "at": ms}`. `by` is the page that
takes care of it; a page that leaves lets go of its entries, and one that died has lost them after
`LEASE_MS`, so that of several tabs only one sends each. The relay stores an event once anyway.
"""

import json

from .anything import Any, Function

MAX_EVENTS = 100
MAX_CHARACTERS = 20000  # of one request, so that the browser sends it on while the page goes away
MAX_KEPT = 200
MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000
LEASE_MS = 30 * 1000
BACK_OFF_MS = (1000, 2000, 5000, 15000, 60000)

REFUSED = (400, 413, 415, 422)  # by what is in it: it would be refused again


class Mirror:
    """Sends what it is given, in order. `page` is the edge: storage, `post`, `later`, `say`.

    `on_fate(uuid, fate)` is told `"stored"`, `"kept"` or `"refused"` once for each event.
    """

    def __init__(self, page: Any, on_fate: Function) -> None:
        self.page = page
        self.on_fate = on_fate
        self.waiting: list = []  # [(uuid, event)]
        self.sending: list = []
        self.cookie_domain = ""  # where the tracker keeps our cookies; the relay renews them there
        self.most = MAX_EVENTS  # events of one request
        self.failures = 0
        self.is_paused = False

    # --- entries ---

    def left_over(self) -> list:
        """Entries no living page takes care of, oldest first, now ours: `[(uuid, entry)]`."""
        now = self.page.now_ms()
        found = []
        for uuid, entry in self.page.entries():
            if now - _happened(entry) > MAX_AGE_MS:
                self.page.remove(uuid)
            elif not entry["by"] or (now - entry["at"] > LEASE_MS and entry["by"] != self.page.id):
                found.append((uuid, entry))
        found.sort(key=lambda pair: (_happened(pair[1]), pair[0]))
        dropped = found[: max(0, len(found) - MAX_KEPT)]
        for uuid, _ in dropped:
            self.page.remove(uuid)
        if dropped:
            count = str(len(dropped))
            self.page.say(count + " events were never taken by the relay and are dropped")
        return found[len(dropped) :]

    def is_ours(self, uuid: str) -> bool:
        """True while this entry is kept and no other page has taken care of it."""
        entry = self.page.entry(uuid)
        return entry is not None and entry["by"] in (None, self.page.id)

    def keep(self, uuid: str, event: dict) -> None:
        """Write the event ahead; it will be sent by the next `flush`."""
        self._write(uuid, event, self.page.id)
        self.waiting.append((uuid, event))

    def forget(self, uuid: str) -> None:
        """The call became no event: nothing is to be kept of it."""
        self.page.remove(uuid)

    def forget_all(self) -> None:
        """Consent was withdrawn: nothing that waits is sent any more."""
        for uuid, _ in self.page.entries():
            self.page.remove(uuid)
        self.waiting = []

    def _write(self, uuid: str, event: dict, by: str | None) -> None:
        self.page.write(uuid, {"event": event, "by": by, "at": self.page.now_ms()})

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
            self.page.remove(uuid)
            self.on_fate(uuid, fate)

    def _put_back(self, sent: list) -> None:
        """Send it again, but for what is no longer kept: consent was withdrawn meanwhile."""
        self.waiting = [pair for pair in sent if self.page.entry(pair[0])] + self.waiting

    def _wait(self, sent: list, retry_after: str) -> None:
        self._put_back(sent)
        for uuid, _ in self.waiting:
            self.on_fate(uuid, "kept")
        wait_ms = BACK_OFF_MS[min(self.failures, len(BACK_OFF_MS) - 1)]
        if retry_after.strip() and not [c for c in retry_after.strip() if not "0" <= c <= "9"]:
            wait_ms = max(wait_ms, min(int(retry_after), 3600) * 1000)
        self.failures += 1
        self.is_paused = True
        self.page.later(wait_ms, self.resume)

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
            self._write(uuid, event, None)

    def come_back(self) -> None:
        """Out of the back/forward cache: only what no other page has taken is still ours."""
        mine = []
        for uuid, event in self.sending + self.waiting:
            if self.is_ours(uuid):
                self._write(uuid, event, self.page.id)
                mine.append((uuid, event))
        self.waiting, self.sending = mine, []
        self.resume()


def _happened(entry: dict) -> int:
    """When the event happened, in ms; `at` is renewed by each page that takes care of the entry."""
    return entry.get("event", {}).get("event_time") or entry.get("call", {}).get("time", 0)
