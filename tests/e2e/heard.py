"""What the outside systems and the relay have heard since the test began."""

from collections.abc import Iterable, Sequence
from typing import Any

import httpx

from tests.e2e.site_files import KEY
from tests.e2e.waiting import until

Row = dict[str, Any]
Named = tuple[str, str | None]
"""An event as a system heard it: its own name of the event, and the event ID."""

SERVERS = ("scalev.meta", "scalev.tiktok", "scalev.snackvideo", "tracify")


class Heard:
    """Asks the sandbox what it was given, and the relay what it holds."""

    def __init__(self, sandbox: str, relay: str) -> None:
        self._client = httpx.Client()
        self._sandbox = sandbox
        self._relay = relay
        self._since = 0

    def begin(self) -> None:
        """From now on a test is told of what comes after this."""
        self.normal()
        rows = self._get(f"{self._sandbox}/sandbox/calls")["calls"]
        self._since = rows[-1]["n"] if rows else self._since

    def close(self) -> None:
        self._client.close()

    # --- the sandbox ---

    def calls(self, system: str | None = None) -> list[Row]:
        """Calls of one system, or all, in the order in which each was heard."""
        found = self._get(f"{self._sandbox}/sandbox/calls", since=self._since)["calls"]
        side = "server" if system in SERVERS else "pixel"
        return sorted(
            (
                row
                for row in found
                if system is None or (row["system"], row["side"]) == (system, side)
            ),
            key=lambda row: (row["at"], row["n"]),
        )

    def events(self, system: str) -> list[Named]:
        """The events among the calls (`init`, `load` and `identify` are none)."""
        return [
            (row["event_name"], row["event_id"])
            for row in self.calls(system)
            if row["event_name"] is not None
        ]

    def names(self, system: str) -> list[str]:
        return [name for name, _ in self.events(system)]

    def all_of(self, system: str, name: str) -> list[Row]:
        return [row for row in self.calls(system) if row["event_name"] == name]

    def wait_for(self, system: str, name: str, times: int = 1) -> list[Row]:
        """The calls with this event, once there are so many."""
        return until(
            lambda: self.all_of(system, name),
            f"{system} heard {name}",
            lambda rows: len(rows) >= times,
        )

    def refused(self) -> list[Row]:
        """What a system did not take."""
        return [row for row in self.calls() if not row["accepted"]]

    def behave(self, **wanted: Any) -> None:
        url = f"{self._sandbox}/sandbox/behaviour"
        self._client.post(url, json=wanted).raise_for_status()

    def normal(self) -> None:
        """Every system behaves as usual."""
        self._client.delete(f"{self._sandbox}/sandbox/behaviour").raise_for_status()

    # --- the relay ---

    def deliveries(self, site: str = "toko", **query: Any) -> list[Row]:
        rows: list[Row] = self._get(
            f"{self._relay}/v1/deliveries",
            {"Authorization": f"Bearer {KEY}-{site}"},
            site=site,
            limit=1000,
            **query,
        )["deliveries"]
        return rows

    def stored(self, event_ids: Iterable[str], site: str = "toko") -> list[str]:
        """Those of the event IDs that the relay holds."""
        held = {row["event_id"] for row in self.deliveries(site)}
        return [event_id for event_id in event_ids if event_id in held]

    def wait_until_delivered(self, event_ids: Sequence[str], site: str = "toko") -> None:
        """The relay holds all of them, and owes none of them to anybody."""

        def missing() -> list[Any]:
            states: dict[str, set[str]] = {}
            for row in self.deliveries(site):
                states.setdefault(row["event_id"], set()).add(row["state"])
            return [
                (event_id, states.get(event_id))
                for event_id in event_ids
                if not states.get(event_id) or "waiting" in states[event_id]
            ]

        until(missing, "all server copies are delivered", lambda found: not found)

    def wait_until_idle(self, sites: Iterable[str]) -> None:
        """The relay owes nothing to anybody."""
        for site in sites:
            until(
                lambda site=site: self.deliveries(site, state="waiting"),  # type: ignore[misc]
                f"the relay has nothing waiting for {site}",
                lambda rows: not rows,
            )

    def _get(self, url: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self._client.get(url, params=query, headers=headers).raise_for_status().json()
