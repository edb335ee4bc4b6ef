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
AT_ONCE = 20  # entries taken over in one task of the page


class Entries:
    """The entries of one shelf; the next page finds `most` at most, and says `loss` of the rest."""

    def __init__(self, page: Any, shelf: str, most: int, loss: str) -> None:
        self.page = page
        self.shelf = shelf
        self.most = most
        self.loss = loss
        self.take: Any = None
        self.then: Any = None
        self.reserved: list = []  # keys

    def left_over(self) -> list:
        """The keys of those no living page takes care of, oldest first; old ones are gone."""
        now = self.page.now_ms()
        found, old = [], []
        for key, entry in self.page.entries(self.shelf):
            if now - entry["time"] > MAX_AGE_MS:
                old.append(key)
            elif self._is_left(entry):
                found.append((entry["time"], key))
        found.sort()
        keys = [key for _, key in found]
        dropped = keys[: max(0, len(keys) - self.most)]
        if dropped:
            self.page.say(str(len(dropped)), self.loss, "and are dropped")
        self.page.forget(old + dropped, self.shelf)
        return keys[len(dropped) :]

    def _is_left(self, entry: dict) -> bool:
        """Nobody takes care of it, or whoever did has died; `at` is renewed by each page."""
        is_lost = self.page.now_ms() - entry["at"] > LEASE_MS and entry["by"] != self.page.id
        return is_lost or not entry["by"]

    def take_over(self, take: Function, then: Function) -> None:
        """`take(key, entry)` each that is left over, once no other tab may, and `then()`."""
        self.take, self.then = take, then
        left = self.left_over()
        if left:
            self.page.reserve(left, self.on_reserved, self.shelf)

    def on_reserved(self, keys: list) -> None:
        self.reserved.extend(keys)
        self.go_on()

    def go_on(self) -> None:
        """The next few are taken; the page has its turn in between."""
        keys, self.reserved = self.reserved[:AT_ONCE], self.reserved[AT_ONCE:]
        for key in keys:
            entry = self.page.entry(key, self.shelf)
            if entry and self._is_left(entry):
                self.take(key, entry)
        self.then()
        if self.reserved:
            self.page.later(0, self.go_on, self.shelf)

    def ours(self, keys: list) -> list:
        """Those that are kept and that no other page has taken care of."""
        holders = self.page.holders(keys, self.shelf)
        return [key for key in keys if holders.get(key, "") in (None, self.page.id)]

    def is_ours(self, key: str) -> bool:
        return bool(self.ours([key]))

    def write(self, key: str, content: dict, by: str | None, for_ms: int = 0) -> None:
        """It is kept, and this page's for `for_ms` more than usual."""
        at = self.page.now_ms() + for_ms
        self.page.write(key, dict(content, by=by, at=at), self.shelf)

    def forget(self, key: str) -> None:
        self.page.forget([key], self.shelf)

    def forget_all(self) -> None:
        self.page.forget([key for key, _ in self.page.entries(self.shelf)], self.shelf)


def back_off_ms(failures: int, retry_after: str) -> int:
    """How long to wait after so many failures in a row; `Retry-After`, in seconds, is obeyed."""
    wait_ms = BACK_OFF_MS[min(failures, len(BACK_OFF_MS) - 1)]
    text = retry_after.strip()
    if text and not [c for c in text if not "0" <= c <= "9"]:
        wait_ms = max(wait_ms, min(int(text), MAX_WAIT_S) * 1000)
    return wait_ms
