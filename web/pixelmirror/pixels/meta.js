// The official stub of `fbq` and what the page's own code has done with it (specs/meta.md 1).
export default {
  install(load) {
    if (window.fbq) return;
    const fbq = (window.fbq = function (...call) {
      if (fbq.callMethod) fbq.callMethod(...call);
      else fbq.queue.push(call);
    });
    window._fbq ??= fbq;
    fbq.push = fbq;
    fbq.loaded = true;
    fbq.version = "2.0";
    fbq.queue = [];
    // A new path is our page_view and never the SDK's own; one that is caught up, or comes back
    // from the back/forward cache, is a second one under this URL.
    fbq.disablePushState = true;
    fbq.allowDuplicatePageViews = true;
    load("");
  },
  heard() {
    const queue = Array.from(window.fbq?.queue ?? [], (call) => Array.from(call));
    const drained = window.fbq?.getState?.().pixels ?? [];
    const ids = drained.map((pixel) => pixel.id);
    for (const [verb, id] of queue) if (verb === "init") ids.push(id);
    const queued = queue.some(([verb, name]) => verb === "track" && name === "PageView");
    return { ids: ids.map(String), page_view: queued || drained.length > 0 };
  },
};
