// The panel beside the demo shop: what each ad system just heard, read from the sandbox. It is no
// part of the shop and none of pixelmirror. Nothing it is told is ever inserted as HTML.

import {cardsOf, find, TITLES} from "./cards.js";
import {rowsOf} from "./rows.js";

const POLL_MS = 700;
const AFTER_FAILURE_MS = 3_000;
const MOST_CARDS = 60;
const MARKS = {good: "✓", waiting: "…", partial: "–", bad: "!"};

let calls = [];
let lastCall = 0;
let deliveries = new Map(); // event ID -> what the relay says of it
let isRelayUp = true;
const shown = new Map(); // card key -> {node, signature}

// An element. What is given as text becomes text, whatever it looks like.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// --- the frame

const randomId = () => crypto.randomUUID().replaceAll("-", "");
const [facebook, tiktok, snackvideo] = [
  ["a Facebook ad", {utm_source: "fb", fbclid: `IwAR${randomId()}`}],
  ["a TikTok ad", {utm_source: "tiktok", ttclid: `E.C.P.${randomId()}`}],
  ["a SnackVideo ad", {utm_source: "snackvideo", click_id: `kw-${randomId()}`}],
].map(([label, query]) => {
  const search = new URLSearchParams({...query, utm_medium: "paid"});
  return el("a", {href: `/?${search}`}, label);
});

const count = el("span", {class: "pm-count"}, "0");
const list = el("ol", {class: "pm-cards"});
const hint = el(
  "p",
  {class: "pm-hint"},
  "Nothing yet. Open a product, or put something into the cart.",
);
const trouble = el("p", {class: "pm-trouble", role: "status"});
const relaySwitch = el("input", {
  type: "checkbox",
  role: "switch",
  id: "pm-relay",
  onchange: switchRelay,
});
const relayWords = el("span");
const toggle = el(
  "button",
  {class: "pm-title", "aria-controls": "pm-body", onclick: () => open(!isOpen())},
  el("span", {}, "What your ad systems just heard"),
  count,
);
const body = el(
  "div",
  {class: "pm-body", id: "pm-body"},
  el("p", {class: "pm-about"}, "Read from the sandbox that stands in for them."),
  el("p", {class: "pm-arrive"}, "Arrive from ", facebook, ", ", tiktok, " or ", snackvideo, "."),
  el(
    "div",
    {class: "pm-tools"},
    el("label", {class: "pm-switch", for: "pm-relay"}, relaySwitch, relayWords),
    el("button", {class: "pm-clear", onclick: clear}, "Clear"),
  ),
  trouble,
  hint,
  list,
);
const panel = document.getElementById("panel");
panel.append(toggle, body);

const isOpen = () => panel.classList.contains("pm-open");

// On narrow screens the panel is a drawer; it stays as it was left from page to page.
function open(isOpenNow) {
  panel.classList.toggle("pm-open", isOpenNow);
  toggle.setAttribute("aria-expanded", isOpenNow);
  sessionStorage.setItem("pm-panel", isOpenNow ? "open" : "");
}
open(sessionStorage.getItem("pm-panel") === "open");

// --- one card

function cardNode(card, rows) {
  const amounts = card.calls.map((call) => find(call.call, "value"));
  const amount = amounts.find((value) => typeof value === "number");
  const time = new Date(card.at);
  const before = shown.get(card.key)?.node.querySelectorAll("details[open]") || [];
  const opened = new Set(Array.from(before, (details) => details.dataset.system));
  return el(
    "li",
    {class: "pm-card"},
    el(
      "h3",
      {},
      el("span", {}, TITLES[card.action] || card.action),
      el("time", {datetime: time.toISOString()}, time.toLocaleTimeString("en-GB")),
    ),
    el(
      "p",
      {class: "pm-what"},
      el("code", {}, card.action),
      amount === undefined ? "" : `Rp ${amount.toLocaleString("id-ID")}`,
      idNode(card.order ? "order" : "event ID", card.order || card.eventId),
    ),
    ...rows.map((row) => rowNode(row, opened.has(row.system))),
  );
}

function rowNode(row, isOpenNow) {
  const ids = new Set([...row.pixel, ...row.server].map((call) => call.event_id).filter(Boolean));
  const details = el(
    "details",
    {class: `pm-row pm-${row.mark}`, "data-system": row.system},
    el(
      "summary",
      {},
      el("span", {class: "pm-mark", "aria-hidden": "true"}, MARKS[row.mark]),
      el("span", {}, el("b", {}, row.system), ` — ${row.words}`),
    ),
    ...[...ids].map((id) => el("p", {class: "pm-id-line"}, idNode("event ID", id, id))),
    ...row.notes.map((note) => el("p", {class: "pm-note"}, note)),
    el(
      "div",
      {class: "pm-sides"},
      sideNode("Pixel", row.pixel),
      sideNode("Server copy", row.server),
    ),
  );
  details.open = isOpenNow;
  return details;
}

function sideNode(title, told) {
  const parts = told.flatMap((call) => {
    const answer = call.side === "server" ? `, ${call.status ?? "no answer"}` : "";
    return [
      el("h4", {}, `${title}: ${call.event_name}${answer}`),
      el("pre", {tabindex: "0"}, JSON.stringify(call.call, null, 1)),
    ];
  });
  const nothing = [el("h4", {}, title), el("p", {class: "pm-none"}, "nothing")];
  return el("div", {}, ...(parts.length ? parts : nothing));
}

// An ID, by default without the event's name and short enough to read; a click copies all of it.
function idNode(label, id, short = id?.replace(/^[a-z_]+_(.{8})-.*-.{6}(.{6})$/, "$1…$2")) {
  if (!id) return el("span", {class: "pm-no-id"}, "no event ID");
  const words = {class: "pm-id", title: id, "aria-label": `Copy ${label} ${id}`};
  const button = el("button", words, short);
  button.addEventListener("click", async () => {
    const isCopied = await navigator.clipboard.writeText(id).then(() => true, () => false);
    button.textContent = isCopied ? "copied" : id;
    setTimeout(() => (button.textContent = short), 1_500);
  });
  return button;
}

// --- keeping up

function render() {
  const all = cardsOf(calls);
  const hasClickId = /(^|; )_kwai_click_id=/.test(document.cookie);
  const keys = new Set();
  let place = list.firstElementChild;
  let isUnsettled = false;
  for (const card of all.slice(0, MOST_CARDS)) {
    const known = deliveries.get(card.key) || [];
    const rows = rowsOf(card, {known, now: Date.now(), isRelayUp, hasClickId});
    isUnsettled ||= !known.length || rows.some((row) => row.mark === "waiting");
    const numbers = card.calls.map((call) => call.n);
    const signature = JSON.stringify([numbers, rows.map((row) => [row.words, row.notes])]);
    if (shown.get(card.key)?.signature !== signature) {
      const node = cardNode(card, rows);
      const before = shown.get(card.key)?.node;
      if (before === place) place = node;
      if (before) before.replaceWith(node);
      shown.set(card.key, {node, signature});
    }
    const {node} = shown.get(card.key);
    if (node === place) place = place.nextElementSibling;
    else list.insertBefore(node, place);
    keys.add(card.key);
  }
  for (const [key, {node}] of shown) {
    if (keys.has(key)) continue;
    node.remove();
    shown.delete(key);
  }
  hint.hidden = all.length > 0;
  count.textContent = all.length;
  return isUnsettled;
}

async function json(url, options) {
  const response = await fetch(url, {cache: "no-store", ...options});
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.status === 204 ? null : response.json();
}

async function poll() {
  const answer = await json(`/sandbox/calls?since=${lastCall}`);
  calls.push(...answer.calls);
  lastCall = calls.at(-1)?.n ?? lastCall;
  showRelay((await json("/demo/relay")).up);
  if (render()) {
    await askRelay();
    render();
  }
}

async function askRelay() {
  const answer = await json("/demo/deliveries");
  deliveries = new Map();
  for (const row of answer.deliveries) {
    deliveries.set(row.event_id, [...(deliveries.get(row.event_id) || []), row]);
  }
}

async function keepUp(failures = 0) {
  try {
    if (document.visibilityState === "visible") await poll();
    trouble.textContent = "";
    setTimeout(keepUp, POLL_MS);
  } catch {
    // The demo was stopped or is starting again, and then its record starts again too. Once is
    // nothing yet: a page that is being left breaks its requests off.
    if (failures) trouble.textContent = "The demo does not answer. Waiting for it.";
    [calls, lastCall] = [[], 0];
    setTimeout(keepUp, failures ? AFTER_FAILURE_MS : POLL_MS, failures + 1);
  }
}

async function clear() {
  await json("/sandbox/calls", {method: "DELETE"});
  calls = [];
  render();
}

function showRelay(isUp) {
  isRelayUp = isUp;
  relaySwitch.checked = isUp;
  relayWords.textContent = isUp ? "Relay is up" : "Relay is down: events wait in the page";
}

async function switchRelay() {
  showRelay(relaySwitch.checked);
  await json("/demo/relay", {method: "POST", body: JSON.stringify({up: relaySwitch.checked})});
}

showRelay(true);
keepUp();
