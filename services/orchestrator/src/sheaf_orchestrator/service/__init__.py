"""Use cases: dispatch, leases, processing, sweeping. They see ports only."""
