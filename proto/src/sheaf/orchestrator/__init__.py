"""The contract of orchestrator."""
