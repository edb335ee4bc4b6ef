"""The demo shop's own small back end: pages made on the server, forms that need no script.

Each POST answers JSON to a script that asks for it, and leads a plain form on to the next page.
"""

import secrets
from pathlib import Path
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from relay.demo import checkout
from relay.demo.orders import SHIPPING, Cart, Order, Shelf, new_order_id
from relay.demo.products import Product, Variant, load_products, rupiah

SESSION_COOKIE = "kawung_session"
MAX_FORM_BYTES = 8 * 1024


class Shop:
    """The shop's routes over the templates, pictures and products of one folder."""

    def __init__(self, folder: Path) -> None:
        self.products = load_products(folder / "products.toml")
        self._carts: Shelf[Cart] = Shelf()
        self.orders: Shelf[Order] = Shelf()
        self._customer_ids: Shelf[str] = Shelf()
        self.templates = Environment(
            loader=FileSystemLoader(folder / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.templates.filters["rupiah"] = rupiah
        self.routes = [
            Route("/", self.home),
            Route("/product/{slug}", self.product),
            Route("/cart", self.cart),
            Route("/cart/items", self.add_item, methods=["POST"]),
            Route("/cart/items/{id}", self.change_item, methods=["POST"]),
            Route("/checkout", self.checkout),
            Route("/checkout", self.place_order, methods=["POST"]),
            Route("/order/{id}/thanks", self.thanks),
            Mount("/static", StaticFiles(directory=folder / "static")),
            Mount("/demo", StaticFiles(directory=folder / "panel")),
        ]

    # Pages

    async def home(self, request: Request) -> Response:
        return self._page(request, "home.html", products=self.products.all)

    async def product(self, request: Request) -> Response:
        product = self.products.by_slug.get(request.path_params["slug"])
        if product is None:
            raise HTTPException(404)
        chosen = request.query_params.get("variant")
        variant = next((v for v in product.variants if v.id == chosen), product.variants[0])
        others = [p for p in self.products.all if p.category == product.category and p != product]
        return self._page(
            request, "product.html", product=product, variant=variant, others=others[:3]
        )

    async def cart(self, request: Request) -> Response:
        return self._page(request, "cart.html", **self._sums(self._cart(request)))

    async def checkout(self, request: Request) -> Response:
        if not self._cart(request).quantities:
            return RedirectResponse("/cart", status_code=303)
        return self._checkout_page(request, {}, {})

    async def thanks(self, request: Request) -> Response:
        order = self.orders.get(request.path_params["id"])
        if order is None:
            raise HTTPException(404)
        # Whoever has the link sees the order; who placed it, only the browser that did.
        is_own = order.session == request.cookies.get(SESSION_COOKIE)
        return self._page(
            request, "thanks.html", order=order, buyer=order.buyer if is_own else None
        )

    async def not_found(self, request: Request, _: Exception) -> Response:
        page = self._page(request, "not_found.html")
        page.status_code = 404
        return page

    # Actions

    async def add_item(self, request: Request) -> Response:
        form = await _form(request)
        found = self.products.by_variant.get(form.get("id", ""))
        quantity = _quantity(form.get("quantity", "1"))
        if found is None or not quantity:
            return _refusal("Choose one of our products, and 1 to 99 pieces.")
        _, variant = found
        cart = self._cart(request)
        grew = cart.change(variant.id, cart.quantities.get(variant.id, 0) + quantity)
        return self._cart_answer(request, cart, found, grew)

    async def change_item(self, request: Request) -> Response:
        form = await _form(request)
        found = self.products.by_variant.get(request.path_params["id"])
        quantity = _quantity(form.get("quantity", ""))
        cart = self._cart(request)
        if found is None or quantity is None or found[1].id not in cart.quantities:
            return _refusal("Change something that is in your cart, to 0 to 99 pieces.")
        grew = cart.change(found[1].id, quantity)
        return self._cart_answer(request, cart, found, grew)

    async def place_order(self, request: Request) -> Response:
        form = await _form(request)
        cart = self._cart(request)
        if not cart.quantities:
            return _refusal("Your cart is empty.", 409)
        buyer, errors = checkout.read_buyer(form)
        if errors:
            if _wants_json(request):
                return JSONResponse({"errors": errors}, 422)
            return self._checkout_page(request, form, errors)
        order = Order(
            id=new_order_id(),
            session=request.cookies[SESSION_COOKIE],
            lines=cart.lines(self.products),
            buyer={**buyer, "country": "id", "id": self._customer_id(buyer["email"])},
            payment_method=form["payment_method"],
            is_probably_spam=checkout.is_probably_spam(buyer["email"]),
        )
        self.orders.put(order.id, order)
        cart.quantities.clear()
        if _wants_json(request):
            return JSONResponse(order.answer(order.buyer), 201)
        return RedirectResponse(f"/order/{order.id}/thanks", status_code=303)

    # What they share

    def _page(self, request: Request, template: str, **values: object) -> HTMLResponse:
        count = self._cart(request).count
        return HTMLResponse(self.templates.get_template(template).render(count=count, **values))

    def _checkout_page(
        self, request: Request, form: dict[str, str], errors: dict[str, str]
    ) -> HTMLResponse:
        page = self._page(
            request,
            "checkout.html",
            fields=checkout.FIELDS,
            payment_methods=checkout.PAYMENT_METHODS,
            form=form,
            errors=errors,
            **self._sums(self._cart(request)),
        )
        page.status_code = 422 if errors else 200
        return page

    def _cart(self, request: Request) -> Cart:
        """The cart of this browser; an empty one, not kept yet, for a newcomer."""
        return self._carts.get(request.cookies.get(SESSION_COOKIE, "")) or Cart()

    def _sums(self, cart: Cart) -> dict[str, object]:
        lines = cart.lines(self.products)
        subtotal = sum(line.total for line in lines)
        return {
            "lines": lines,
            "subtotal": subtotal,
            "shipping": SHIPPING,
            "total": subtotal + SHIPPING,
        }

    def _cart_answer(
        self, request: Request, cart: Cart, found: tuple[Product, Variant], grew: int
    ) -> Response:
        """What a script needs to show the cart and to tell of the change.

        Shape: {"grew": -1, "item": {...}, "line": {"quantity": 2, "total": "Rp 150.000"},
        "cart": {"count": 3, "subtotal": "Rp 245.000", "total": "Rp 263.000"}}.
        """
        product, variant = found
        quantity = cart.quantities.get(variant.id, 0)
        subtotal = sum(line.total for line in cart.lines(self.products))
        answer: Response = RedirectResponse("/cart", status_code=303)
        if _wants_json(request):
            answer = JSONResponse(
                {
                    "grew": grew,
                    "item": product.item(variant, abs(grew), quantity) if grew else None,
                    "line": {"quantity": quantity, "total": rupiah(variant.price * quantity)},
                    "cart": {
                        "count": cart.count,
                        "subtotal": rupiah(subtotal),
                        "total": rupiah(subtotal + SHIPPING),
                    },
                }
            )
        session = request.cookies.get(SESSION_COOKIE, "")
        if self._carts.get(session) is not cart:
            session = secrets.token_urlsafe(24)
            self._carts.put(session, cart)
            answer.set_cookie(SESSION_COOKIE, session, httponly=True, samesite="lax")
        return answer

    def _customer_id(self, email: str) -> str:
        known = self._customer_ids.get(email.lower()) or "C-" + secrets.token_hex(4)
        self._customer_ids.put(email.lower(), known)
        return known


async def _form(request: Request) -> dict[str, str]:
    """The fields of an URL-encoded form, the last of each name. 413 when it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413)
    return dict(parse_qsl(body.decode("utf-8", "replace")))


def _quantity(text: str) -> int | None:
    """The pieces, 0 to 99; None for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 2):
        return None
    return int(text)


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _refusal(message: str, status: int = 422) -> Response:
    return JSONResponse({"error": message}, status)
