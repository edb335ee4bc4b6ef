"""Pixels: what each system's global in the page is called with. Pure: events in, guard steps out.

A pixel module has `SDK_URLS`, `setup(pixel, heard)` and `calls(event, name, pixel, heard)`; the
`.js` file of the same name holds its official stub. `pixel` is the destination's part of the
public settings, `heard` what the page's own code has done with the global before:
`{"ids": [initialised pixel IDs], "page_view": true when it has sent one}`.

Guard steps lead from `window` to a call: `[["ttq"], ["instance", ["C1"]], ["track", [...]]]`.
"""

from collections import OrderedDict

from . import alhena, commanders_act, kwai, meta, tiktok

# MicroPython's dicts have no order: the order of firing is this list's.
PIXELS = OrderedDict(
    [
        ("meta", meta),
        ("tiktok", tiktok),
        ("kwai", kwai),
        ("commanders_act", commanders_act),
        ("alhena", alhena),
    ]
)
