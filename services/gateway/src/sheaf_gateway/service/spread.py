"""When to come back, so that those who were refused together do not come back together."""

import random


def spread_s(least_s: float) -> float:
    """From `least_s` to twice as long."""
    return least_s * (1 + random.random())  # noqa: S311 - jitter, not a secret
