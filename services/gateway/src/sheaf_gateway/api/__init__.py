"""The HTTP API: translates, delegates, nothing else."""
