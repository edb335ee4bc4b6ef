"""The demo shop's back office: a page for staff, where Python in Pyodide tells the relay itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from relay.assets import Assets
from relay.demo.orders import Order
from relay.demo.products import Products
from relay.site import Site

MOST_ORDERS = 20


class BackOffice:
    """`/back-office`. `orders(n)` gives the shop's last orders, the newest first."""

    def __init__(
        self,
        site: Site,
        assets: Assets,
        templates: Environment,
        products: Products,
        orders: Callable[[int], Sequence[Order]],
    ) -> None:
        self._site = site
        self._core = assets.url("/s", "pyscript")
        self._templates = templates
        self._products = products
        self._orders = orders
        self.routes = [Route("/back-office", self.page)]

    async def page(self, _: Request) -> Response:
        """Holds the secret key, as a page for staff may: it is not to be kept by any cache."""
        items = {
            variant.id: product.item(variant, 1)
            for product, variant in self._products.by_variant.values()
        }
        secrets = {"site": self._site.site, "secret_key": self._site.secret_key, "items": items}
        page = self._templates.get_template("back_office.html").render(
            core=self._core,
            site=self._site.site,
            settings=secrets,
            products=self._products.all,
            orders=self._orders(MOST_ORDERS),
        )
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})
