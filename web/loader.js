// pixelmirror's loader: keeps every call from the first moment, starts Python, holds the guard.
// The relay puts the site's public settings, the stubs of its pixels and data_layer.js in place of
// the three names in capitals. Nothing in here may throw into the page, show anything in it or wait for anything.
((main) => {
  try {
    main();
  } catch (error) {
    console.error("[pixelmirror]", error);
  }
})(() => {
  const settings = SETTINGS;
  const early = window.pixelmirror;
  if (early?.version) return; // a second tag does nothing

  const tag = document.currentScript?.dataset ?? {};
  const prefix = `pm.${settings.site}.`;
  const pageId = crypto.getRandomValues(new Uint32Array(2)).join("");
  const say = (...words) => console.error("[pixelmirror]", ...words);
  const attempt = (action, otherwise) => {
    try {
      return action();
    } catch (error) {
      return otherwise?.(error);
    }
  };
  if (tag.consent === "required") settings.consent = "required";
  const runtime = tag.runtime === "pyodide" ? "pyodide" : "micropython";
  const bringsOwn = () => Boolean(document.querySelector(`[config$="${settings.site}/pyscript.json"]`));

  // --- calls: each gets its UUID, its time and its page at once, and is written ahead ---

  let take; // the tracker's function, once Python is up
  const waiting = []; // calls until then
  const listeners = [];
  let url = location.href;
  let referrer = document.referrer;

  const uuid7 = (time) => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    for (let i = 0; i < 6; i++) bytes[i] = Math.floor(time / 256 ** (5 - i)) % 256;
    bytes[6] = (bytes[6] & 0x0f) | 0x70;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };

  // JSON has no NaN: it goes as text, so that the check can name it.
  const plain = (value) =>
    JSON.parse(
      JSON.stringify(value, (_, inner) =>
        typeof inner === "number" && !Number.isFinite(inner) ? String(inner) : inner
      )
    );

  const record = (time, words) => ({
    uuid: uuid7(time),
    time,
    args: plain(words),
    page: { url, referrer, title: document.title },
  });

  const cookie = (name) => document.cookie.match(`(?:^|; )${name}=([^;]*)`)?.[1] ?? "";

  // What the tracker decides by its consent, said early: may this call be stored and sent?
  const mayKeep = () => {
    const last = (wanted) => {
      const isConsent = ({ args: [verb, value] }) =>
        verb === wanted && (Array.isArray(value) || /^(granted|denied)$/.test(value));
      const value = waiting.filter(isConsent).pop()?.args[1];
      return Array.isArray(value) ? (value.length ? "some" : "denied") : value;
    };
    const text = cookie("_pm_consent");
    const remembered = attempt(() => decodeURIComponent(text), () => text);
    const consent = last("consent") ?? (remembered || last("consent_heard"));
    return consent ? consent !== "denied" : settings.consent !== "required";
  };

  const keep = (call, by = pageId) =>
    attempt(() => {
      if (!/^(track|page|data_layer)$/.test(call.args[0]) || localStorage.length > 400) return;
      localStorage.setItem(`${prefix}call.${call.uuid}`, JSON.stringify({ call, by, at: call.time }));
      call.kept = true;
    });

  const drop = (call) =>
    attempt(() => {
      localStorage.removeItem(`${prefix}call.${call.uuid}`);
      call.kept = false;
    });

  // The event ID, once Python is up.
  const push = (call) => {
    if (!take) waiting.push(call);
    const step = mayKeep() ? (each) => each.kept || keep(each) : (each) => each.kept && drop(each);
    [...waiting, call].forEach(step);
    return take?.(JSON.stringify(call)) || undefined;
  };

  const call = (...words) =>
    attempt(
      () => {
        if (words[0] !== "on") return push(record(Date.now(), words));
        if (words[1] !== "sent" || typeof words[2] !== "function")
          return say('"on" takes "sent" and a function');
        listeners.push(words[2]);
      },
      (error) => say("this call can't be read:", words[0], words[1], error)
    );

  // --- leaving: what Python has not seen yet is beaconed as it was called ---

  const landing = { url, time: Date.now() };

  const leave = () =>
    attempt(() => {
      const calls = waiting.filter((each) => !each.beaconed);
      if (take || !calls.length || !mayKeep()) return;
      // The next page writes the cookie of the visitor that a `reset` made.
      const reset = waiting.filter(({ args }) => args[0] === "reset").pop();
      if (reset)
        attempt(() =>
          localStorage.setItem(`${prefix}reset`, JSON.stringify({ id: reset.uuid, by: pageId }))
        );
      const ours = /^(_fbc|_fbp|_ttclid|_ttp|_kwai_click_id|_pm_consent|_pm_visitor)=/;
      const body = {
        sent_at: Date.now(),
        calls,
        cookies: document.cookie.split("; ").filter((pair) => ours.test(pair)).join("; "),
        consent: settings.consent,
        gpc: navigator.globalPrivacyControl === true,
      };
      if (navigator.sendBeacon(settings.relay, JSON.stringify(body)))
        calls.forEach((each) => (each.beaconed = true));
    });
  const onHide = () => {
    leave();
    attempt(() => internal.onHide?.());
  };
  addEventListener("visibilitychange", () => document.hidden && onHide());
  addEventListener("pagehide", () => {
    onHide();
    waiting.forEach((each) => each.kept && keep(each, null)); // the next page may take care of it
  });

  // --- the guard: the one function through which Python calls what may throw ---
  // Takes steps from `window` as JSON text, [name], [name, [arguments]] or [name, "=", value], and
  // gives {ok, value, error} as JSON text: a JavaScript exception would kill the interpreter.

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
      return attempt(() => JSON.stringify({ ok: true, value: here }), () => '{"ok": true}');
    } catch (error) {
      return JSON.stringify({ ok: false, error: `${path}: ${String(error?.message ?? error)}` });
    }
  };

  const load = (urls) => (query) => {
    if (!urls.length) return;
    const script = document.createElement("script");
    script.async = true;
    script.src = urls[0] + query;
    script.onerror = () => load(urls.slice(1))(query);
    document.head.append(script);
  };

  // The stub that `ttq` and `kwaiq` share: an array with deferring methods.
  const deferring = (global, named, setAndDefer, methods) => ({
    install(loadSdk, urls) {
      window[named] = global;
      const queue = (window[global] ??= []);
      if (queue.load) return;
      const defer = (target, name) => (target[name] = (...words) => void target.push([name, ...words]));
      queue.methods = methods.split(" ");
      if (setAndDefer) queue[setAndDefer] = defer;
      queue.methods.forEach((name) => defer(queue, name));
      queue.instance = (id) => {
        const one = queue._i?.[id] ?? [];
        queue.methods.forEach((name) => defer(one, name));
        return one;
      };
      queue.load = (id, options) => {
        queue._i = { ...queue._i, [id]: Object.assign([], { _u: urls[0] }) };
        queue._t = { ...queue._t, [id]: Date.now() };
        queue._o = { ...queue._o, [id]: options ?? {} };
        loadSdk(`?sdkid=${id}&lib=${global}`);
      };
    },
    heard() {
      const ids = Object.keys(window[global]?._i ?? {});
      const entries = Array.from(window[global] ?? [], (entry) => entry[0]);
      return { ids, page_view: ids.length > 0 && (!entries.length || entries.includes("page")) };
    },
  });

  let sentOn = 0; // bytes under way that the browser sends on should the page go

  const internal = {
    settings,
    pageId,
    guard,
    pixels: PIXELS,
    install(name) {
      const { kind, sdk_urls: urls } = settings.destinations[name];
      internal.pixels[kind].install(load(urls), urls);
    },
    heard: (kind) => internal.pixels[kind].heard?.(),
    call: (text) => attempt(() => call(...JSON.parse(text)), (error) => say(error)) ?? "",
    // POST at once; `done(status, retryAfter, ...given)`, status 0 for no answer. True when the browser
    // sends it on should the page go.
    send(url, init, text, done, ...given) {
      const size = new Blob([text]).size;
      const keepalive = size < internal.room();
      if (keepalive) sentOn += size;
      const answer = (status, retryAfter) => {
        if (keepalive) sentOn -= size;
        attempt(() => done(status, retryAfter, ...given), say);
      };
      const options = { method: "POST", body: text, keepalive, ...JSON.parse(init) };
      attempt(() => fetch(url, options), (error) => Promise.reject(error)).then(
        (reply) => answer(reply.status, reply.headers.get("Retry-After") ?? ""),
        () => answer(0, "")
      );
      return keepalive;
    },
    room: () => 60000 - sentOn, // of 64 KiB
    beacon: (text) => navigator.sendBeacon(settings.relay, text),
    later: (action, waitMs) => setTimeout(action, waitMs),
    chance: () => uuid7(0).slice(-12),
    uuid7,
    landing,
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
      const isIt = !internal.runtime && (runtime === name || bringsOwn());
      if (isIt) internal.runtime = name;
      return isIt;
    },
    take: () => JSON.stringify(waiting.splice(0)),
    up(handler) {
      take = handler;
      waiting.splice(0).forEach((each) => take(JSON.stringify(each)));
      resolveReady(pixelmirror);
      document.dispatchEvent(new CustomEvent("pixelmirror:ready"));
    },
  };

  let resolveReady;
  const pixelmirror = Object.assign((...words) => call(...words), {
    version: settings.version,
    ready: new Promise((resolve) => (resolveReady = resolve)),
    _: internal,
  });
  for (const name of ["track", "page", "identify", "reset", "consent", "on"])
    pixelmirror[name] = (...words) => call(name, ...words);
  window.pixelmirror = pixelmirror;

  // --- page views: this one, each new path, each return from the back/forward cache ---

  const hasPageViews = tag.autoPageView !== "off";
  const onMove = () => {
    if (new URL(url).pathname === location.pathname) return;
    [referrer, url] = [url, location.href];
    if (hasPageViews) call("page");
  };
  for (const name of ["pushState", "replaceState"]) {
    const original = history[name];
    history[name] = function (...words) {
      const result = original.apply(this, words);
      attempt(onMove);
      return result;
    };
  }
  addEventListener("popstate", () => attempt(onMove));
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    attempt(() => internal.onReturn?.());
    if (hasPageViews) call("page");
  });
  if (hasPageViews) call("page");
  for (const [time, ...words] of early?.q ?? []) {
    if (words[0] === "on") call(...words);
    else attempt(() => push(record(time, words)), (error) => say("this call can't be read:", words[0], error));
  }
  if (mayKeep() && !navigator.globalPrivacyControl && /[?&](fbclid|ttclid|click_?id|kwai_click_id)=/.test(url))
    attempt(() => localStorage.setItem(`${prefix}landing`, JSON.stringify(landing)));

  // --- the shop's dataLayer and, where consent is required, the consent tools on the page ---

  const watch = DATA_LAYER;
  const watched = () => attempt(() => watch(settings, attempt, call));
  watched();
  addEventListener("load", watched); // what came later, or was made anew

  // --- attributes: data-pm-track, for elements added later too ---

  const fire = (element) =>
    attempt(
      () => call("track", element.dataset.pmTrack, JSON.parse(element.dataset.pmParams || "{}")),
      (error) => say("data-pm-params is not JSON:", element, error)
    );
  const moment = (element) =>
    element.dataset.pmOn || (element.tagName === "FORM" ? "submit" : "click");
  for (const type of ["click", "submit"])
    document.addEventListener(type, (event) => {
      for (const element of event.composedPath())
        if (element.dataset?.pmTrack && moment(element) === type) fire(element);
    }, true);
  const seen = new WeakSet();
  const onSight = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      onSight.unobserve(target);
      fire(target);
    }
  });
  const scan = (root) => {
    const found = root.querySelectorAll?.("[data-pm-track]") ?? [];
    for (const element of root.dataset?.pmTrack ? [root, ...found] : found) {
      if (seen.has(element)) continue;
      seen.add(element);
      if (moment(element) === "visible") onSight.observe(element);
      if (moment(element) === "load") fire(element);
    }
  };

  // --- start: PyScript with the tracker in it; its tag must stand before its core is imported ---

  const start = async () => {
    scan(document);
    const onAdded = (changes) =>
      changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => attempt(() => scan(node))));
    new MutationObserver(onAdded).observe(document, { childList: true, subtree: true });
    if (bringsOwn()) return; // its own PyScript imports the tracker
    const type = runtime === "pyodide" ? "py" : "mpy";
    if (document.querySelector(`script[type="${type}"][config], ${type}-config`))
      return say(`this page configures "${type}" itself: give it config="${settings.pyscript.url}"`);
    // Where a CSP forbids WebAssembly we stop here: PyScript would throw into the page.
    new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    for (const kind of ["mpy", "py"]) {
      if (document.querySelector(`script[type="${kind}"][config], ${kind}-config`)) continue;
      const config = document.createElement(`${kind}-config`);
      config.textContent = JSON.stringify(settings.pyscript[kind]);
      document.head.append(config);
    }
    const script = document.createElement("script");
    const id = "pixelmirror-runtime";
    Object.assign(script, { type, id, textContent: "import pixelmirror" });
    script.setAttribute("target", `#${id}`); // else PyScript adds an element to the body
    document.head.prepend(script);
    // From a script of another origin, import() resolves against about:blank: it needs a whole URL.
    const { hooks } = await import(new URL(settings.pyscript.core, location.href));
    // Its one worker hook is built from text, which a strict CSP forbids; we have no workers.
    hooks.worker.onBeforeRunAsync.clear();
  };
  const notStarted = (error) => say("Python could not be started:", error);
  // Where an asset does not arrive, PyScript drops a rejected promise: ours to tell, not the page's.
  const assets = new URL(settings.pyscript.core, location.href).href.replace(/\/assets\/.*/, "/assets/");
  addEventListener("unhandledrejection", (event) => {
    const { message, stack } = event.reason ?? {};
    if (take || !`${message} ${stack}`.includes(assets)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    notStarted(event.reason);
  });
  const begin = () => start().catch(notStarted);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
});
