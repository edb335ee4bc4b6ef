// Stands in for Alhena's widget SDK (alhena.md section 1).

once(function () {
  const TYPES = ["ITEM_ADDED", "QUANTITY_INCREASED", "QUANTITY_DECREASED", "ITEM_REMOVED"];
  const text = (value) => typeof value === "string" && value !== "";
  const number = (value) => typeof value === "number" && Number.isFinite(value);
  const currency = (value) => text(value) && /^[A-Z]{3}$/.test(value);
  const product = {
    productId: text, productName: text, value: number, currency, quantity: number,
  };
  const lines = (value) => Array.isArray(value) && value.every((line) => !fault(line, product));
  const methods = {
    sendCartEvent: [{ type: (value) => TYPES.includes(value), ...product }, {}],
    sendCheckoutEvent: [{ value: number, currency }, { orderId: text, lineItems: lines }],
  };

  // What is wrong with the data, null when it is right.
  function fault(data, required, optional = {}) {
    if (typeof data !== "object" || data === null) return "the data is no object";
    for (const [key, isRight] of Object.entries(required)) {
      if (!isRight(data[key])) return key + " is missing or of the wrong type";
    }
    for (const [key, isRight] of Object.entries(optional)) {
      if (data[key] !== undefined && !isRight(data[key])) return key + " is of the wrong type";
    }
    return null;
  }

  const take = guarded(function (method, data) {
    const known = Object.hasOwn(methods, method);
    const error = known ? fault(data, ...methods[method]) : "unknown method " + method;
    const company = (document.gleenConfig && document.gleenConfig.company) || null;
    report([method, data], { name: String(method), pixel: company, error });
  });

  // The same in this browser for good, in this page where nothing can be stored.
  const drawnHere = {};
  function fingerprint(key) {
    try {
      if (!localStorage.getItem(key)) localStorage.setItem(key, uuid());
      return localStorage.getItem(key);
    } catch {
      return (drawnHere[key] = drawnHere[key] || uuid());
    }
  }

  function uuid() {
    const hex = drawn(32, "0123456789abcdef");
    return [hex.slice(0, 8), hex.slice(8, 12), "4" + hex.slice(13, 16), "a" + hex.slice(17, 20),
      hex.slice(20)].join("-");
  }

  const queue = (window._alhenaEventQueue = window._alhenaEventQueue || []);
  window.gleenWidget = {
    sendCartEvent: (data) => take("sendCartEvent", data),
    sendCheckoutEvent: (data) => take("sendCheckoutEvent", data),
    getFingerprint: guarded(() => fingerprint("alhena_fingerprint")),
    getFAQFingerprint: guarded(() => fingerprint("alhena_faq_fingerprint")),
  };
  window.trackAlhenaEvent = take;
  const queued = queue.splice(0);
  queue.push = function (...entries) {
    entries.forEach(guarded((entry) => take(entry.method, entry.args)));
    return 0;
  };
  queue.push(...queued);
  return () => {};
});
