"""The server APIs of the outside systems, one module a vendor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay.sandbox.apis import (
    alhena,
    commanders_act,
    kwai,
    meta,
    midtrans,
    scalev,
    tiktok,
    tracify,
)
from relay.sandbox.apis.exchange import Api


def every_api(payments: Mapping[str, Any]) -> tuple[Api, ...]:
    """Every route, in the order of matching: Meta's matches `/api/v1/events` too, so it is last."""
    return (
        *scalev.APIS,
        *tiktok.APIS,
        *kwai.APIS,
        *tracify.APIS,
        *commanders_act.APIS,
        *alhena.APIS,
        *midtrans.apis(payments),
        *meta.APIS,
    )
