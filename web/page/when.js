// When Python is to start: once the page has painted and has nothing to do, or at once when an event
// is called that may be followed by a navigation.

const FRAME_MS = 500; // where no frame comes: a page that is covered, say
const IDLE_MS = 100; // where there is always something to do

// In a task of its own, so that the page has its turn before.
export const soon = (action) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    action();
  };
  port2.postMessage(0);
};

const isUrgent = ({ args }) =>
  /^(purchase|begin_checkout)$/.test(args[1]) || window.event?.type === "submit";

export const whenParsed = () =>
  new Promise((resolve) => {
    if (document.readyState !== "loading") resolve();
    else document.addEventListener("DOMContentLoaded", resolve);
  });

// The page has painted, or its next idle moment comes after that. A hidden page doesn't paint.
const whenPainted = () =>
  new Promise((resolve) => {
    const isPainted = performance.getEntriesByName("first-contentful-paint").length > 0;
    if (isPainted || document.hidden) return resolve();
    requestAnimationFrame(resolve);
    document.addEventListener("visibilitychange", resolve);
    setTimeout(resolve, FRAME_MS);
  });

// All that the page has queued goes first. requestIdleCallback would wait for the end of a frame too.
const whenIdle = () =>
  new Promise((resolve) => {
    setTimeout(resolve, IDLE_MS);
    if (window.scheduler?.postTask) scheduler.postTask(resolve, { priority: "background" });
    else window.requestIdleCallback?.(resolve);
  });

const whenUrgent = (loader) =>
  new Promise((resolve) => {
    loader.onCall = (call) => isUrgent(call) && resolve();
    loader.waiting.forEach(loader.onCall);
  });

// Never before the page is parsed: its own scripts may need PyScript.
export const whenToStart = async (loader) => {
  await whenParsed();
  await Promise.race([whenUrgent(loader), whenPainted().then(whenIdle)]);
  loader.onCall = null;
};
