// What the sandbox recorded, as one card per shopper action and one row per system. Pure: no page,
// no clock of its own.

// `servers`: the destinations its server copy goes by; none where this shop has it switched off.
export const SYSTEMS = [
  {name: "Meta", pixel: "meta", servers: ["scalev.meta"]},
  {name: "TikTok", pixel: "tiktok", servers: ["scalev.tiktok"]},
  {name: "SnackVideo", pixel: "kwai", servers: ["scalev.snackvideo"]},
  {name: "Tracify", pixel: null, servers: ["tracify"]},
  {name: "Commanders Act", pixel: "commanders_act", servers: []},
  {name: "Alhena", pixel: "alhena", servers: []},
];

export const TITLES = {
  page_view: "Opened a page",
  view_item: "Looked at a product",
  add_to_cart: "Put into the cart",
  remove_from_cart: "Took out of the cart",
  view_cart: "Looked at the cart",
  begin_checkout: "Started the checkout",
  add_payment_info: "Chose how to pay",
  purchase: "Placed an order",
  refund: "Took an order back",
};

// Each system's own name of an event, without its signs and capitals -> ours.
const NAMES = {
  pageview: "page_view",
  page: "page_view",
  viewcontent: "view_item",
  contentview: "view_item",
  productview: "view_item",
  viewitem: "view_item",
  initiatecheckout: "begin_checkout",
  initiatedcheckout: "begin_checkout",
  completepayment: "purchase",
  sendcheckoutevent: "purchase",
};
for (const name of Object.keys(TITLES)) NAMES[name.replaceAll("_", "")] = name;

// Alhena has one name for all changes of a cart; their `type` tells which.
const CART_CHANGES = {
  ITEM_ADDED: "add_to_cart",
  QUANTITY_INCREASED: "add_to_cart",
  QUANTITY_DECREASED: "remove_from_cart",
  ITEM_REMOVED: "remove_from_cart",
};

const NEAR_MS = {pixel: 5_000, server: 60_000}; // how far from its action a call may be heard

// The order's ID at the start of an order event's ID: ORD-7K2M9QX4TB-CompletePayment-FORM.
const orderOf = (eventId) => /^(ORD-[0-9A-Z]+)-/.exec(eventId || "")?.[1];

// The first value of that key, however deep: pixels and server copies nest differently.
export function find(value, key) {
  if (value === null || typeof value !== "object") return undefined;
  if (Object.hasOwn(value, key)) return value[key];
  for (const inner of Object.values(value)) {
    const found = find(inner, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function actionOf(call) {
  const change = call.system === "alhena" && CART_CHANGES[find(call.call, "type")];
  const name = String(call.event_name);
  return change || NAMES[name.toLowerCase().replace(/[^a-z]/g, "")] || name;
}

// When the shopper did it, as far as the call tells: Tracify names the event's second.
function timeOf(call) {
  const told = call.system === "tracify" && find(call.call, "datetime");
  const at = told ? Date.parse(told.replace(" ", "T") + "Z") : NaN;
  return Number.isNaN(at) ? call.at : at;
}

// -> [{key, action, at, eventId, order, calls: [...]}], newest first. Calls with the same event ID
// are one action. SnackVideo, Tracify and Alhena are given none: they join the action of the same
// order and name, else of the same name that is nearest in time and has not been joined by them yet.
export function cardsOf(calls) {
  const cards = new Map();
  const nameless = [];
  for (const call of calls) {
    if (call.event_name === null) continue; // set-up: init, load, identify
    const told = find(call.call, "order_id") || find(call.call, "orderId");
    const order = orderOf(call.event_id) || told;
    const action = actionOf(call);
    const key = order ? `${order}-${action}` : call.event_id; // ours, whatever each system's is
    if (!key) {
      nameless.push(call);
      continue;
    }
    if (!cards.has(key)) {
      cards.set(key, {key, action, at: call.at, eventId: null, order, calls: []});
    }
    const card = cards.get(key);
    card.calls.push(call);
    card.at = Math.min(card.at, call.at);
    card.eventId ||= call.event_id;
  }
  for (const call of nameless) {
    const [action, at] = [actionOf(call), timeOf(call)];
    const distance = (card) => Math.abs(card.at - at);
    const free = [...cards.values()].filter(
      (card) =>
        card.action === action &&
        distance(card) < NEAR_MS[call.side] &&
        !card.calls.some(
          (c) => c.system === call.system && c.side === call.side && c.accepted,
        ),
    );
    const near = free.sort((a, b) => distance(a) - distance(b))[0];
    if (near) near.calls.push(call);
    else {
      const key = `call ${call.n}`;
      cards.set(key, {key, action, at, eventId: null, order: undefined, calls: [call]});
    }
  }
  return [...cards.values()].sort((a, b) => b.at - a.at || b.calls[0].n - a.calls[0].n);
}
