"""The record of every document: batches, claims, leases, outcomes, events and API keys."""
