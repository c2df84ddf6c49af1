"""The contract of telemetry."""
