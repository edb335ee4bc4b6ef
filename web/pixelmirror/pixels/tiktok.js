// The official stub of `ttq` (specs/tiktok.md 1).
import { deferring } from "../../page/deferring.js";

export default deferring("ttq", "TiktokAnalyticsObject", "setAndDefer",
  "page track identify instances debug on off once ready alias group enableCookie disableCookie " +
  "holdConsent revokeConsent grantConsent");
