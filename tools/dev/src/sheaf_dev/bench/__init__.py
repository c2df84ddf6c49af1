"""Measurements: what the pools are worth, and how the system behaves under a load."""
