// The stub that `ttq` and `kwaiq` share: an array with deferring methods.
export const deferring = (global, named, setAndDefer, methods) => ({
  install(loadSdk, urls) {
    window[named] = global;
    const queue = (window[global] ??= []);
    if (queue.load) return;
    const defer = (target, name) => (target[name] = (...words) => void target.push([name, ...words]));
    queue.methods = methods.split(" ");
    if (setAndDefer) queue[setAndDefer] = defer;
    queue.methods.forEach((name) => defer(queue, name));
    queue.instance = (id) => {
      const one = queue._i?.[id] ?? [];
      queue.methods.forEach((name) => defer(one, name));
      return one;
    };
    queue.load = (id, options) => {
      queue._i = { ...queue._i, [id]: Object.assign([], { _u: urls[0] }) };
      queue._t = { ...queue._t, [id]: Date.now() };
      queue._o = { ...queue._o, [id]: options ?? {} };
      loadSdk(`?sdkid=${id}&lib=${global}`);
    };
  },
  heard() {
    const ids = Object.keys(window[global]?._i ?? {});
    const entries = Array.from(window[global] ?? [], (entry) => entry[0]);
    return { ids, page_view: ids.length > 0 && (!entries.length || entries.includes("page")) };
  },
});
