"""The service's gRPC API."""
