// The stub of `trackAlhenaEvent` and its queue (specs/alhena.md 1, A1).
export default {
  install(load) {
    window._alhenaEventQueue ??= [];
    window.trackAlhenaEvent ??= (method, args) => void window._alhenaEventQueue.push({ method, args });
    load("");
  },
};
