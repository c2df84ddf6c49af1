"""What the gateway needs from outside. A module an area; callers import from it."""
