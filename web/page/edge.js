// All that Python uses of the page, beside what the loader has: the guard, the pixels, sending.
import { PIXELS } from "./pixels.js";

// The one function through which Python calls what may throw: a JavaScript exception would kill the
// interpreter. Takes steps from `window` as JSON text, [name], [name, [arguments]] or
// [name, "=", value], and gives {ok, value, error} as JSON text.
const guard = (text) => {
  let path = "";
  try {
    let here = window;
    for (const [name, words, value] of JSON.parse(text)) {
      path += path ? `.${name}` : name;
      if (words === "=") here[name] = value;
      else if (!words) here = here[name];
      else if (typeof here?.[name] === "function") here = here[name](...words);
      else return JSON.stringify({ ok: false, missing: true, error: `${path} is not on the page` });
    }
    return answer(here);
  } catch (error) {
    return JSON.stringify({ ok: false, error: `${path}: ${String(error?.message ?? error)}` });
  }
};

const answer = (value) => {
  try {
    return JSON.stringify({ ok: true, value });
  } catch {
    return '{"ok": true}'; // not all that is on a page can be told
  }
};

// `loader` is what web/loader.js keeps in `pixelmirror._`; all of this joins it there.
export const edge = (loader) => {
  const { settings, prefix, attempt, say, listeners, uuid7 } = loader;
  let sentOn = 0; // bytes under way that the browser sends on should the page go

  return {
    guard,
    install(name) {
      const { kind, sdk_urls: urls } = settings.destinations[name];
      PIXELS[kind].install(load(urls), urls);
    },
    heard: (kind) => PIXELS[kind].heard?.(),
    // POST at once; `done(status, retryAfter, ...given)`, status 0 for no answer. True when the browser
    // sends it on should the page go.
    send(url, init, text, done, ...given) {
      const size = new Blob([text]).size;
      const keepalive = size < loader.room();
      if (keepalive) sentOn += size;
      const answered = (status, retryAfter) => {
        if (keepalive) sentOn -= size;
        attempt(() => done(status, retryAfter, ...given), say);
      };
      const options = { method: "POST", body: text, keepalive, ...JSON.parse(init) };
      attempt(() => fetch(url, options), (error) => Promise.reject(error)).then(
        (reply) => answered(reply.status, reply.headers.get("Retry-After") ?? ""),
        () => answered(0, "")
      );
      return keepalive;
    },
    room: () => 60000 - sentOn, // of 64 KiB
    beacon: (text) => navigator.sendBeacon(settings.relay, text),
    later: (action, waitMs) => setTimeout(action, waitMs),
    chance: () => uuid7(0).slice(-12),
    stored: (start) => Object.entries(localStorage).filter(([key]) => key.startsWith(start)),
    // `done` is told which of these UUIDs no other tab has reserved: what a tab writes to the storage
    // the others see late. A lock is held until they surely do.
    reserve(text, done) {
      const isOurs = (uuid) =>
        new Promise((resolve) => {
          const lock = (granted) => {
            resolve(granted !== null);
            return granted && new Promise((release) => setTimeout(release, 10000));
          };
          const unknown = () => resolve(true); // only secure pages have locks
          attempt(
            () => navigator.locks.request(prefix + uuid, { ifAvailable: true }, lock).catch(unknown),
            unknown
          );
        });
      const uuids = JSON.parse(text);
      Promise.all(uuids.map(isOurs)).then((ours) =>
        attempt(() => done(JSON.stringify(uuids.filter((_, i) => ours[i]))), say)
      );
    },
    sent(event, result) {
      for (const listener of listeners) attempt(() => listener(event, result), (error) => say(error));
    },
    // True for the one interpreter that is to run the tracker.
    claim(name) {
      const isIt = !loader.runtime && (loader.wanted === name || loader.bringsOwn());
      if (isIt) loader.runtime = name;
      return isIt;
    },
    take: () => JSON.stringify(loader.waiting.splice(0)),
    up: loader.up,
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
