// What the loader brings at once: the edge for Python, the watchers, and the start of Python.
import { edge } from "./edge.js";
import { begin } from "./start.js";
import { watch } from "./watchers.js";

// `loader` is what web/loader.js keeps in `pixelmirror._`.
export const open = (loader) => {
  const { attempt, offers } = loader;
  Object.assign(loader, edge(loader));
  for (const start of offers.splice(0)) attempt(start);
  loader.offers = { push: (start) => attempt(start) };
  watch(loader);
  begin(loader);
};
