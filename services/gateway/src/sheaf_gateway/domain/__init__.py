"""What the gateway speaks of: users, files, documents, batches, workflows. No I/O.

A module a subject; callers import from it.
"""
