// What became of one shopper action at each system, in plain words. Pure, like cards.js.

import {SYSTEMS} from "./cards.js";

const PATIENCE_MS = 15_000; // then no server copy is expected, unless the relay says so

// -> [{system, mark, words, notes: [], pixel: [calls], server: [calls]}], one row per system that
// had or will have a part in it. `mark`: "good", "waiting", "partial" or "bad".
// `known`: what the relay says of the action: its deliveries, {destination, state, reason, ...}.
export function rowsOf(card, {known, now, isRelayUp, hasClickId}) {
  const rows = SYSTEMS.map((system) => {
    const pixel = card.calls.filter((c) => c.side === "pixel" && c.system === system.pixel);
    const server = card.calls.filter(
      (c) => c.side === "server" && system.servers.includes(c.system),
    );
    const delivery = known.find((d) => system.servers.includes(d.destination));
    const age = now - card.at;
    const verdict = judge({system, pixel, server, delivery, known, isRelayUp, hasClickId, age});
    if (!verdict) return null;
    const [mark, words] = verdict;
    const notes = notesOf(pixel, server, delivery);
    return {system: system.name, mark, words, notes, pixel, server};
  });
  return rows.filter(Boolean);
}

function notesOf(pixel, server, delivery) {
  const isNameless = [...pixel, ...server].some((call) => !call.event_id);
  return [
    isNameless && "What carries no event ID and no order ID is shown here by its time and name.",
    delivery?.reason && `The relay: ${delivery.state}, ${delivery.reason}.`,
  ].filter(Boolean);
}

const isTaken = (call) => call.accepted && !(call.status >= 400);

// -> [mark, words], or null where the system has no part in the action. The first rule that holds.
function judge(s) {
  const hasPixel = s.pixel.length > 0;
  const refused = s.pixel.find((call) => !call.accepted);
  const copy = s.server.find(isTaken);
  const isPending = s.delivery?.state === "waiting" || s.delivery?.state === "dead";
  if (!hasPixel && !s.server.length && !isPending) return null;
  if (refused) return ["bad", `refused what the pixel was given: ${refused.error}`];
  if (s.pixel.some((call) => call.duplicate)) return ["bad", "the pixel was called twice"];
  if (copy) return withCopy(s, hasPixel, copy);

  const heard = hasPixel ? "pixel heard it, " : "";
  const {state, reason, attempts} = s.delivery || {};
  if (state === "dead") return ["bad", `${heard}server copy given up: ${reason}`];
  if (state === "skipped") return ["partial", `pixel only${shortly(reason)}`];
  if (attempts) return ["waiting", `${heard}server copy will be tried again: ${reason}`];
  if (state) return ["waiting", `${heard}server copy on its way`];
  if (!s.system.servers.length) return ["good", "pixel heard it"];
  if (s.known.length) return ["partial", "pixel only: no server copy of this kind of event"];
  if (s.system.name === "SnackVideo" && !s.hasClickId) {
    return ["partial", "pixel only: no click ID"];
  }
  if (!s.isRelayUp) return ["waiting", `${heard}server copy kept in the page`];
  if (s.age < PATIENCE_MS) return ["waiting", `${heard}server copy on its way`];
  return ["partial", "pixel only: no server copy has come"];
}

// A long reason is left to the row's notes.
const shortly = (reason) => (reason.length > 40 ? ", as the site file says" : `: ${reason}`);

function withCopy(s, hasPixel, copy) {
  const attempt = s.server.indexOf(copy) + 1;
  const late = attempt > 1 ? `, at attempt ${attempt}` : "";
  if (!s.system.pixel) return ["good", `server copy arrived${late}`];
  if (!hasPixel) return ["partial", `server copy arrived${late}; its pixel was not heard`];
  const [pixel] = s.pixel;
  if (!pixel.event_id && !copy.event_id) {
    return ["good", `pixel and server copy${late}, paired by time and name: it takes no event ID`];
  }
  if (!pixel.event_id) return ["good", `pixel and server copy${late}; no event ID in the pixel's`];
  if (pixel.event_id !== copy.event_id) return ["bad", "pixel and server copy differ in event ID"];
  if (pixel.event_name !== copy.event_name) return ["bad", "pixel and server copy differ in name"];
  return ["good", `pixel and server copy match${late}`];
}
