"""How hypothesis looks for what breaks a rule: the same examples each time, unless told otherwise.

`HYPOTHESIS_PROFILE=soak pytest tests/properties` looks for longer, at something else each time.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "suite",
    max_examples=200,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "soak", settings.get_profile("suite"), max_examples=5000, derandomize=False
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
