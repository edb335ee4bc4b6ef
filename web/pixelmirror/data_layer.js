// Looks at `window.dataLayer` and, where consent is required, listens to the consent tools on the
// page. May be called again: only what is new is taken up. Source: Google's gtag.js and consent mode
// references, read 2026-11; specs/commanders-act.md 1.
let layer;
let hasAskedCact = false;

export const watchDataLayer = ({ settings, attempt }, call) => {
  const asks = settings.consent === "required";

  const onPush = (entry) =>
    attempt(() => {
      // gtag's form is its `arguments`, Tag Manager's an object.
      const [verb, name, params] = entry.event
        ? ["event", entry.event, entry.ecommerce ?? entry]
        : Array.from(entry);
      if (verb === "event" && settings.data_layer.includes(name)) call("data_layer", name, params);
      // A default that denies is where we are anyway; one for a region may not be this shopper's.
      const { ad_storage: said, region } = (verb === "consent" && asks && params) || {};
      if (/^(granted|denied)$/.test(said) && !region && (name === "update" || said === "granted"))
        call("consent_heard", said, "google");
    });

  const onCact = (told) =>
    attempt(() => {
      const { status, categories } = told.consent;
      if (!/^(all-on|all-off|mixed)$/.test(status)) return;
      const on = Object.keys(categories ?? {}).filter((id) => categories[id].status === "on");
      const isAll = status === "all-on" && !on.length;
      const consent = status === "all-off" ? "denied" : isAll ? "granted" : on;
      call("consent_heard", consent, "commanders_act");
    });

  if (asks && window.cact && !hasAskedCact) {
    hasAskedCact = true;
    for (const name of ["consent.get", "consent.onReady", "consent.onUpdate"])
      attempt(() => window.cact(name, onCact));
  }
  if (!(asks || settings.data_layer.length) || (layer && window.dataLayer === layer)) return;
  layer = window.dataLayer ??= [];
  const original = layer.push;
  layer.push = function (...entries) {
    const result = original.apply(this, entries); // its owners first
    entries.forEach(onPush);
    return result;
  };
  [...layer].forEach(onPush);
};
