"""The server copies of one route that a page posts to Scalev itself: sent, judged, kept or dropped.

One request at a time, in order. A copy is `{"name": the provider's event name, "time": of the event
in ms, "body": {...}}`. Source: scalev R1-R7, R50, R65, and section 2 (Retry).
"""

import json

from .anything import Function, Mapping
from .entries import Entries, back_off_ms
from .scalev import MAX_AGE_S, NO_STORE, WITH_EVENT_ID, headers

MAY_COUNT_TWICE = "it may have arrived, and is not sent again, as a repeat would count twice"


class Copies:
    """Posts what it is given. `name` is the destination's, `scalev.meta`; `route` its settings;
    `again()` is called after a wait.

    An entry of SnackVideo, which takes no event ID, says `is_sent` while it is under way: nobody
    sends it again then, but for a 429; and `is_handed_over` when the page has left since.
    """

    def __init__(
        self, entries: Entries, name: str, route: dict, api_key: str, again: Function
    ) -> None:
        self.page = entries.page
        self.entries = entries
        self.name = name
        self.again = again
        self.url = route["url"]
        self.headers = headers(api_key)
        self.max_age_ms = MAX_AGE_S[route["provider"]] * 1000
        self.is_repeatable = route["provider"] in WITH_EVENT_ID
        self.waiting: list = []  # [(key, copy)]
        self.under_way: dict = {}  # key -> (copy, True where the browser sends it on)
        self.failures = 0
        self.is_paused = False
        self.said: list = []

    def keep(self, key: str, copy: dict) -> None:
        """Write the copy ahead; it will be posted by the next `flush`."""
        self._write(key, copy, self.page.id)
        self.waiting.append((key, copy))

    def take_over(self, key: str, entry: Mapping) -> None:
        """What an earlier page left is ours, unless it is too old or a repeat would count twice.

        What this page itself has let go of while it was hidden may still be under way.
        """
        copy = entry["copy"]
        if key in self.under_way:
            return
        if not entry.get("is_sent") and self.page.now_ms() - copy["time"] <= self.max_age_ms:
            self.keep(key, copy)
            return
        self.entries.forget(key)
        if entry.get("is_sent") and not entry.get("is_handed_over"):
            self._say("a page ended while " + copy["name"] + " was under way", MAY_COUNT_TWICE)

    def flush(self) -> None:
        """Post the first that waits and is still ours, unless one is under way."""
        while self.waiting and not self.under_way and not self.is_paused:
            key, copy = self.waiting.pop(0)
            if self.entries.is_ours(key):
                self._post(key, copy)

    def _post(self, key: str, copy: dict) -> None:
        """It is under way."""
        if not self.is_repeatable:
            self._write(key, copy, self.page.id, is_sent=True)
        is_sent_on = self.page.send(
            self.url, self.headers, copy["body"], self.on_answer, self.name, key
        )
        self.under_way[key] = (copy, is_sent_on)

    def on_answer(self, status: int, retry_after: str, key: str) -> None:
        """R6, R7: any 2xx is accepted, its body not read; all else is said, and may go again."""
        copy, _ = self.under_way.pop(key)
        if 200 <= status < 300:
            self.failures = 0
            self.entries.forget(key)
        elif self.entries.is_ours(key):  # else consent was withdrawn, or another tab has taken it
            self._refused(key, copy, status, retry_after)
        self.flush()

    def _refused(self, key: str, copy: dict, status: int, retry_after: str) -> None:
        may_pass = status == 0 or status >= 500
        if status == 429 or (may_pass and self.is_repeatable):
            self._say(_failure(status), copy["name"] + " is kept and goes again")
            self.waiting.insert(0, (key, copy))
            self._wait(retry_after)
            return
        self.entries.forget(key)
        fate = MAY_COUNT_TWICE if may_pass else "it is not sent again"
        self._say(_failure(status), copy["name"] + " is lost: " + fate)

    def _wait(self, retry_after: str) -> None:
        """Nothing is posted for a while, in which what waits stays ours."""
        wait_ms = back_off_ms(self.failures, retry_after)
        self.failures += 1
        for key, copy in self.waiting:
            self._write(key, copy, self.page.id, wait_ms)
        if not self.is_paused:
            self.is_paused = True
            self.page.later(wait_ms, self.resume, self.name)

    def resume(self) -> None:
        """The wait is over."""
        self.is_paused = False
        self.again()

    def leave(self, room: int) -> int:
        """The page hides: post what waits, in so many bytes, and let go of every entry.

        Returns how many bytes are left.
        """
        waiting, self.waiting = self.waiting, []
        for key, copy in waiting:
            size = len(json.dumps(copy["body"]).encode())
            if not self.entries.is_ours(key):
                continue
            if size <= room and not self.is_paused:
                room -= size
                self._post(key, copy)
            else:
                self._write(key, copy, None)
        for key in self.under_way:
            copy, is_sent_on = self.under_way[key]
            if not self.entries.is_ours(key):
                continue
            if self.is_repeatable:
                self._write(key, copy, None)
            elif is_sent_on:
                self._write(key, copy, None, is_sent=True, is_handed_over=True)
        return room

    def _write(self, key: str, copy: dict, by: str | None, for_ms: int = 0, **flags: bool) -> None:
        self.entries.write(key, dict(flags, copy=copy), by, for_ms)

    def _say(self, what: str, fate: str) -> None:
        """Say each failure once, not three hundred times."""
        if what not in self.said:
            self.said.append(what)
            self.page.say(self.name + ":", what + ";", fate)


def _failure(status: int) -> str:
    if status == 0:
        return "no answer from Scalev: offline, blocked, or an origin that the store does not know"
    if status == 404:
        return NO_STORE
    return "Scalev answers " + str(status)
