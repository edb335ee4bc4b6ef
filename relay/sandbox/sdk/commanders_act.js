// Stands in for Commanders Act's events SDK (commanders-act.md section 1).

once(function () {
  const buffer = (window.caReady = window.caReady || []);
  if (!window.cact) window.cact = function () { window.caReady.push(arguments); };
  const settings = {};
  const properties = {};  // from setProperty, merged into every later event
  const listeners = {};   // of the events that stay in the browser

  // Arguments are told apart by their type, in order: so config may be left out before a callback.
  function sorted(args) {
    const given = { objects: [] };
    for (const value of args) {
      if (typeof value === "function") given.callback = given.callback || value;
      else if (typeof value === "object" && value !== null) given.objects.push(value);
    }
    return { data: given.objects[0], config: given.objects[1] || {}, callback: given.callback };
  }

  function trigger(args) {
    const name = args[1];
    if (typeof name !== "string" || !name) return;  // ignored without an error
    const { data, config, callback } = sorted(args.slice(2));
    // A shallow copy of own keys: a Map or a Python proxy arrives empty.
    const sent = merged(properties, Object.assign({}, data));
    const known = { ...settings, ...config };
    const isSetUp = window.tC || (known.siteId && known.sourceKey);
    report(["trigger", name, sent, config], {
      name,
      event_id: known.eventId || null,
      pixel: known.siteId ? String(known.siteId) : null,
      error: isSetUp ? null : "no web container, and no siteId and sourceKey",
    });
    if (callback) callback();
  }

  function merged(under, over) {
    const result = { ...under, ...over };
    for (const key of Object.keys(under)) {
      if (isPlain(under[key]) && isPlain(over[key])) result[key] = merged(under[key], over[key]);
    }
    return result;
  }

  function isPlain(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
  }

  function setProperty(args) {
    report(args);
    const steps = String(args[1]).split(".");
    const last = steps.pop();
    let at = properties;
    for (const step of steps) at = at[step] = isPlain(at[step]) ? at[step] : {};
    at[last] = args[2];
  }

  // There is no consent banner here: consent stays unset.
  function tellConsent(args) {
    const { callback } = sorted(args);
    if (callback) callback({ meta: {}, consent: { status: "unset", categories: {} } });
  }

  function listen(args, isOnce) {
    const of = (listeners[args[1]] = listeners[args[1]] || []);
    if (typeof args[2] === "function") of.push({ act: args[2], isOnce });
  }

  function emit(args) {
    const of = listeners[args[1]] || [];
    listeners[args[1]] = of.filter((listener) => !listener.isOnce);
    for (const { act } of of) guarded(act)(args[2]);
  }

  const commands = {
    trigger,
    setProperty,
    config(args) { Object.assign(settings, args[1]); report(args); },
    "consent.get": tellConsent,
    "consent.onReady": tellConsent,
    "consent.onUpdate": () => {},
    on: (args) => listen(args, false),
    once: (args) => listen(args, true),
    off(args) { listeners[args[1]] = (listeners[args[1]] || []).filter(({ act }) => act !== args[2]); },
    emit,
  };

  // True when the entry is done with; an unknown command stays in the buffer.
  const take = guarded(function (entry) {
    const args = Array.from(entry);
    const isKnown = Object.hasOwn(commands, args[0]);
    try {
      entry._tc_meta = { taken: isKnown };  // the entry has to be extensible
    } catch (error) {
      report(args, { name: typeof args[1] === "string" ? args[1] : null, error: String(error) });
      return true;
    }
    if (isKnown) guarded(commands[args[0]])(args);
    return isKnown;
  });

  const entries = buffer.splice(0);
  buffer.push = function (...added) {
    const left = added.filter((entry) => !take(entry));
    return Array.prototype.push.apply(buffer, left);
  };
  buffer.push(...entries);
  return () => {};
});
