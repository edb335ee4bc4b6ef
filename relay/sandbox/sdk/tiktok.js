// Stands in for TikTok's events.js (tiktok.md section 1).

once(() => runInstances({
  objectKey: "TiktokAnalyticsObject",
  global: "ttq",
  pageName: "Pageview",
  consent: true,
  // Read from the third argument of track() alone.
  eventId: (entry) => (entry[3] && entry[3].event_id) || null,
  cookies() {
    const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    writeIfAbsent("_ttp", drawn(27, alphabet), 390);
  },
}));
