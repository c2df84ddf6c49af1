"""Dispatch, Temporal workers and extraction of Sheaf."""
