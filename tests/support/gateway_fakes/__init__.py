"""The gateway's ports in memory, a module a port or a few small ones."""
