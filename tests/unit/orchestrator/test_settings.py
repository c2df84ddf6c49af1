"""Settings of the orchestrator that must fit each other."""

import base64
from dataclasses import dataclass

import pytest

from sheaf_common.sealing import SealingKeys
from sheaf_common.settings import SettingsInvalid, load
from sheaf_orchestrator.extraction import Limits
from sheaf_orchestrator.recognition_settings import RecognitionSettings
from sheaf_orchestrator.scaling_settings import ScalingSettings
from sheaf_orchestrator.settings import PasswordSettings, ProcessingSettings, TemporalSettings


@dataclass(frozen=True)
class Secrets:
    """The group alone, as a service loads it."""

    passwords: PasswordSettings


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


def test_a_key_that_is_none_is_found_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without showing it; a good one opens what was sealed by it."""
    monkeypatch.setenv("DOCUMENT_PASSWORD_KEYS", "c2VjcmV0")
    with pytest.raises(SettingsInvalid, match=r"DOCUMENT_PASSWORD_KEYS: .*32 bytes") as caught:
        load(Secrets)
    assert "c2VjcmV0" not in str(caught.value)

    monkeypatch.setenv("DOCUMENT_PASSWORD_KEYS", base64.b64encode(bytes(32)).decode())
    keys = load(Secrets).passwords.sealing_keys()
    assert keys is not None
    sealed = SealingKeys([bytes(32)]).seal(b"secret", belongs_to="d")
    assert keys.open(sealed, belongs_to="d") == b"secret"


def test_extraction_gives_way_to_intake_and_recognition_to_both() -> None:
    """Accepting stays fast while a backlog is worked off; each lane by its own step."""
    text = ProcessingSettings().limits()
    recognition = RecognitionSettings()
    pages, base = recognition.limits(text), recognition.base_limits(text)
    assert 0 < text.niceness < base.niceness < pages.niceness


def test_recognition_gives_way_to_text() -> None:
    """Low priority, and far more time than CPU: it waits for what text leaves."""
    settings = RecognitionSettings()
    text = Limits()
    pages, base = settings.limits(text), settings.base_limits(text)

    assert (pages.niceness, base.niceness) == (10, 5)
    assert pages.wall_s >= 5 * pages.cpu_s
    assert base.wall_s == 5 * text.wall_s
    assert base.cpu_s == text.cpu_s


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"CPU_WORKERS_MIN": "3", "CPU_WORKERS_MAX": "2"}, "CPU_WORKERS_MAX"),
        ({"CPU_WORKERS_FIRST_PORT": "64995", "CPU_WORKERS_MAX": "200"}, "CPU_WORKERS_FIRST_PORT"),
    ],
)
def test_workers_have_room_between_their_bounds(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    """The fewest are no more than the most, and each of these has its ports."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ValueError, match=named):
        ScalingSettings()
