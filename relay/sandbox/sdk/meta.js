// Stands in for Meta's fbevents.js (meta.md section 1).

const STANDARD = new Set(("AddPaymentInfo AddToCart AddToWishlist CompleteRegistration Contact "
  + "CustomizeProduct Donate FindLocation InitiateCheckout Lead PageView Purchase Schedule Search "
  + "StartTrial SubmitApplication Subscribe ViewContent").split(" "));
const MAX_CUSTOM_NAME = 50;

once(function () {
  const fbq = window.fbq;
  if (typeof fbq !== "function" || !Array.isArray(fbq.queue)) {
    console.warn("[sandbox meta] window.fbq is no stub");
    return null;
  }
  const pixels = new Map();  // ID -> the path of its last PageView
  const known = new Set();   // IDs that were told who the shopper is
  let held = null;           // calls that wait for consent; null: none is withheld

  // A second init for an ID is taken if it brings user data where there was none, and only then.
  function init(args) {
    const id = String(args[1] || "");
    const isTold = args[2] !== null && typeof args[2] === "object" && Object.keys(args[2]).length > 0;
    if (!id || (pixels.has(id) && !(isTold && !known.has(id)))) {
      report(args, { pixel: id || null, error: id ? "Duplicate Pixel ID: " + id : "init without an ID" });
      return;
    }
    if (!pixels.has(id)) pixels.set(id, null);
    if (isTold) known.add(id);
    report(args, { pixel: id });
    if (!held) writeFbp();
  }

  function writeFbp() {
    if (pixels.size) writeIfAbsent("_fbp", "fb.1." + Date.now() + "." + drawn(10, "0123456789"), 90);
  }

  // To all pixels, or to the one that trackSingle names. The ID is only read after the parameters.
  function track(args) {
    if (held) {
      held.push(args);
      return;
    }
    const single = args[0].startsWith("trackSingle");
    const [name, , options] = args.slice(single ? 2 : 1);
    const event = { name: String(name), event_id: (options && options.eventID) || null };
    const ids = single ? [String(args[1])].filter((id) => pixels.has(id)) : [...pixels.keys()];
    if (!ids.length) {
      report(args, { ...event, error: single ? args[1] + " is not initialised" : "no pixel initialised" });
    }
    for (const id of ids) report(args, { ...event, pixel: id, error: wrong(args[0], event.name, id) });
  }

  // Why Meta's SDK would not send this event, null when it would.
  function wrong(command, name, id) {
    if (command.endsWith("Custom") && name.length > MAX_CUSTOM_NAME) {
      return "the name of a custom event is over " + MAX_CUSTOM_NAME + " characters";
    }
    if (!command.endsWith("Custom") && !STANDARD.has(name)) {
      console.warn("[sandbox meta] " + name + " is no standard event; trackCustom is for it");
    }
    if (name !== "PageView") return null;
    const repeated = pixels.get(id) === here() && fbq.allowDuplicatePageViews !== true;
    pixels.set(id, here());
    return repeated ? "PageView again for this URL, without allowDuplicatePageViews" : null;
  }

  function consent(args) {
    report(args);
    if (args[1] === "revoke") held = held || [];
    if (args[1] !== "grant" || !held) return;
    const released = held;
    held = null;
    writeFbp();
    released.forEach(track);
  }

  const commands = {
    init, consent, track, trackCustom: track, trackSingle: track, trackSingleCustom: track,
    set: report, dataProcessingOptions: report,
  };

  const take = guarded(function (entry) {
    const args = Array.from(entry);
    const command = Object.hasOwn(commands, args[0]) ? commands[args[0]] : null;
    if (command) command(args);
    else report(args, { error: "unknown command " + args[0] });
  });

  function here() {
    return location.pathname + location.search;
  }

  // A new path in a single-page app is a PageView of the SDK's own, without an event ID.
  let path = here();
  const moved = guarded(function () {
    if (path === here()) return;
    path = here();
    if (fbq.disablePushState !== true && pixels.size) track(["track", "PageView"]);
  });
  for (const method of ["pushState", "replaceState"]) {
    const original = history[method];
    history[method] = function (...args) {
      const result = original.apply(this, args);
      moved();
      return result;
    };
  }
  addEventListener("popstate", moved);

  fbq.callMethod = function () { take(arguments); };
  fbq.getState = () => ({ pixels: Array.from(pixels.keys(), (id) => ({ id })) });
  fbq.queue.splice(0).forEach(take);
  return () => {};
});
