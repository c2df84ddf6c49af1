"""Settings of the orchestrator that must fit each other."""

import pytest

from sheaf_orchestrator.settings import TemporalSettings


@pytest.mark.parametrize("kind", ["IO", "CPU"])
def test_every_activity_slot_has_a_thread(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Fewer threads than slots would make activities wait unseen."""
    monkeypatch.setenv(f"TEMPORAL_{kind}_MAX_CONCURRENT_ACTIVITIES", "8")
    monkeypatch.setenv(f"TEMPORAL_{kind}_THREADS", "7")

    with pytest.raises(ValueError, match=f"TEMPORAL_{kind}_THREADS"):
        TemporalSettings()


def test_the_required_numbers_are_the_defaults() -> None:
    """Requirements, "Numbers": the rows of the workers."""
    settings = TemporalSettings()

    assert (settings.max_concurrent_workflow_tasks, settings.workflow_pollers_max) == (50, 20)
    assert (settings.io_max_concurrent_activities, settings.io_threads) == (50, 100)
    assert (settings.cpu_max_concurrent_activities, settings.cpu_threads) == (20, 20)
    assert settings.activity_pollers_max == 20


def test_the_profile_of_before_is_one_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requirements, "Numbers", column "before": in force whatever else is set."""
    monkeypatch.setenv("TEMPORAL_WORKER_PROFILE", "baseline")
    monkeypatch.setenv("TEMPORAL_MAX_CONCURRENT_WORKFLOW_TASKS", "50")
    settings = TemporalSettings()

    assert (settings.max_concurrent_workflow_tasks, settings.workflow_pollers_max) == (5, 5)
    assert (settings.io_max_concurrent_activities, settings.io_threads) == (5, 30)
    assert (settings.cpu_max_concurrent_activities, settings.cpu_threads) == (4, 10)
    assert settings.activity_pollers_max == 5
