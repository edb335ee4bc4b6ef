// Tells the sandbox what a stand-in SDK was given. It stands before every SDK, in one function with
// it, whose argument SDK is the SDK's name.

const own = document.currentScript
  || document.querySelector('script[src*="/sandbox/sdk/' + SDK + '.js"]');
const endpoint = (own && own.src ? new URL(own.src).origin : location.origin)
  + "/sandbox/pixels/" + SDK;

// Reports of one turn go out together: two beacons may overtake each other, the entries of one not.
const waiting = [];

// `pixel` is the ID that an event went to; `name` is null for a call that is no event; `error` says
// why the SDK would not have sent it.
function report(args, { name = null, event_id = null, pixel = null, error = null } = {}) {
  waiting.push({
    name, event_id: event_id === null ? null : String(event_id), pixel, arguments: copied(args), error,
    at: performance.timeOrigin + performance.now(),
  });
  if (waiting.length === 1) queueMicrotask(() => guarded(flush)());
  if (error) console.warn("[sandbox " + SDK + "] " + error);
}

// As it is now, whatever the page does to the objects afterwards. Functions become null.
function copied(args) {
  try {
    return JSON.parse(JSON.stringify(Array.from(args)));
  } catch (error) {
    return ["cannot be sent: " + error];
  }
}

function flush() {
  const body = JSON.stringify(waiting.splice(0));
  if (navigator.sendBeacon && navigator.sendBeacon(endpoint, body)) return;
  // A beacon is refused beyond 64 KiB on the way; so is fetch with keepalive.
  fetch(endpoint, { method: "POST", body, credentials: "omit" })
    .catch((error) => console.warn("[sandbox " + SDK + "] no report: " + error));
}

// The same function, of which nothing escapes into the page.
function guarded(act) {
  return function (...args) {
    try {
      return act.apply(this, args);
    } catch (error) {
      console.warn("[sandbox " + SDK + "]", error);
      return undefined;
    }
  };
}

// Runs `start` in the first of several copies of this script on the page. What it returns runs for
// each further copy.
function once(start) {
  const started = (window.__sandboxSdks = window.__sandboxSdks || {});
  if (started[SDK]) guarded(started[SDK])();
  else guarded(() => { started[SDK] = start() || started[SDK]; })();
}

function cookie(name) {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(name + "="));
  return found ? found.slice(name.length + 1) : "";
}

function writeIfAbsent(name, value, days) {
  if (cookie(name)) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = name + "=" + value + "; Max-Age=" + days * 86400 + "; Path=/; SameSite=Lax" + secure;
}

// Text of that many characters drawn from the alphabet.
function drawn(length, alphabet) {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join("");
}
