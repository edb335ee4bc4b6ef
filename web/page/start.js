// The start of Python: MicroPython as it is, or through PyScript's core where the page needs that.
import { soon, whenToStart } from "./when.js";

// What makes PyScript's core start an interpreter of its own: two on one page would clash.
const OWN =
  "script[type^=mpy], script[type^=py], mpy-script, py-script, mpy-config, py-config";

// PyScript's plugins: none of them may show anything in a shop's page.
const NO_PLUGINS = [
  "!codemirror",
  "!deprecations-manager",
  "!donkey",
  "!error",
  "!py-editor",
  "!py-game",
  "!py-terminal",
];

const ARRIVAL_MS = 5000;
const EMPTY_WASM = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

const wasmOf = (assets) => assets.micropython.replace(/mjs$/, "wasm");

const bytes = async (url) => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status} for ${url}`);
  return new Uint8Array(await answer.arrayBuffer());
};

// Where a CSP forbids WebAssembly, or it is not there, MicroPython and PyScript would throw into the
// page.
const allowed = async () => WebAssembly.compile(EMPTY_WASM);

// The file is here, which the loader has asked for; or is so by now in a browser that doesn't tell.
const arrived = async ({ arrivals }, url) => {
  const inTime = new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS, true));
  if (!(await Promise.race([arrivals[url] ?? bytes(url), inTime])))
    throw new Error(`${url} did not arrive`);
};

export const begin = async (loader) => {
  try {
    const start = loader.isDirect ? micropython(loader) : () => throughCore(loader);
    await whenToStart(loader);
    if (loader.bringsOwn()) return; // its own PyScript imports the tracker
    await (document.querySelector(OWN) ? throughCore(loader) : start());
  } catch (error) {
    loader.say("Python could not be started:", error);
  }
};

// MicroPython with the tracker in it, but for the start itself: nothing here keeps the page from its
// work.
const micropython = (loader) => {
  const { assets } = loader.settings;
  const wasm = wasmOf(assets);
  const parts = [import(assets.micropython), bytes(assets.image), arrived(loader, wasm), allowed()];
  const whole = Promise.all(parts);
  whole.catch(() => {}); // told at the start
  return async () => {
    const [{ loadMicroPython }, romfs] = await whole;
    const python = await loadMicroPython({
      url: new URL(wasm, location.href).href,
      romfs,
      stdout: console.log,
      stderr: console.error,
    });
    await new Promise(soon);
    loader.isAlone = true;
    python.runPython("import pixelmirror");
  };
};

// PyScript with the tracker in it: its tag must stand before PyScript's core is imported.
const throughCore = async (loader) => {
  const { wanted, say } = loader;
  const { assets, relay } = loader.settings;
  const type = wanted === "pyodide" ? "py" : "mpy";
  if (document.querySelector(`script[type="${type}"][config], ${type}-config`))
    return say(`this page configures "${type}" itself: give it config="${relay}/pyscript.json"`);
  const needed = [assets.pyscript, assets.tracker, assets[wanted]];
  if (type === "mpy") needed.push(wasmOf(assets));
  // Where one of them is not there, PyScript would throw into the page.
  await Promise.all([...needed.map((url) => arrived(loader, url)), allowed()]);
  for (const [kind, runtime] of [["mpy", "micropython"], ["py", "pyodide"]]) {
    if (document.querySelector(`script[type="${kind}"][config], ${kind}-config`)) continue;
    const config = document.createElement(`${kind}-config`);
    config.textContent = JSON.stringify({
      interpreter: assets[runtime],
      files: { [assets.tracker]: "./*" },
      plugins: NO_PLUGINS,
    });
    document.head.append(config);
  }
  const script = document.createElement("script");
  const id = "pixelmirror-runtime";
  Object.assign(script, { type, id, textContent: "import pixelmirror" });
  script.setAttribute("target", `#${id}`); // else PyScript adds an element to the body
  document.head.prepend(script);
  const { hooks } = await import(assets.pyscript);
  // Its one worker hook is built from text, which a strict CSP forbids; we have no workers.
  hooks.worker.onBeforeRunAsync.clear();
};
