"""The composition root, a module a role; `process` puts them together."""
