"""The whole way of an event, in a real browser: shop page, tracker, relay, outside systems.

A package, so that its browser is closed before the tests of other folders begin.
"""
