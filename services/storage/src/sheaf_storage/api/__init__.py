"""The contract `sheaf.storage.v1` over gRPC."""
