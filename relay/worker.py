"""One destination's worker: claims what is due, sends it, and settles what became of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from relay.backoff import PROBE_EVERY_S, wait_s
from relay.destinations import Answer, Destination, Judgement, Request
from relay.loading import Load, halves, in_batches, loads, may_split, too_old
from relay.logs import get_logger
from relay.metrics import Metrics
from relay.outbox import Delivery, Outbox, OutboxError, Outcome
from relay.pace import Pace
from relay.redaction import safe_reason
from relay.sending import Sender

log = get_logger("pixelmirror.delivery")

CLAIM_MOST = 200
"""Deliveries of one claim, unless a single request may carry more."""

PROBE_AMONG = 100
"""A probe is made with the one of so many that failed least, so that events at which the system
breaks, and which are always due, do not hold up the others."""

IDLE_S = 30.0
"""An idle worker looks again this often; what is put wakes it at once."""

TROUBLE_S = 5.0
"""Seconds before the next try when the outbox can't store or something unforeseen happened."""

SAID = {
    "done": (logging.DEBUG, "delivered"),
    "retry": (logging.INFO, "to be tried again"),
    "dead": (logging.WARNING, "dead letter"),
}

PAUSED = (
    "PAUSED: check this destination in the site file. "
    "Nothing is lost: deliveries wait, and one a minute is tried"
)
DOWN = "down: not asked for a while, but now and then with one delivery; nothing is lost"
INTERNAL = "internal error"

Wait = Callable[[asyncio.Event, float], Awaitable[None]]
"""Returns when the event is set or so many seconds have passed."""


@dataclass(frozen=True)
class Surroundings:
    """What a worker is given from outside: time, chance, and where it counts.

    `now_ms` is the date; `clock_ms` only passes, and nobody sets it back.
    """

    now_ms: Callable[[], int]
    clock_ms: Callable[[], int]
    chance: Callable[[], float]
    wait: Wait
    metrics: Metrics


class Worker:
    """Delivers to one destination of one site; slow or broken, it disturbs no other."""

    def __init__(
        self,
        site: str,
        destination: Destination,
        outbox: Outbox,
        sender: Sender,
        around: Surroundings,
    ) -> None:
        self.pace = Pace(destination.in_flight, destination.per_second)
        self._site = site
        self._destination = destination
        self._outbox = outbox
        self._sender = sender
        self._around = around
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._a_request = destination.batch  # deliveries that one carried of late
        self._log = log.bind(site=site, destination=destination.name)

    @property
    def under_way(self) -> int:
        """How many requests are under way."""
        return len(self._under_way)

    def wake(self) -> None:
        """The worker looks now whether something is due."""
        self._woken.set()

    async def run(self) -> None:
        """Everything due is delivered, until `stop`."""
        while not self._stopping.is_set():
            try:
                rest_s = await self._turn()
            except OutboxError as error:
                self._log.error("delivery waits for the outbox", why=str(error))
                rest_s = TROUBLE_S
            except Exception as error:
                self._log_internal(error)
                rest_s = TROUBLE_S
            if rest_s > 0:
                await self._around.wait(self._woken, rest_s)

    async def stop(self, running: asyncio.Task[None], deadline_s: float) -> None:
        """Nothing more is claimed; what is under way ends by itself, or cut short at the deadline.

        Cut short, it may have arrived: a delivery that must not be repeated is a dead letter then.
        Everything else waits for the next start.
        """
        self._stopping.set()
        self._woken.set()
        await running
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=deadline_s)
            if late:
                self._sender.cut_short()
                await asyncio.wait(late)
        await self._sender.close()

    async def _turn(self) -> float:
        """Starts what may start; seconds to rest then, unless woken."""
        self._woken.clear()  # before the look: what is put after it wakes again
        clock_ms, now_ms = self._around.clock_ms(), self._around.now_ms()
        rest_s = self.pace.rest_s(clock_ms)
        free = self.pace.room(self.under_way, clock_ms)
        if rest_s > 0 or free == 0:
            return rest_s or IDLE_S
        is_probing = self.pace.is_probing(clock_ms)
        most = PROBE_AMONG if is_probing else free * self._a_request
        most = min(most, max(self._destination.batch, CLAIM_MOST))
        claimed = await self._outbox.claim(self._site, self._destination.name, most, now_ms)
        if is_probing and claimed[1:]:
            claimed = await self._for_probe(claimed, now_ms)
        if claimed:
            await self._start(claimed, free, now_ms)
            return 0.0
        due_ms = await self._outbox.next_due(self._site, self._destination.name)
        return IDLE_S if due_ms is None else min((due_ms - now_ms) / 1000, IDLE_S)

    async def _for_probe(self, claimed: Sequence[Delivery], now_ms: int) -> list[Delivery]:
        """Of what was claimed, the one to try and those that are too old; the others wait again."""
        max_age_s = self._destination.max_age_s
        fresh = [one for one in claimed if too_old(one, max_age_s, now_ms) is None]
        probe = min(fresh, key=lambda one: one.attempts, default=None)
        await self._outbox.release([one for one in fresh if one is not probe])
        old = [one for one in claimed if too_old(one, max_age_s, now_ms) is not None]
        return [*old, probe] if probe else old

    async def _start(self, claimed: Sequence[Delivery], free: int, now_ms: int) -> None:
        """What fits into `free` requests is under way; the rest waits again."""
        try:
            made = await self._loads(claimed, now_ms)
            if made[free:]:
                await self._outbox.release([one for load in made[free:] for one in load.deliveries])
                self._a_request = max(sum(len(load.deliveries) for load in made[:free]) // free, 1)
                made = made[:free]
            else:
                self._a_request = min(2 * self._a_request, self._destination.batch)
            once = [one for load in made if not load.request.repeatable for one in load.deliveries]
            if once:
                await self._outbox.begin(once)
        except Exception:
            await self._outbox.release(claimed)
            raise
        if self._stopping.is_set():
            await self._outbox.release(claimed)
            return
        for load in made:
            self.pace.sent(self._around.clock_ms())
            task = asyncio.create_task(self._carry(load))
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    async def _loads(self, deliveries: Sequence[Delivery], now_ms: int) -> list[Load]:
        """The requests to send; what can't be sent at all is settled as a dead letter."""
        hopeless: list[Outcome] = []
        fresh: list[Delivery] = []
        for delivery in deliveries:
            reason = too_old(delivery, self._destination.max_age_s, now_ms)
            if reason is None:
                fresh.append(delivery)
            else:
                hopeless.append(
                    Outcome(delivery, "dead", None, safe_reason(reason), attempted=False)
                )
        made: list[Load] = []
        for batch in in_batches(fresh, self._destination.batch):
            some, failed = loads(self._destination, batch)
            made += some
            for delivery, error in failed:
                self._log_internal(error, delivery.event_id)
                hopeless.append(Outcome(delivery, "dead", None, _internal(error), attempted=False))
        if hopeless:
            await self._settle(hopeless)
        return made

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._woken.set()
        if not task.cancelled() and (error := task.exception()):
            self._log_internal(error)

    async def _carry(self, load: Load) -> None:
        """The load is sent, in halves where it is refused as a whole, and all of it settled."""
        todo = [load]
        while todo:
            load = todo.pop()
            answer, judgement = await self._try(load.request)
            if may_split(load, judgement):
                for half in reversed(halves(load.deliveries)):
                    todo += await self._loads(half, self._around.now_ms())
            else:
                await self._settle(self._outcomes(load, answer, judgement))
            if todo and self._must_hold():
                await self._outbox.release([one for rest in todo for one in rest.deliveries])
                return
            if todo:
                self.pace.sent(self._around.clock_ms())

    def _must_hold(self) -> bool:
        return self._stopping.is_set() or self.pace.is_held(self._around.clock_ms())

    async def _try(self, request: Request) -> tuple[Answer, Judgement]:
        answer = Answer(failure="no_answer")
        start = time.perf_counter()
        try:
            answer = await self._sender.send(request)
            taken_s = time.perf_counter() - start
            self._around.metrics.attempted(self._site, self._destination.name, taken_s)
            judgement = self._destination.judge(request, answer, self._around.now_ms() / 1000)
        except Exception as error:
            self._log_internal(error, *(event["event_id"] for event in request.events))
            return answer, Judgement("dead", _internal(error))
        return answer, self._noted(request, judgement)

    def _noted(self, request: Request, judgement: Judgement) -> Judgement:
        """The pace follows this judgement; what came back is what it means for the deliveries."""
        clock_ms = self._around.clock_ms()
        before = self.pace.state(clock_ms)
        self.pace.note(judgement, clock_ms)
        after = self.pace.state(clock_ms)
        if after == "paused" and before != "paused":
            self._log.error(PAUSED, reason=safe_reason(judgement.reason, request))
            # It may be about these events alone, as a firewall's 403 is: then they come back ever
            # more seldom, and do not pause the others every minute.
            return replace(judgement, verdict="retry", after_s=PROBE_EVERY_S)
        if after == "open" and before == "closed":
            self._log.warning(DOWN, reason=safe_reason(judgement.reason, request))
        elif after == "closed" and before != "closed":
            self._log.warning("resumed")
        return judgement

    def _outcomes(self, load: Load, answer: Answer, judgement: Judgement) -> list[Outcome]:
        reason = safe_reason(judgement.reason, load.request) if judgement.reason else ""
        if judgement.verdict in ("done", "dead"):
            verdict = judgement.verdict
            return [Outcome(one, verdict, answer.status, reason) for one in load.deliveries]
        chance = self._around.chance()  # one for all: what was sent together stays together
        return [
            Outcome(one, "retry", answer.status, reason, self._due_ms(one, judgement, chance))
            for one in load.deliveries
        ]

    def _due_ms(self, delivery: Delivery, judgement: Judgement, chance: float) -> int:
        rest_s = PROBE_EVERY_S
        if judgement.verdict == "retry":
            attempt = delivery.attempts + 1
            rest_s = wait_s(attempt, chance, judgement.after_s, self._destination.max_age_s)
        return self._around.now_ms() + int(rest_s * 1000)

    async def _settle(self, outcomes: Sequence[Outcome]) -> None:
        """The outcomes are stored, however long the outbox can't: they happened."""
        while True:
            try:
                await self._outbox.settle(outcomes, self._around.now_ms())
                break
            except OutboxError as error:
                self._log.error("an outcome is not stored yet", why=str(error))
                if self._stopping.is_set():
                    return
                await self._around.wait(self._stopping, TROUBLE_S)
        now_ms = self._around.now_ms()
        for one in outcomes:
            age_s = (now_ms - one.delivery.event["received_at"]) / 1000
            self._around.metrics.settled(self._site, self._destination.name, one.verdict, age_s)
            level, words = SAID[one.verdict]
            self._log.log(
                level,
                words,
                event_id=one.delivery.event_id,
                attempt=one.delivery.attempts + one.attempted,
                status=one.status,
                reason=one.reason or None,
            )

    def _log_internal(self, error: BaseException, *event_ids: str) -> None:
        self._log.error(INTERNAL, event_id=",".join(event_ids) or None, exc_info=error)


def _internal(error: Exception) -> str:
    return f"{INTERNAL}: {type(error).__name__}"
