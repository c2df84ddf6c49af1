"""The other services, each behind a port."""
