"""How the Temporal workers are tuned."""

import pytest
from temporalio.worker import (
    FixedSizeSlotSupplier,
    PollerBehaviorAutoscaling,
    PollerBehaviorSimpleMaximum,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
)

from sheaf_orchestrator.adapters.workers import _pollers, cpu_slots
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


def test_a_busy_host_takes_no_more_than_it_works_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many slots in any case as keep the subprocesses busy, and one more; 20 at the most."""
    monkeypatch.setenv("TEMPORAL_CPU_SLOTS", "resource")
    slots = cpu_slots(TemporalSettings(), subprocesses=2)

    assert isinstance(slots, ResourceBasedSlotSupplier)
    assert (slots.slot_config.minimum_slots, slots.slot_config.maximum_slots) == (3, 20)
    assert slots.tuner_config == ResourceBasedTunerConfig(0.8, 0.9)
    many = cpu_slots(TemporalSettings(), subprocesses=64)
    assert isinstance(many, ResourceBasedSlotSupplier)
    assert (many.slot_config.minimum_slots, many.slot_config.maximum_slots) == (20, 20)


@pytest.mark.parametrize(
    ("variable", "value", "slots"),
    [("TEMPORAL_WORKER_PROFILE", "tuned", 20), ("TEMPORAL_WORKER_PROFILE", "baseline", 4)],
)
def test_slots_are_fixed_unless_they_go_by_resources(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, slots: int
) -> None:
    """At the required number, or that of before."""
    monkeypatch.setenv(variable, value)

    assert cpu_slots(TemporalSettings(), subprocesses=2) == FixedSizeSlotSupplier(slots)
