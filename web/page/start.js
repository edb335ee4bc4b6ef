// The start of Python: PyScript with the tracker in it.
import { whenParsed } from "./watchers.js";

export const begin = ({ settings, wanted, bringsOwn, isUp, say }) => {
  const core = new URL(settings.pyscript.core, location.href);

  // Its tag must stand before PyScript's core is imported.
  const start = async () => {
    if (bringsOwn()) return; // its own PyScript imports the tracker
    const type = wanted === "pyodide" ? "py" : "mpy";
    if (document.querySelector(`script[type="${type}"][config], ${type}-config`))
      return say(`this page configures "${type}" itself: give it config="${settings.pyscript.url}"`);
    // Where a CSP forbids WebAssembly we stop here: PyScript would throw into the page.
    new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    for (const kind of ["mpy", "py"]) {
      if (document.querySelector(`script[type="${kind}"][config], ${kind}-config`)) continue;
      const config = document.createElement(`${kind}-config`);
      config.textContent = JSON.stringify(settings.pyscript[kind]);
      document.head.append(config);
    }
    const script = document.createElement("script");
    const id = "pixelmirror-runtime";
    Object.assign(script, { type, id, textContent: "import pixelmirror" });
    script.setAttribute("target", `#${id}`); // else PyScript adds an element to the body
    document.head.prepend(script);
    const { hooks } = await import(core);
    // Its one worker hook is built from text, which a strict CSP forbids; we have no workers.
    hooks.worker.onBeforeRunAsync.clear();
  };

  const notStarted = (error) => say("Python could not be started:", error);
  // Where an asset does not arrive, PyScript drops a rejected promise: ours to tell, not the page's.
  const assets = core.href.replace(/\/assets\/.*/, "/assets/");
  const onRejection = (event) => {
    const { message, stack } = event.reason ?? {};
    if (isUp() || !`${message} ${stack}`.includes(assets)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    notStarted(event.reason);
  };
  addEventListener("unhandledrejection", onRejection, true); // before the page's own listeners
  whenParsed(() => start().catch(notStarted));
};
