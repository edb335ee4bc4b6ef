"""The demo on one port: shop, relay and sandbox side by side (`pixelmirror demo`)."""
