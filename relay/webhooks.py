"""Webhooks: `POST /webhooks/midtrans/{site}`, by which an order becomes a paid one (DESIGN 5.4).

200   taken, taken before, or nothing to take: a status that changes nothing, no payment at all
400   not JSON, or it lacks what a notification must have
403   not signed by Midtrans
404   no such site, or one without [midtrans]
503   it can't be stored, or not be confirmed, now: Midtrans comes again (midtrans M8)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pixelmirror.check import EventError
from relay import midtrans
from relay.body import read_object
from relay.callers import Strangers, site_named
from relay.ingest import RETRY_AFTER_S, ROUTED_WITHIN_S, Ingest, durable
from relay.logs import get_logger
from relay.outbox import Outbox
from relay.refusals import Refusal
from relay.sending import Sender
from relay.site import MidtransTable, Site

log = get_logger("pixelmirror.webhooks")

CONFIRM_WITHIN_S = 4.0
"""Midtrans wants its answer within 5 seconds (midtrans.md section 2)."""


class Webhooks:
    """Takes the payment notifications of every site."""

    def __init__(
        self,
        sites: Mapping[str, Site],
        ingest: Ingest,
        outbox: Outbox,
        sender: Sender,
        strangers: Strangers,
        now_ms: Callable[[], int],
    ) -> None:
        self._sites = sites
        self._ingest = ingest
        self._outbox = outbox
        self._sender = sender
        self._strangers = strangers
        self._now_ms = now_ms

    async def notified(self, request: Request) -> Response:
        """Its result in one word: `paid`, `reversed` or `ignored`."""
        site = site_named(self._sites, request.path_params["site"])
        table = site.midtrans
        if table is None:
            raise Refusal("unknown_site", "this site takes no payment notifications", field="site")
        body = await read_object(request)
        if body.get("order_id") is None:  # a subscription's or an account's (M7)
            self._strangers.count(request)  # it may be from anyone
            log.info("a notification without an order_id is no payment: ignored", site=site.site)
            return JSONResponse({"result": "ignored"})
        if not midtrans.is_signed(body, table.server_key):
            log.warning("a notification that Midtrans has not signed", site=site.site)
            raise Refusal("wrong_signature", "the signature is not Midtrans' own")
        for field in ("order_id", "transaction_status"):
            if not isinstance(body.get(field), str) or not body[field]:
                raise Refusal("invalid_notification", f"{field} must be a text", field=field)
        return JSONResponse({"result": await self._take(body, site, table)})

    async def close(self) -> None:
        """The connections to the status API are closed."""
        await self._sender.close()

    async def _take(self, body: midtrans.Body, site: Site, table: MidtransTable) -> str:
        """What would change something is confirmed first, as the status is not signed (M5)."""
        if await self._is_news(body, site) and table.confirm:
            body = await self._confirmed(body, site, table)
        if not await self._is_news(body, site):
            return "ignored"
        if midtrans.is_paid(body):
            return await self._pay(body, site)
        return await self._reverse(body, site)

    async def _is_news(self, body: midtrans.Body, site: Site) -> bool:
        """True of the first payment of an order, and of each reversal that may follow."""
        status = body["transaction_status"]
        with durable(site):
            known = await self._outbox.payments(site.site, order_id=body["order_id"])
        if midtrans.is_paid(body):
            return not known
        if status in midtrans.FAILURES:
            return bool(known) and known[0]["status"] != status
        return status in midtrans.REFUNDS and not (known and known[0]["status"] == status)

    async def _pay(self, body: midtrans.Body, site: Site) -> str:
        try:
            payment = midtrans.payment(body, site, self._now_ms())
        except EventError as error:
            raise Refusal("invalid_notification", error.message, field=error.field) from error
        await self._ingest.pay(site, payment)
        log.info("paid", site=site.site, order_id=payment.order_id)
        return "paid"

    async def _reverse(self, body: midtrans.Body, site: Site) -> str:
        """Recorded and said, no more: what was sent can't be recalled (alusio L10)."""
        order_id, status = body["order_id"], body["transaction_status"]
        was_paid = status in midtrans.REFUNDS
        with durable(site):
            await self._ingest.routing.caught_up(ROUTED_WITHIN_S)
            await self._outbox.reverse(
                site.site, order_id, status, self._now_ms(), was_paid=was_paid
            )
        log.warning(
            "was paid and is taken back; what was sent for it stays sent",
            site=site.site,
            order_id=order_id,
            status=status,
        )
        return "reversed"

    async def _confirmed(self, body: midtrans.Body, site: Site, table: MidtransTable) -> Any:
        """What the status API says of the order; raises Refusal 503 when it says nothing."""
        request = midtrans.status_request(body["order_id"], table)
        why = f"no answer within {CONFIRM_WITHIN_S:g} s"
        try:
            async with asyncio.timeout(CONFIRM_WITHIN_S):
                answer = await self._sender.send(request)
            said = midtrans.confirmed(answer, body)
            why = answer.failure or f"an answer that says nothing of the order ({answer.status})"
        except TimeoutError:
            said = None
        if said is None:
            log.error("Midtrans' status API does not confirm", site=site.site, why=why)
            message = "the status API can't be asked now, send it again"
            raise Refusal("not_confirmed", message, retry_after_s=RETRY_AFTER_S)
        return said
