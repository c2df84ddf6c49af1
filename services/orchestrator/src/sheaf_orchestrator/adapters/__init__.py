"""What stands behind the ports: metadata, storage, Temporal, the sandbox, metrics."""
