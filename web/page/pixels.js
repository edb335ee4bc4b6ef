// The official stub of each pixel, by kind: `install(loadSdk, urls)` puts it in place, `heard()` tells
// what the page's own code has done with it.
import alhena from "../pixelmirror/pixels/alhena.js";
import commanders_act from "../pixelmirror/pixels/commanders_act.js";
import kwai from "../pixelmirror/pixels/kwai.js";
import meta from "../pixelmirror/pixels/meta.js";
import tiktok from "../pixelmirror/pixels/tiktok.js";

export const PIXELS = { meta, tiktok, kwai, commanders_act, alhena };
