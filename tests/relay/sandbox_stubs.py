"""The official stubs, as a page holds them before the SDK arrives (section 1 of each spec)."""

FBQ = """
!function (w) {
  if (w.fbq) return;
  const n = w.fbq = function () {
    n.callMethod ? n.callMethod.apply(n, arguments) : n.queue.push(arguments);
  };
  if (!w._fbq) w._fbq = n;
  n.push = n; n.loaded = true; n.version = "2.0"; n.queue = [];
}(window);
"""
INSTANCES = """
!function (w, key, name, methods) {
  w[key] = name;
  const q = w[name] = w[name] || [];
  q.methods = methods.split(" ");
  q.setAndDefer = (obj, method) => {
    obj[method] = function () { obj.push([method].concat([].slice.call(arguments))); };
  };
  q.methods.forEach((method) => q.setAndDefer(q, method));
  q.instance = (id) => {
    const instance = q._i[id] || [];
    q.methods.forEach((method) => q.setAndDefer(instance, method));
    return instance;
  };
  q.load = (id, options) => {
    q._i = q._i || {}; q._i[id] = []; q._i[id]._u = "https://sdk.test/events.js";
    q._t = q._t || {}; q._t[id] = +new Date();
    q._o = q._o || {}; q._o[id] = options || {};
  };
}(window, "KEY", "NAME", "page track identify instances debug on off once ready alias group "
  + "enableCookie disableCookie" + "CONSENT");
"""
TTQ = (
    INSTANCES.replace("KEY", "TiktokAnalyticsObject")
    .replace("NAME", "ttq")
    .replace("CONSENT", " holdConsent revokeConsent grantConsent")
)
KWAIQ = (
    INSTANCES.replace("KEY", "KwaiAnalyticsObject").replace("NAME", "kwaiq").replace("CONSENT", "")
)
CACT = """
window.caReady = window.caReady || [];
window.cact = window.cact || function () { window.caReady.push(arguments); };
"""
ALHENA = """
!function (w) {
  w._alhenaEventQueue = w._alhenaEventQueue || [];
  w.trackAlhenaEvent = w.trackAlhenaEvent || function (method, data) {
    w._alhenaEventQueue.push({ method: method, args: data });
  };
}(window);
"""
