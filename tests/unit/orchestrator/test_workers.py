"""How the Temporal workers are tuned."""

import pytest
from temporalio.worker import PollerBehaviorAutoscaling, PollerBehaviorSimpleMaximum

from sheaf_orchestrator.adapters.workers import _pollers
from sheaf_orchestrator.settings import TemporalSettings


def test_pollers_follow_the_load_up_to_their_bound() -> None:
    """Twenty by default."""
    settings = TemporalSettings()

    assert _pollers(settings, settings.activity_pollers_max) == PollerBehaviorAutoscaling(
        maximum=20
    )


def test_rolled_back_pollers_are_five(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own number, whatever the load."""
    monkeypatch.setenv("TEMPORAL_WORKER_PROFILE", "baseline")
    settings = TemporalSettings()

    assert _pollers(settings, settings.workflow_pollers_max) == PollerBehaviorSimpleMaximum(5)
