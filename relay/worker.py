"""One destination's worker: sends what is due, as its pace allows, and says what became of it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import replace

from relay.backoff import PROBE_EVERY_S, wait_s
from relay.destinations import Answer, Destination, Judgement, Request
from relay.loading import Load, halves, may_split
from relay.logs import get_logger
from relay.outbox import Delivery, Outbox, OutboxError, Outcome
from relay.pace import Pace
from relay.redaction import safe_reason
from relay.sending import Sender
from relay.settling import Settling
from relay.supply import IDLE_S, INTERNAL, Supply, internal
from relay.surroundings import Surroundings

log = get_logger("pixelmirror.delivery")

TROUBLE_S = 5.0
"""Seconds before the next try when the outbox can't store or something unforeseen happened."""

PAUSED = (
    "PAUSED: check this destination in the site file. "
    "Nothing is lost: deliveries wait, and one a minute is tried"
)
DOWN = "down: not asked for a while, but now and then with one delivery; nothing is lost"


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
        self._log = log.bind(site=site, destination=destination.name)
        self._settling = Settling(outbox, around, self._log, self._settled, self._stopping)
        self._supply = Supply(
            site, destination, outbox, around, self._log, self._settling.add, self._woken.set
        )

    @property
    def under_way(self) -> int:
        """How many requests are under way; what became of the last ones counts as one."""
        return len(self._under_way) + self._settling.is_busy

    def wake(self) -> None:
        """The worker looks now whether something is due."""
        self._supply.due()
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
        """Nothing more is sent; what is under way ends by itself, or cut short at the deadline.

        Cut short, it may have arrived: a delivery that must not be repeated is a dead letter then.
        Everything else waits for the next start.
        """
        self._stopping.set()
        self._woken.set()
        await running
        try:
            await self._supply.close()
        except Exception as error:
            self._log_internal(error)
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=deadline_s)
            if late:
                self._sender.cut_short()
                await asyncio.wait(late)
        await self._settling.finish()
        await self._sender.close()

    async def _turn(self) -> float:
        """Starts what may start; seconds to rest then, unless woken."""
        self._woken.clear()  # before the look: what is put after it wakes again
        supply, clock_ms = self._supply, self._around.clock_ms()
        supply.collect()
        is_probing = self.pace.is_probing(clock_ms)
        if self.pace.is_held(clock_ms) or is_probing != supply.is_for_probe:
            await supply.put_back()
        rest_s = self.pace.rest_s(clock_ms)
        if rest_s == 0:
            await self._start(supply.take(self._room()))
            supply.look(lambda: self._room() > 0, is_probe=is_probing)
        if supply.is_looking:
            await self._woken.wait()
            return 0.0
        if rest_s > 0:
            return rest_s
        return IDLE_S if supply.ready or not self._room() else supply.rest_s(self._around.now_ms())

    def _room(self) -> int:
        """How many more requests may be sent now.

        As many again may have ended and wait for the outbox, no more.
        """
        limits, under_way = self._destination, len(self._under_way)
        unsettled = math.ceil(self._settling.count / limits.batch)
        free = 2 * limits.in_flight - under_way - unsettled
        return max(min(self.pace.room(under_way, self._around.clock_ms()), free), 0)

    async def _start(self, loads: Sequence[Load]) -> None:
        """These are under way."""
        once = [one for load in loads if not load.request.repeatable for one in load.deliveries]
        try:
            if once:
                await self._outbox.begin(once)
        except Exception:
            await self._supply.put_back(loads)
            raise
        if once and self._must_hold():  # since it was begun
            await self._supply.put_back(loads)
            return
        for load in loads:
            self.pace.sent(self._around.clock_ms())
            task = asyncio.create_task(self._carry(load))
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._woken.set()
        if not task.cancelled() and (error := task.exception()):
            self._log_internal(error)

    def _settled(self, outcomes: Sequence[Outcome]) -> None:
        for one in outcomes:
            if one.verdict == "retry":
                self._supply.due(one.due_ms)
        self._woken.set()

    async def _carry(self, load: Load) -> None:
        """The load is sent, in halves where it is refused as a whole, and all of it settled."""
        todo = [load]
        while todo:
            load = todo.pop()
            answer, judgement = await self._try(load.request)
            if may_split(load, judgement):
                for half in reversed(halves(load.deliveries)):
                    todo += await self._supply.loads(half)
            else:
                self._settling.add(self._outcomes(load, answer, judgement))
            if todo and self._must_hold():
                await self._supply.put_back(todo)
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
            return answer, Judgement("dead", internal(error))
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

    def _log_internal(self, error: BaseException, *event_ids: str) -> None:
        self._log.error(INTERNAL, event_id=",".join(event_ids) or None, exc_info=error)
