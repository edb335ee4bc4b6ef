"""The sandbox: our stand-in for every outside system, which shows what each one got."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from relay.sandbox import control, pixels, servers
from relay.sandbox.apis import every_api
from relay.sandbox.apis.midtrans import Payments
from relay.sandbox.behaviour import Behaviours
from relay.sandbox.calls import Record
from relay.sandbox.cors import Cors

__all__ = ["create_sandbox"]

PREFIX = "/sandbox"


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


def create_sandbox(now_ms: Callable[[], int] = _wall_clock_ms) -> Starlette:
    """An application that serves everything below `/sandbox`, from a state of its own.

    It runs alone, or below another application as `Mount("/sandbox", create_sandbox())`.
    """
    payments: Payments = {}
    apis = every_api(payments)
    record = Record(now_ms)
    behaviours = Behaviours(
        {"server": dict.fromkeys(api.system for api in apis), "pixel": pixels.NAMES}
    )
    routes = [
        *control.routes(record, behaviours, payments),
        *pixels.routes(record, behaviours),
        *_below("/api", servers.routes(apis, record, behaviours, now_ms)),
    ]
    # A mount takes the prefix off the path, so the routes stand here with it and without it.
    application = Starlette(
        routes=[*_below(PREFIX, routes), *routes],
        middleware=[Middleware(Cors)],
    )
    application.router.redirect_slashes = False  # a path that is nearly right is wrong
    return application


def _below(prefix: str, routes: list[Route]) -> list[Route]:
    return [
        Route(prefix + route.path, route.endpoint, methods=sorted(route.methods or ()))
        for route in routes
    ]
