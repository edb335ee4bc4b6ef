// What the page tells by itself: its dataLayer and consent tools, elements that are there or in sight.
import { watchDataLayer } from "../pixelmirror/data_layer.js";
import { whenParsed } from "./when.js";

export const watch = (loader) => {
  const { attempt, fire, moment } = loader;

  const watched = () => attempt(() => watchDataLayer(loader, window.pixelmirror));
  watched();
  addEventListener("load", watched); // what came later, or was made anew

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
  const onAdded = (changes) =>
    changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => attempt(() => scan(node))));

  whenParsed().then(() => {
    scan(document);
    new MutationObserver(onAdded).observe(document, { childList: true, subtree: true });
  });
};
