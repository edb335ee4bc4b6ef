// The stub of `cact` and its buffer (specs/commanders-act.md 1).
export default {
  install(load) {
    window.caReady ??= [];
    if (window.cact) return;
    window.cact = (...call) => void window.caReady.push(call);
    load("");
  },
};
