// Stands in for Kwai's events.js (kwai.md section 1). It knows no event ID, cookie or consent.

once(() => runInstances({
  objectKey: "KwaiAnalyticsObject",
  global: "kwaiq",
  pageName: "page",
  consent: false,
  eventId: () => null,
  cookies() {},
}));
