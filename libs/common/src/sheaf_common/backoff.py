"""How long to wait before trying again."""

import random


def backoff_s(tries: int, *, base_s: float, limit_s: float) -> float:
    """How long to wait after `tries` failures: exponential with full jitter.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    ceiling = min(limit_s, base_s * 2.0**tries)
    return random.uniform(0.0, ceiling)  # noqa: S311 - jitter, not a secret
