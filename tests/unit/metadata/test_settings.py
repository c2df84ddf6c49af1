"""Settings of metadata that must fit each other."""

import pytest

from sheaf_metadata.settings import RecordSettings


def test_a_hung_redis_cannot_outlast_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cached rows are outdated before the commit, so that much of its time may be spent there."""
    monkeypatch.setenv("METADATA_TRANSACTION_TIMEOUT_S", "0.5")
    monkeypatch.setenv("METADATA_REDIS_BUDGET_MS", "499")
    assert RecordSettings().redis_budget_ms == 499

    monkeypatch.setenv("METADATA_REDIS_BUDGET_MS", "500")
    with pytest.raises(ValueError, match="METADATA_REDIS_BUDGET_MS must be less"):
        RecordSettings()
