"""The public HTTP API of Sheaf."""
