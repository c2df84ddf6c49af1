"""Temporal workflows: they decide, activities act. Light to import, as they are sandboxed."""
