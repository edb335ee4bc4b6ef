// All that Python uses of the page. Whatever happens, Python is told once, together with what it may
// want to know of the page (`enter`), and answers with all that is to be done, as one JSON text.
import { PIXELS } from "./pixels.js";
import { soon } from "./when.js";

const SLICE_MS = 20; // of the main thread at a time, for the calls of before Python
const UNKNOWN = "?"; // where nobody has looked what the page is like: Python asks, should it matter

// What steps from `window` lead to: [name], or [name, [arguments]] for a call. Throws; a function
// that is not there throws a `Missing`.
const follow = (steps) => {
  let path = "";
  let here = window;
  try {
    for (const [name, words] of steps) {
      path += path ? `.${name}` : name;
      if (!words) here = here[name];
      else if (typeof here?.[name] === "function") here = here[name](...words);
      else throw new Missing("is not on the page");
    }
  } catch (error) {
    if (error instanceof Missing) throw new Missing(`${path} ${error.message}`);
    throw new Error(`${path}: ${String(error?.message ?? error)}`);
  }
  return here;
};
class Missing extends Error {}

// `loader` is what web/loader.js keeps in `pixelmirror._`; all of this joins it there.
export const edge = (loader) => {
  const { settings, prefix, pageId, attempt, say, listeners, uuid7, landing, waiting } = loader;
  const kinds = new Set(Object.values(settings.destinations).map(({ kind }) => kind));
  const memory = new Map(); // storage where the page's own is full or forbidden
  const events = new Map(); // UUID of its call -> the event, until the relay has it
  const results = new Map(); // UUID -> the event and what became of it in each pixel, until its fate is told
  const complained = new Set();
  let python; // its one function
  let page; // of the last call
  let told = ""; // what Python knows of the page
  let cookies; // as the task that is running found them: each read asks another process
  const twins = new Map(); // name -> [pair, its text as a host-only cookie], of those written since
  let sentOn = 0; // bytes under way that the browser sends on should the page go

  const readCookies = () => {
    if (cookies === undefined) {
      cookies = attempt(() => document.cookie) ?? "";
      queueMicrotask(() => (cookies = undefined));
    }
    // A host-only twin of its name masks what was written for the whole domain: write that one too.
    const now = cookies.split("; ");
    for (const [name, [pair, text]] of twins)
      if (now.find((one) => one.startsWith(`${name}=`)) !== pair) writeCookie(text);
    twins.clear();
    return cookies ?? readCookies();
  };
  const writeCookie = (text) => {
    document.cookie = text;
    cookies = undefined;
  };
  const read = (key) =>
    attempt(() =>
      JSON.parse(attempt(() => localStorage.getItem(prefix + key)) ?? memory.get(key) ?? "null")
    );
  const write = (key, value) => {
    const text = JSON.stringify(value);
    attempt(() => localStorage.setItem(prefix + key, text), () => memory.set(key, text));
  };
  const remove = (key) => {
    memory.delete(key);
    attempt(() => localStorage.removeItem(prefix + key));
  };
  // Say a failure once for each pixel, not three hundred times.
  const complain = (name, result) => {
    if (!complained.has(name)) say(name, "pixel", result);
    complained.add(name);
    return result;
  };
  // Each call of a pixel on its own; the first that fails is the result.
  const fired = (name, calls) => {
    if (typeof calls === "string") return calls.startsWith("failed") ? complain(name, calls) : calls;
    try {
      calls.forEach(follow);
      return "fired";
    } catch (error) {
      const isMissing = error instanceof Missing;
      return isMissing ? `skipped: ${error.message}` : complain(name, `failed: ${error.message}`);
    }
  };

  // POST at once; Python is told the answer's status, 0 for none. True when the browser sends it on
  // should the page go. Only once an answer has ended does the browser count its request as over.
  const send = (url, init, body, then, ...given) => {
    const bytes = new TextEncoder().encode(body);
    const size = bytes.length;
    const keepalive = size < 60000 - sentOn; // of 64 KiB
    if (keepalive) sentOn += size;
    const answered = (status, retryAfter) => {
      if (keepalive) sentOn -= size;
      enter(UNKNOWN, then, status, retryAfter, ...given);
    };
    const ended = (reply) => {
      const end = () => answered(reply.status, reply.headers.get("Retry-After") ?? "");
      reply.text().then(end, end);
    };
    const options = { method: "POST", body: bytes, keepalive, ...init };
    attempt(() => fetch(url, options), (error) => Promise.reject(error)).then(ended, () =>
      answered(0, "")
    );
    return keepalive;
  };

  // True when no other tab has reserved this: what a tab writes to the storage the others see late.
  // A lock is held until they surely do.
  const isReserved = (key) =>
    new Promise((resolve) => {
      const lock = (granted) => {
        resolve(granted !== null);
        return granted && new Promise((release) => setTimeout(release, 10000));
      };
      const unknown = () => resolve(true); // only secure pages have locks
      attempt(
        () => navigator.locks.request(prefix + key, { ifAvailable: true }, lock).catch(unknown),
        unknown
      );
    });

  const body = (uuids, head) =>
    JSON.stringify({ ...head, events: uuids.map((uuid) => events.get(uuid)) });

  // What Python can have done. The last one's value is the answer.
  const actions = {
    is: (value) => value,
    facts() {
      const now = facts();
      told = JSON.stringify(now);
      return now;
    },
    write,
    remove,
    read,
    forget(shelf, keys) {
      for (const key of keys) {
        remove(`${shelf}.${key}`);
        events.delete(key);
      }
    },
    // An event is written ahead, and held.
    keep(uuid, event) {
      events.set(uuid, event);
      actions.hand([uuid], pageId);
    },
    // This page, or nobody, takes care of these from now on.
    hand(uuids, by) {
      for (const uuid of uuids) {
        const event = events.get(uuid);
        if (event) write(`call.${uuid}`, { event, by, at: Date.now() });
      }
    },
    // The domain, the first of these, on which the browser keeps a cookie; empty for the host alone.
    domain: (domains) =>
      domains.find((domain) => {
        const where = `Path=/; Domain=${domain}`;
        document.cookie = `_pm_try=1; SameSite=Lax; ${where}`;
        const isKept = document.cookie.includes("_pm_try=");
        document.cookie = `_pm_try=; Max-Age=0; ${where}`;
        return isKept;
      }) ?? "",
    // The first text is written; where a host-only twin of its name masks it, the second one too.
    cookie(text, twin) {
      writeCookie(text);
      const [pair] = text.split(";");
      if (twin !== text) twins.set(pair.split("=")[0], [pair, twin]);
    },
    // [[key, when it happened, who takes care of it, since when]] of all that lies on this shelf.
    entries(shelf) {
      const found = [];
      const stored = attempt(() => Object.keys(localStorage)) ?? [];
      for (const name of [...stored, ...[...memory.keys()].map((key) => prefix + key)]) {
        if (!name.startsWith(`${prefix}${shelf}.`)) continue;
        const key = name.slice(prefix.length);
        const { event, call, copy, by, at } = read(key) ?? {};
        const time = event?.event_time ?? call?.time ?? copy?.time ?? 0;
        if (at === undefined || by === undefined || !/^[\w.-]+$/.test(key)) remove(key);
        else found.push([key.slice(shelf.length + 1), { time, by, at }]);
      }
      return found;
    },
    // Of these keys, who takes care of each that is still kept.
    holders: (shelf, keys) =>
      Object.fromEntries(
        keys.map((key) => [key, read(`${shelf}.${key}`)]).flatMap(([key, entry]) => (entry ? [[key, entry.by]] : []))
      ),
    reserve(then, keys) {
      Promise.all(keys.map(isReserved)).then((ours) =>
        enter(UNKNOWN, then, JSON.stringify(keys.filter((_, i) => ours[i])))
      );
    },
    // True the first time in this browser; `most` are remembered.
    order(id, most) {
      const orders = read("orders") ?? [];
      if (orders.includes(id)) return false;
      write("orders", [...orders, id].slice(-most));
      return true;
    },
    install(name) {
      const { kind, sdk_urls: urls } = settings.destinations[name];
      const failed = (error) => say(name, "pixel can't be set up:", error.message);
      attempt(() => PIXELS[kind].install(load(urls), urls), failed);
    },
    // What comes before events; what fails in it is said, the events go on.
    prepare: (name, calls) => calls.forEach((steps) => fired(name, [steps])),
    fire(uuid, rows) {
      const pixels = Object.fromEntries(rows.map(([name, calls]) => [name, fired(name, calls)]));
      results.set(uuid, [events.get(uuid), pixels]);
    },
    ask: (name, steps) =>
      attempt(
        () => follow(steps),
        (error) => void (error instanceof Missing || complain(name, `failed: ${error.message}`))
      ),
    // Tell the page's `on("sent", ...)` listeners, once of each event.
    tell(uuids, relay) {
      for (const uuid of uuids) {
        const [event, pixels] = results.get(uuid) ?? [];
        if (!results.delete(uuid)) continue;
        for (const listener of listeners)
          attempt(() => listener(event, { pixels, relay }), (error) => say(error));
      }
    },
    post: (then, uuids, head) =>
      void send(
        settings.relay,
        { headers: { "Content-Type": "text/plain" }, credentials: "include" },
        body(uuids, head),
        then
      ),
    beacon: (uuids, head) => void navigator.sendBeacon(settings.relay, body(uuids, head)),
    send: (url, headers, body, then, key) =>
      send(url, { headers, credentials: "omit" }, JSON.stringify(body), then, key),
    room: () => 60000 - sentOn,
    later: (then, waitMs) => void setTimeout(enter, waitMs, UNKNOWN, then),
    // When whatever of the page's code is running is through.
    afterwards: (then) => queueMicrotask(() => enter(UNKNOWN, then)),
    uuid: () => uuid7(Date.now()),
    say: (...words) => say(...words),
    warn: (text) => console.warn("[pixelmirror]", text),
    note: (text) => console.debug("[pixelmirror]", text),
  };

  // A JavaScript exception would kill the interpreter, and none of Python's may stop another action.
  const run = (text) => {
    let value;
    for (const [name, ...words] of JSON.parse(`[${text}]`))
      value = attempt(() => actions[name](...words), (error) => say(error));
    if (twins.size) readCookies();
    return value;
  };

  const facts = () => {
    const heard = {};
    for (const kind of kinds) heard[kind] = attempt(() => PIXELS[kind].heard?.());
    const has_widget = Boolean(settings.has_alhena && window.gleenWidget);
    return { page, cookies: readCookies(), heard, has_widget };
  };
  // What the page is like, as JSON; empty where it is as Python knows it.
  const news = () => {
    const now = JSON.stringify(facts());
    if (now === told) return "";
    return (told = now);
  };
  const happen = (...words) => {
    const todo = python(...words);
    return todo ? run(todo) : undefined;
  };
  const enter = (...words) => attempt(() => happen(...words), (error) => say(error));

  // Throws where Python has died.
  const take = (call) => {
    page = call.page;
    return happen(news(), "take", call.uuid, JSON.stringify([call.time, call.args]));
  };
  // A call that was kept may be another page's by now.
  const isOurs = ({ uuid, kept }) => !kept || [null, pageId].includes(read(`call.${uuid}`)?.by);
  const catchUp = () => {
    const end = performance.now() + SLICE_MS;
    while (waiting.length && performance.now() < end) {
      const call = waiting.shift();
      if (isOurs(call)) attempt(() => take(call), (error) => say(error));
    }
    if (waiting.length) soon(catchUp);
    else loader.up(take);
  };

  const getReady = () => {
    const left = read("landing");
    const reset = read("reset");
    const start = {
      page_id: pageId,
      settings,
      landings: left && left.time !== landing.time ? [left, landing] : [landing],
      reset_id: reset && reset.by !== pageId ? reset.id : "",
      has_gpc: navigator.globalPrivacyControl === true,
      host: location.hostname,
      is_https: location.protocol === "https:",
      chance: uuid7(0).slice(-12),
      calls: waiting.filter(({ kept }) => !kept),
    };
    enter(news(), "begin", JSON.stringify(start));
    // When the browser collects what stood for something of MicroPython's, the interpreter is told;
    // a page in the back/forward cache that runs any code is thrown away.
    soon(() => (loader.held = [...(window.proxy_js_map?.values() ?? [])].map((one) => one.deref())));
    loader.onHide = () => enter(UNKNOWN, "leave");
    loader.onReturn = () => enter(UNKNOWN, "come_back");
  };

  return {
    // True for the one interpreter that is to run the tracker.
    claim(name) {
      const isIt = !loader.runtime && (loader.wanted === name || loader.bringsOwn());
      if (isIt) loader.runtime = name;
      return isIt;
    },
    // Python is there: it begins, and takes what was called before it. Python of the page's own may
    // go on in this very task, and ask for event IDs; where there is none, each step is a task.
    begin(function_) {
      python = function_;
      const step = loader.isAlone ? soon : (action) => action();
      step(() => {
        getReady();
        step(catchUp);
      });
    },
    // Do this at once, and give the last one's value.
    ask: (text) => attempt(() => JSON.stringify(run(text)), say) ?? "null",
  };
};

const load = (urls) => (query) => {
  if (!urls.length) return;
  const script = document.createElement("script");
  script.async = true;
  script.src = urls[0] + query;
  script.onerror = () => load(urls.slice(1))(query);
  document.head.append(script);
};
