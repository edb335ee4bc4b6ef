// pixelmirror's loader: keeps every call from the first moment, and brings the rest (page/index.js),
// Python and the tracker among it.
// The relay puts the site's public settings in place of the name in capitals. Nothing in here may
// throw into the page, show anything in it or wait for anything.
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

  const script = document.currentScript;
  const tag = script?.dataset ?? {}; // none where the page's own PyScript imports us
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

  // --- all that Python will need comes at once, beside each other ---

  const { page, image, tracker, pyscript, micropython, pyodide } = settings.assets;
  const python = tag.runtime === "pyodide" ? pyodide : micropython;
  const isDirect = python === micropython && tag.start !== "pyscript";
  const files = [page, python, ...(isDirect ? [image] : [pyscript, tracker])];
  if (python === micropython) files.push(micropython.replace(/mjs$/, "wasm"));
  // True once the file is here, false when it does not come.
  const bring = (href) =>
    new Promise((resolve) => {
      const [rel, as] = /js$/.test(href) ? ["modulepreload", "script"] : ["preload", "fetch"];
      const onload = ({ type }) => resolve(type === "load");
      const link = document.createElement("link");
      Object.assign(link, { rel, as, crossOrigin: "", href, onload, onerror: onload });
      document.head.append(link);
    });
  const arrivals = {};
  if (script) for (const href of files) arrivals[href] = bring(href);

  // --- calls: each gets its UUID, its time and its page at once; until Python is up it is kept ---

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
      if (!/^(track|page|data_layer)$/.test(call.args[0])) return;
      if (!call.kept && localStorage.length > 1000) return;
      localStorage.setItem(`${prefix}call.${call.uuid}`, JSON.stringify({ call, by, at: call.time }));
      call.kept = true;
    });

  const drop = (call) =>
    attempt(() => {
      localStorage.removeItem(`${prefix}call.${call.uuid}`);
      call.kept = false;
    });

  // The event ID, once Python is up. Should it die, calls are kept again as before.
  let could; // calls be kept, when the last one came
  const push = (call) => {
    try {
      if (take) return take(call) || undefined;
    } catch (error) {
      say(error);
      take = null;
    }
    waiting.push(call);
    attempt(() => internal.onCall?.(call));
    const can = mayKeep();
    const step = can ? (each) => each.kept || keep(each) : (each) => each.kept && drop(each);
    (can === could ? [call] : waiting).forEach(step);
    could = can;
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
      let room = 40000; // characters: of more than 64 KiB a browser takes nothing
      const fits = (each) => (room -= JSON.stringify(each).length) > 0;
      const calls = waiting.filter((each) => !each.beaconed && fits(each));
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

  // All that the rest of the page's code, and Python, may use of this.
  const internal = {
    settings,
    pageId,
    prefix,
    tag,
    isDirect,
    arrivals,
    waiting,
    listeners,
    landing,
    uuid7,
    attempt,
    say,
    fire: (element) => fire(element),
    moment: (element) => moment(element),
    offers: [], // interpreters that could run the tracker, until the rest is here
    call: (text) => attempt(() => call(...JSON.parse(text)), (error) => say(error)) ?? "",
    up(handler) {
      take = handler;
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

  // --- attributes: data-pm-track on a click or a submit ---

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

  // --- the rest ---

  // From a script of another origin, import() resolves against about:blank: it needs a whole URL.
  import(new URL(page, location.href)).then(
    ({ open }) => open(internal),
    (error) => say("Python could not be started:", error)
  );
});
