"""An ordeal: a relay under load, among failing systems, killed, out of disk, its clock set back.

Whatever happens in it, in the end it must hold that every event which a page was told is stored has
reached every destination, and none twice where a repeat counts twice.
"""

from __future__ import annotations

import json
import random
import re
import signal
import sqlite3
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx

from tests.relay.disk import full_disk
from tests.relay.process_shop import ORIGIN, SCALEV, SHOPPER, event, relay
from tests.relay.processes import RelayProcess, SandboxProcess, until

ONCE = ("scalev.snackvideo", "tracify")
"""Where a repeat would count twice: these know no event ID of a cart event."""

AGAIN = ("scalev.meta", "scalev.tiktok")

TROUBLES: list[dict[str, Any]] = [
    {"do": "fail", "status": 500},  # tracify: 502 to 504 say that nothing was taken
    {"do": "throttle", "retry_after_s": 1},
    {"do": "stall", "seconds": 0.5},
    {"do": "garbage"},
    {"do": "close"},
]

NAME = re.compile(r"ordeal-\d{6}-x")


class Load(threading.Thread):
    """A shop's pages: they send batch after batch, and each again until it is acknowledged."""

    def __init__(self, ordeal: Ordeal) -> None:
        super().__init__(daemon=True)
        self._ordeal = ordeal

    def run(self) -> None:
        between_tries = threading.Event()
        with httpx.Client(timeout=10, trust_env=False) as client:
            while (names := self._ordeal.next_names()) is not None:
                while not self._is_taken(client, names):
                    between_tries.wait(0.02)
                self._ordeal.note(names)

    def _is_taken(self, client: httpx.Client, names: list[str]) -> bool:
        body = json.dumps({"events": [event(name) for name in names]})
        headers = {"Origin": ORIGIN, "Content-Type": "text/plain", **SHOPPER}
        try:
            answer = client.post(self._ordeal.posts_to, content=body, headers=headers)
        except httpx.TransportError:
            return False
        assert answer.status_code in (204, 503), answer.text
        if answer.status_code == 503:
            self._ordeal.note_refusal()
        return answer.status_code == 204


class Ordeal:
    """A relay and a sandbox in `folder`; `seed` decides when it is killed and what fails."""

    def __init__(self, folder: Path, seed: int, pages: int = 3) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (no secret)
        self._names = random.Random(seed)  # noqa: S311
        self._sandbox = SandboxProcess(folder)
        self._relay = relay(folder, "ordeal", SCALEV, self._sandbox.url)
        self._outbox = folder / "var-ordeal" / "outbox.db"
        self._changed = threading.Condition()
        self._made = 0
        self._is_over = False
        self._pages = [Load(self) for _ in range(pages)]
        self._seen = 0
        self._refusals = 0
        self.acknowledged = set[str]()
        self.counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.posts_to = f"{self._relay.url}/s/ordeal"

    def __enter__(self) -> Ordeal:
        self._sandbox.start()
        self._relay.start()
        for page in self._pages:
            page.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._relay.close()
        self._sandbox.close()

    # --- what the pages ask ---

    def next_names(self) -> list[str] | None:
        """The IDs of the next events to send; None once there is nothing more to do."""
        with self._changed:
            if self._is_over:
                return None
            first = self._made
            self._made += self._names.randint(1, 4)
            return [f"ordeal-{number:06}-x" for number in range(first, self._made)]

    def note(self, names: list[str]) -> None:
        """The relay has said 204 for these."""
        with self._changed:
            self.acknowledged.update(names)
            self._changed.notify_all()

    def note_refusal(self) -> None:
        """The relay has said 503."""
        with self._changed:
            self._refusals += 1
            self._changed.notify_all()

    # --- what happens ---

    def trouble(self) -> None:
        """Two systems fail, each in some way, for some calls."""
        for system in self._chance.sample((*ONCE, *AGAIN), 2):
            how = self._chance.choice(TROUBLES)
            self._sandbox.behave(system, times=self._chance.randint(1, 5), **how)

    def kill(self) -> None:
        """At some moment the relay is killed, and starts again."""
        self._end(signal.SIGKILL)
        self._relay.start()

    def fill_the_disk(self) -> None:
        """For some time nothing can be stored."""
        with full_disk(pid_of(self._relay)), self._changed:
            enough = self._refusals + self._chance.randint(1, 5)
            assert self._changed.wait_for(lambda: self._refusals >= enough, 60)

    def set_the_clock_back(self) -> None:
        """The relay starts a day before it ended."""
        self._end(signal.SIGTERM)
        self._pass(hours=-24)
        self._relay.start()

    def round(self) -> None:
        """Something of all this, or all of it."""
        self.trouble()
        if self._chance.random() < 0.3:
            self.fill_the_disk()
        if self._chance.random() < 0.2:
            self.set_the_clock_back()
        self.kill()

    def finish(self) -> dict[tuple[str, str], tuple[str, str]]:
        """What became of each event at each destination, once nothing waits: state and reason."""
        self._acknowledge(1)
        self._is_over = True
        for page in self._pages:
            page.join(30)
            assert not page.is_alive()
        self._relay.end()
        self._sandbox.ask("DELETE", "/sandbox/behaviour").raise_for_status()
        self._pass(hours=1)
        self._relay.start()
        until(
            lambda: self._relay.rows(state="waiting", limit=1),
            "nothing waits",
            lambda rows: not rows,
        )
        self._relay.end()
        self._collect()
        db = sqlite3.connect(self._outbox)
        rows = db.execute(
            "SELECT event_id, destination, state, reason FROM deliveries JOIN events ON id = event"
        ).fetchall()
        db.close()
        return {(event_id, to): (state, reason) for event_id, to, state, reason in rows}

    def _acknowledge(self, more: int) -> None:
        with self._changed:
            enough = len(self.acknowledged) + more
            assert self._changed.wait_for(lambda: len(self.acknowledged) >= enough, 60)

    def _end(self, number: signal.Signals) -> None:
        self._acknowledge(self._chance.randint(5, 60))
        code = self._relay.end(number)
        assert code == (-number if number == signal.SIGKILL else 0), self._relay.log.read_text()
        self._collect()

    def _pass(self, hours: int) -> None:
        """What waits has waited so much longer, by the clock of whoever looks at it next."""
        db = sqlite3.connect(self._outbox)
        with db:
            db.execute(
                "UPDATE deliveries SET due_ms = due_ms - :ms, updated_at = updated_at - :ms "
                "WHERE state = 'waiting'",
                {"ms": hours * 3_600_000},
            )
        db.close()

    def _collect(self) -> None:
        """What each system was given since the last time, but what it surely did not take."""
        calls = self._sandbox.ask("GET", f"/sandbox/calls?since={self._seen}").json()["calls"]
        if calls:
            assert calls[0]["n"] == self._seen + 1, "the sandbox has forgotten some"
            self._seen = calls[-1]["n"]
        for call in calls:
            found = NAME.search(json.dumps(call["call"]))
            if found and call["status"] != 429:
                self.counted[call["system"]][found[0]] += 1


def pid_of(relay: RelayProcess) -> int:
    """The process that runs now."""
    assert relay._process is not None
    return relay._process.pid


def check(ordeal: Ordeal) -> dict[str, int]:
    """What must hold holds; how many events were acknowledged, and how they ended."""
    ends = ordeal.finish()
    counts = Counter[str](acknowledged=len(ordeal.acknowledged))
    for name in sorted(ordeal.acknowledged):
        for system in (*ONCE, *AGAIN):
            assert (name, system) in ends, f"{name} is not known for {system}"
            state, reason = ends[name, system]
            times = ordeal.counted[system][name]
            counts[state] += 1
            if state == "done":
                assert times >= 1, f"{name} never arrived at {system}"
            else:
                assert (state, system in ONCE) == ("dead", True), (name, system, state, reason)
                assert "may have arrived" in reason, (name, system, reason)
            if system in ONCE:
                assert times <= 1, f"{name} arrived {times} times at {system}"
    strangers = {name for name, _ in ends} - ordeal.acknowledged
    assert not strangers, "stored, but never acknowledged though it was asked again"
    return dict(counts)
