"""The embedded stack, demo and checks of a Sheaf checkout. Never imported by a service."""
