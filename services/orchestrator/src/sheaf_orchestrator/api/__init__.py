"""How the orchestrator is asked: gRPC, and the activities that Temporal calls."""
