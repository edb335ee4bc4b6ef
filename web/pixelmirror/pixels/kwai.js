// The official stub of `kwaiq` (specs/kwai.md 1): TikTok's protocol without a public setAndDefer.
import { deferring } from "../../page/deferring.js";

export default deferring("kwaiq", "KwaiAnalyticsObject", null,
  "page track identify instances debug on off once ready alias group enableCookie disableCookie");
