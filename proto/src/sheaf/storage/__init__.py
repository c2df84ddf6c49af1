"""The contract of storage."""
