"""The back office's page, run in Pyodide: tells the relay what no shopper's page can."""

import asyncio
import json
import secrets

from pyodide.ffi import JsException
from pyscript import document, fetch, when, window
from pyscript.ffi import to_js

from pixelmirror.client import EventError, Relay, RelayError

settings = json.loads(document.getElementById("settings").textContent)
key = settings["secret_key"]
relay = Relay(window.location.origin, settings["site"], key)

following = []

LOOKS = 40  # at most, for what became of an event
LOOK_EVERY_S = 0.5

REFUND = {"id": "ORD-7K2M9QX4TB", "value": 95000}
SLIPS = {
    "currency": ("refund", {**REFUND, "currency": "rupiah"}, {}),
    "amount": ("refund", {**REFUND, "value": "95.000"}, {}),
    "name": ("refnud", REFUND, {}),
    "id": ("refund", {"value": 95000}, {}),
    "email": ("refund", REFUND, {"user": {"email": "siti"}}),
}


def tell(name, params, **told):
    """The event is told, and what came of it is on the page."""
    entry = new_entry(name, params, told)
    try:
        event_id = relay.track(name, params, **told)
    except EventError as error:
        show_refusal(entry, "Refused before it was sent", error.field, str(error))
    except RelayError as error:
        show_refusal(entry, "Not stored", getattr(error, "field", None), str(error))
    else:
        entry.classList.add("stored")
        entry.append(element("p", "Stored by the relay", "verdict"))
        entry.append(element("p", "Event ID ", "fact", element("code", event_id)))
        following.append(asyncio.ensure_future(follow(event_id, entry)))


async def follow(event_id, entry):
    """The table shows what became of the event at each destination, until none waits any more."""
    table = element("table")
    entry.append(table)
    for _ in range(LOOKS):
        path = f"/v1/deliveries?event_id={window.encodeURIComponent(event_id)}"
        try:
            answer = await fetch(path, headers={"Authorization": f"Bearer {key}"}).json()
        except JsException:  # not now: the relay, or the way to it, is away
            rows = []
        else:
            rows = answer["deliveries"]
            show_deliveries(table, rows)
        if rows and all(row["state"] != "waiting" for row in rows):
            return
        await asyncio.sleep(LOOK_EVERY_S)


# --- what is asked for ---


@when("submit", "#refund")
def refund(event):
    form = window.FormData.new(event.target)
    tell("refund", {"id": form.get("id"), "value": form.get("value")})


@when("submit", "#purchase")
def purchase(event):
    form = window.FormData.new(event.target)
    item = {**settings["items"][form.get("variant")], "quantity": int(form.get("quantity"))}
    params = {
        "id": f"ORD-{secrets.token_hex(5).upper()}",
        "value": item["product"]["price"] * item["quantity"],
        "items": [item],
        "payment_method": "cod",
    }
    email = form.get("email")
    tell("purchase", params, **({"user": {"email": email}} if email else {}))


@when("submit", "#slip")
def slip(event):
    name, params, told = SLIPS[window.FormData.new(event.target).get("slip")]
    tell(name, params, **told)


# --- what is shown ---


def element(tag, text="", style="", *children):
    made = document.createElement(tag)
    made.textContent = text
    made.className = style
    made.append(*children)
    return made


def new_entry(name, params, told):
    """A new first entry of the list, with the call as Python has it."""
    words = [json.dumps(name), json.dumps(params, ensure_ascii=False)]
    words += [f"{field}={json.dumps(told[field], ensure_ascii=False)}" for field in told]
    call = element("pre", "", "", element("code", f"relay.track({', '.join(words)})"))
    entry = element("li", "", "entry", call)
    for nothing in document.querySelectorAll("#told .nothing"):
        nothing.remove()
    document.getElementById("told").prepend(entry)
    entry.scrollIntoView(to_js({"block": "nearest"}))
    return entry


def show_refusal(entry, verdict, field, message):
    entry.classList.add("refused")
    entry.append(element("p", verdict, "verdict"))
    if field:
        entry.append(element("p", "Field ", "fact", element("code", field)))
    entry.append(element("p", message, "fact"))


def show_deliveries(table, rows):
    lines = [element("caption", "GET /v1/deliveries")]
    for row in sorted(rows, key=lambda row: row["destination"]):
        mark = element("span", row["state"], f"mark {row['state']}")
        cells = [element("th", row["destination"]), element("td", "", "", mark)]
        lines.append(element("tr", "", "", *cells, element("td", row["reason"])))
    table.replaceChildren(*lines)


for button in document.querySelectorAll(".job button"):
    button.disabled = False
document.getElementById("state").textContent = "Python is up."
document.body.classList.add("ready")
