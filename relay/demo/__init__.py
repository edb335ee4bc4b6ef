"""The demo on one port: shop, relay and sandbox side by side (`pixelmirror demo`)."""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from relay.app import Relay, create_app
from relay.assets import Assets, web_root
from relay.demo.back_office import BackOffice
from relay.demo.neighbours import Neighbours
from relay.demo.relay_switch import RelaySwitch
from relay.demo.shop import Shop
from relay.outbox.sqlite import SqliteOutbox
from relay.sandbox import create_sandbox
from relay.site import Site, parse

__all__ = ["create_demo"]

RELAY_PATHS = ("s", "v1", "v3", "webhooks", "healthz", "readyz", "metrics")
WRITTEN_PORT = ":8700"  # in demo.toml
MOST_DELIVERIES = 400  # as many as the panel can show


def create_demo(port: int, data_dir: Path) -> Starlette:
    """The whole demo: the shop at `/`, the sandbox at `/sandbox`, the relay at its own paths.

    Its lifespan runs the relay on an outbox in `data_dir`, and prints the URLs at the start.
    """
    storefront = web_root() / "storefront"
    site = demo_site(storefront / "demo.toml", port)
    assets = Assets()
    shop = Shop(storefront)
    staff = BackOffice(site, assets, shop.templates, shop.products, shop.orders.newest)
    neighbours: dict[str, ASGIApp] = {"sandbox": create_sandbox()}
    switch = RelaySwitch(f"/s/{site.site}")
    outboxes: list[SqliteOutbox] = []

    async def deliveries(_: Request) -> Response:
        """What the relay says of each event's server copies; it names no personal data."""
        rows = await outboxes[0].deliveries(site.site, limit=MOST_DELIVERIES)
        return JSONResponse({"deliveries": rows})

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        async with await SqliteOutbox.open(data_dir / "demo.db") as outbox:
            relay = create_app(Relay([site], outbox, assets, finish_within_s=1))
            outboxes[:] = [outbox]
            neighbours.update(dict.fromkeys(RELAY_PATHS, switch.before(relay)))
            async with relay.router.lifespan_context(relay):
                click.echo(welcome(port))
                yield

    return Starlette(
        routes=[Route("/demo/deliveries", deliveries), *switch.routes, *staff.routes, *shop.routes],
        middleware=[Middleware(Neighbours, neighbours)],
        exception_handlers={404: shop.not_found},
        lifespan=running,
    )


def demo_site(file: Path, port: int) -> Site:
    """The demo's site on that port, with a secret key that nobody else knows."""
    raw = tomllib.loads(file.read_text("utf-8").replace(WRITTEN_PORT, f":{port}"))
    return parse({**raw, "secret_key": secrets.token_urlsafe(32)}, str(file))


def welcome(port: int) -> str:
    base = f"http://127.0.0.1:{port}"
    return "\n".join(
        (
            f"demo shop      {base}/",
            f"back office    {base}/back-office",
            f"relay          {base}/s/demo.js",
            f"sandbox        {base}/sandbox/calls",
        )
    )
