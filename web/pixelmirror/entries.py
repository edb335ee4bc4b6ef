"""What a page keeps until it is acknowledged, and which of several tabs takes care of it.

An entry lies in the page's storage on a shelf (`call`: the mirror's, `direct`: what goes to Scalev
from here) under a key: `{"event", "call" or "copy": ..., "by": page ID or null, "at": ms}`. `by` is
the page that takes care of it; a page that leaves lets go of its entries, and one that died has
lost them `LEASE_MS` after `at`, so that of several tabs only one sends each.
"""

from .anything import Any, Function

MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000
LEASE_MS = 30 * 1000
BACK_OFF_MS = (1000, 2000, 5000, 15000, 60000)
MAX_WAIT_S = 3600

# What an entry holds -> its field that says when it happened; `at` is renewed by each page.
TIMES = (("event", "event_time"), ("call", "time"), ("copy", "time"))


class Entries:
    """The entries of one shelf; the next page finds `most` at most, and says `loss` of the rest."""

    def __init__(self, page: Any, shelf: str, most: int, loss: str) -> None:
        self.page = page
        self.shelf = shelf
        self.most = most
        self.loss = loss
        self.take: Any = None
        self.then: Any = None

    def left_over(self) -> list:
        """Those no living page takes care of, oldest first: `[(key, entry)]`; old ones are gone."""
        now = self.page.now_ms()
        found = []
        for key, entry in self.page.entries(self.shelf):
            if now - _happened(entry) > MAX_AGE_MS:
                self.forget(key)
            elif not entry["by"] or (now - entry["at"] > LEASE_MS and entry["by"] != self.page.id):
                found.append((key, entry))
        found.sort(key=lambda pair: (_happened(pair[1]), pair[0]))
        dropped = found[: max(0, len(found) - self.most)]
        for key, _ in dropped:
            self.forget(key)
        if dropped:
            self.page.say(str(len(dropped)), self.loss, "and are dropped")
        return found[len(dropped) :]

    def take_over(self, take: Function, then: Function) -> None:
        """`take(key, entry)` each that is left over, once no other tab may, and `then()`."""
        self.take, self.then = take, then
        left = [key for key, _ in self.left_over()]
        if left:
            self.page.reserve(left, self.on_reserved, self.shelf)

    def on_reserved(self, keys: list) -> None:
        for key, entry in self.left_over():
            if key in keys:
                self.take(key, entry)
        self.then()

    def is_ours(self, key: str) -> bool:
        """True while this entry is kept and no other page has taken care of it."""
        entry = self.page.entry(key, self.shelf)
        return entry is not None and entry["by"] in (None, self.page.id)

    def write(self, key: str, content: dict, by: str | None, for_ms: int = 0) -> None:
        """It is kept, and this page's for `for_ms` more than usual."""
        at = self.page.now_ms() + for_ms
        self.page.write(key, dict(content, by=by, at=at), self.shelf)

    def forget(self, key: str) -> None:
        self.page.remove(key, self.shelf)

    def forget_all(self) -> None:
        for key, _ in self.page.entries(self.shelf):
            self.forget(key)


def _happened(entry: dict) -> int:
    for what, field in TIMES:
        if what in entry:
            return entry[what].get(field, 0)
    return 0


def back_off_ms(failures: int, retry_after: str) -> int:
    """How long to wait after so many failures in a row; `Retry-After`, in seconds, is obeyed."""
    wait_ms = BACK_OFF_MS[min(failures, len(BACK_OFF_MS) - 1)]
    text = retry_after.strip()
    if text and not [c for c in text if not "0" <= c <= "9"]:
        wait_ms = max(wait_ms, min(int(text), MAX_WAIT_S) * 1000)
    return wait_ms
