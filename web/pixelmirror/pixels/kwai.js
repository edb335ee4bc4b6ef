// The official stub of `kwaiq` (specs/kwai.md 1): TikTok's protocol without a public setAndDefer.
deferring("kwaiq", "KwaiAnalyticsObject", null,
  "page track identify instances debug on off once ready alias group enableCookie disableCookie");
