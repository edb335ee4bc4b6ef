// What the loader brings: the edge for Python, the watchers, and the start of Python.
import { edge } from "./edge.js";
import { begin } from "./start.js";
import { watch } from "./watchers.js";

// `loader` is what web/loader.js keeps in `pixelmirror._`.
export const open = (loader) => {
  const { attempt, offers } = loader;
  const { site } = loader.settings;
  loader.wanted = loader.tag.runtime === "pyodide" ? "pyodide" : "micropython";
  loader.bringsOwn = () => Boolean(document.querySelector(`[config$="${site}/pyscript.json"]`));
  Object.assign(loader, edge(loader));
  for (const start of offers.splice(0)) attempt(start);
  loader.offers = { push: (start) => attempt(start) };
  watch(loader);
  begin(loader);
};
