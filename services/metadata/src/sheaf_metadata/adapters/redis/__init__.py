"""Cache, hints and fairness in Redis: never the truth, and never in the way."""
