"""Under a Content-Security-Policy: the strict one that the README names, and one too strict."""

import json

import pytest

from tests.e2e.goods import KAOS, kaos
from tests.e2e.heard import Heard
from tests.e2e.shop import Shop
from tests.e2e.shopper import Shopper

VIOLATIONS = """
  window.violations = [];
  addEventListener("securitypolicyviolation", (event) =>
    violations.push(`${event.effectiveDirective} ${event.blockedURI}`));
"""


def policy(shop: Shop, sandbox: str, script: str) -> dict[str, str]:
    """Nothing is allowed but what the tag and the pixels need; `script` on top for scripts."""
    return {
        "Content-Security-Policy": "; ".join(
            (
                "default-src 'none'",
                f"script-src {shop.relay} {sandbox} {script}",
                f"connect-src {shop.relay} {sandbox}",
                "img-src data:",
                "base-uri 'none'",
                "form-action 'self'",
            )
        )
    }


@pytest.mark.parametrize("runtime", ["micropython", "pyodide"])
def test_the_strict_policy_of_the_readme_is_enough(
    shop: Shop, shopper: Shopper, heard: Heard, sandbox: str, runtime: str
) -> None:
    """`'wasm-unsafe-eval'` and two hosts: all works, and the browser refuses nothing of ours."""
    shopper.context.add_init_script(VIOLATIONS)
    shop.page(
        "/",
        f"<button data-pm-track=add_to_cart data-pm-params='{json.dumps(kaos())}'>Add</button>",
        tag=shop.tag(attributes=f'async data-runtime="{runtime}"'),
        headers=policy(shop, sandbox, "'wasm-unsafe-eval'"),
    )
    page = shopper.visit("/?fbclid=Ab&click_id=K")
    page.get_by_role("button").click()
    purchase = shopper.track(page, "purchase", {"id": f"CSP-{runtime}", "value": 1, **kaos()})
    for system in ("meta", "tiktok", "kwai", "commanders_act", "alhena"):
        name = {"tiktok": "CompletePayment", "meta": "Purchase", "alhena": "sendCheckoutEvent"}
        heard.wait_for(system, name.get(system, "purchase"))
    shopper.wait_until_acknowledged(page)
    heard.wait_until_delivered([purchase])
    assert heard.names("meta") == ["PageView", "AddToCart", "Purchase"]
    assert shopper.cookies()["_fbc"]["value"].endswith(".Ab")
    assert page.evaluate("violations") == []


def test_where_python_may_not_start_the_server_copies_still_arrive(
    shop: Shop, shopper: Shopper, heard: Heard, sandbox: str
) -> None:
    """Without `'wasm-unsafe-eval'`: one line in the console, no error, and leaving sends all."""
    shop.page(
        "/",
        f"<button data-pm-track=add_to_cart data-pm-params='{json.dumps(kaos())}'>Add</button>",
        headers=policy(shop, sandbox, ""),
    )
    shop.page("/next", tag="")
    page = shopper.visit("/?fbclid=Ab&ttclid=T1", ready=False)
    shopper.said("Python could not be started", "Content Security Policy")
    page.get_by_role("button").click()
    shopper.call(page, "track", "view_item", {"items": [KAOS]})
    shopper.visit("/next", page=page, ready=False)
    (added,) = heard.wait_for("scalev.meta", "AddToCart")
    (viewed,) = heard.wait_for("scalev.tiktok", "ViewContent")
    assert added["call"]["events"][0]["parameters"]["value"] == 120000
    assert added["call"]["user_data"]["fbc"].endswith(".Ab")
    assert viewed["call"]["user"]["ttclid"] == "T1"
    heard.wait_until_delivered([added["event_id"], viewed["event_id"]])
    assert heard.names("meta") == []
