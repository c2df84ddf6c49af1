"""The contract of metadata."""
