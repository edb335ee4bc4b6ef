// The protocol that TikTok's and Kwai's SDKs share: an array with methods, which holds the calls for
// all pixels, and in its `_i` one such array for each pixel (tiktok.md and kwai.md, section 1).
//
// `sdk` says what differs: `objectKey`, the name of the global that names the array; `global`, that
// name by default; `pageName`, the event that page() stands for; `eventId(entry)`; `cookies()`,
// which writes the SDK's own; `consent`, whether there are consent methods.

function runInstances(sdk) {
  const page = window[window[sdk.objectKey] || sdk.global];
  if (!Array.isArray(page)) {
    console.warn("[sandbox " + SDK + "] window." + sdk.global + " is no array");
    return null;
  }
  const live = new Map();  // ID -> array
  let consent = "granted"; // or held, revoked
  let held = [];           // what waits for consent: [ids, entry]
  let hasCookies = true;

  function track(ids, entry) {
    if (consent === "held") held.push([ids, entry]);
    if (consent !== "granted") return;
    const isPage = entry[0] === "page";
    const event = {
      name: isPage ? sdk.pageName : String(entry[1]),
      event_id: isPage ? null : sdk.eventId(entry),
    };
    if (!ids().length) report(entry, { ...event, error: "no pixel loaded" });
    for (const id of ids()) report(entry, { ...event, pixel: id });
  }

  const commands = {
    page: track,
    track,
    ready: (ids, entry) => entry[1](),
    enableCookie(ids, entry) { hasCookies = true; report(entry); writeCookies(); },
    disableCookie(ids, entry) { hasCookies = false; report(entry); },
  };
  for (const name of ["identify", "alias", "group", "debug", "on", "off", "once", "instances"]) {
    commands[name] = (ids, entry) => report(entry);
  }
  if (sdk.consent) {
    commands.holdConsent = (ids, entry) => { consent = "held"; report(entry); };
    commands.revokeConsent = (ids, entry) => { consent = "revoked"; held = []; report(entry); };
    commands.grantConsent = (ids, entry) => {
      consent = "granted";
      report(entry);
      writeCookies();
      held.splice(0).forEach(([to, call]) => track(to, call));
    };
  }

  function writeCookies() {
    if (hasCookies && consent === "granted" && live.size) sdk.cookies();
  }

  // From now on what is pushed to the array is taken at once, and its methods push to it. What had
  // waited in it comes back as functions that replay it.
  function takeOver(array, ids) {
    const take = guarded(function (entry) {
      const call = Array.from(entry);
      const command = Object.hasOwn(commands, call[0]) ? commands[call[0]] : null;
      if (command) command(ids, call);
      else report(call, { error: "unknown method " + call[0] });
    });
    array.push = function (...entries) {
      adopt();
      entries.forEach(take);
      return 0;
    };
    for (const method of Object.keys(commands)) {
      array[method] = (...args) => array.push([method, ...args]);
    }
    return array.splice(0).map((entry) => () => take(entry));
  }

  // Takes over the pixels that were loaded since, and returns the replays of their own calls.
  function found() {
    return Object.keys(page._i || {}).filter((id) => !live.has(id)).flatMap((id) => {
      live.set(id, page._i[id]);
      report(["load", id, (page._o && page._o[id]) || {}], { pixel: id });
      return takeOver(page._i[id], () => [id]);
    });
  }

  function adopt() {
    found().forEach((replay) => replay());
    writeCookies();
  }

  // Calls for all pixels reach each one that is loaded by now, and come before its own.
  const forAll = takeOver(page, () => [...live.keys()]);
  page.instance = guarded((id) => {
    adopt();
    if (live.has(id)) return live.get(id);
    const stranger = [];
    takeOver(stranger, () => []);
    return stranger;
  });
  page.instances = guarded(() => [...live.values()]);
  page.load = guarded((id, options) => {
    page._i = page._i || {};
    page._i[id] = page._i[id] || [];
    page._t = { ...page._t, [id]: Date.now() };
    page._o = { ...page._o, [id]: options || {} };
    adopt();
  });
  const forOne = found();
  [...forAll, ...forOne].forEach((replay) => replay());
  writeCookies();
  return adopt;
}
