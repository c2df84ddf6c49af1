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


def test_a_busy_host_takes_no_more_than_it_works_on() -> None:
    """So many slots in any case as keep the subprocesses busy, and one more; 20 at the most."""
    slots = cpu_slots(TemporalSettings(), subprocesses=2)

    assert isinstance(slots, ResourceBasedSlotSupplier)
    assert (slots.slot_config.minimum_slots, slots.slot_config.maximum_slots) == (3, 20)
    assert slots.tuner_config == ResourceBasedTunerConfig(0.8, 0.9)
    many = cpu_slots(TemporalSettings(), subprocesses=64)
    assert isinstance(many, ResourceBasedSlotSupplier)
    assert (many.slot_config.minimum_slots, many.slot_config.maximum_slots) == (20, 20)


@pytest.mark.parametrize(
    ("variable", "value", "slots"),
    [("TEMPORAL_CPU_SLOTS", "fixed", 20), ("TEMPORAL_WORKER_PROFILE", "baseline", 4)],
)
def test_fixed_slots_are_one_switch(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, slots: int
) -> None:
    """Of its own, and part of the profile of before."""
    monkeypatch.setenv(variable, value)

    assert cpu_slots(TemporalSettings(), subprocesses=2) == FixedSizeSlotSupplier(slots)
