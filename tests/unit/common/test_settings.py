"""Settings: typed, from the environment, every problem at once, secrets masked."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest
from pydantic import SecretStr, ValidationError

from sheaf_common.settings import (
    Rollback,
    SettingsGroup,
    SettingsInvalid,
    describe,
    load,
    variable,
)


class PoolSettings(SettingsGroup):
    """A group for the tests."""

    size: int = variable("TEST_POOL_SIZE", 20, "clients", ge=1, le=100)
    timeout_s: float = variable("TEST_POOL_TIMEOUT_S", 2.5, "seconds", gt=0)


class AccessSettings(SettingsGroup):
    """Another."""

    token: SecretStr = variable("TEST_TOKEN", ..., "a secret")
    url: SecretStr | None = variable("TEST_URL", None, "an address with a password")


@dataclass(frozen=True, slots=True)
class BothSettings:
    """A service's settings."""

    pool: PoolSettings
    access: AccessSettings


def test_defaults_stand_where_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set has its default."""
    monkeypatch.setenv("TEST_TOKEN", "t")

    assert load(BothSettings).pool == PoolSettings.model_construct(size=20, timeout_s=2.5)


def test_values_come_typed_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set wins, in the field's type."""
    monkeypatch.setenv("TEST_TOKEN", "t")
    monkeypatch.setenv("TEST_POOL_SIZE", "7")

    assert load(BothSettings).pool.size == 7


def test_every_bad_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three mistakes in two groups are three problems in one error."""
    monkeypatch.setenv("TEST_POOL_SIZE", "0")
    monkeypatch.setenv("TEST_POOL_TIMEOUT_S", "soon")
    monkeypatch.delenv("TEST_TOKEN", raising=False)

    with pytest.raises(SettingsInvalid) as invalid:
        load(BothSettings)

    assert set(invalid.value.problems) == {"TEST_POOL_SIZE", "TEST_POOL_TIMEOUT_S", "TEST_TOKEN"}
    assert "TEST_TOKEN: is required" in str(invalid.value)
    assert "'soon'" in str(invalid.value)


def test_secrets_are_masked_and_urls_keep_their_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed shows neither a token nor the password of a URL."""
    monkeypatch.setenv("TEST_TOKEN", "tok-abc")
    monkeypatch.setenv("TEST_URL", "mysql://user:hunter2@db.example:3306/sheaf")

    shown = {item.name: item.value for item in describe(load(BothSettings))}

    assert shown["TEST_TOKEN"] == "********"
    assert shown["TEST_URL"] == "mysql://user:********@db.example:3306/sheaf"


def test_a_bad_secret_is_not_shown_in_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for a secret names it and keeps its value."""

    class Strict(SettingsGroup):
        token: str = variable("TEST_TOKEN", ..., "a secret", min_length=20)

    @dataclass(frozen=True, slots=True)
    class Settings:
        strict: Strict

    monkeypatch.setenv("TEST_TOKEN", "hunter2")
    Settings.__annotations__["strict"] = Strict

    with pytest.raises(SettingsInvalid) as invalid:
        load(Settings)

    assert "hunter2" not in str(invalid.value)


def test_settings_do_not_change_once_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group is immutable."""
    monkeypatch.setenv("TEST_TOKEN", "t")
    settings = load(BothSettings)

    with pytest.raises(ValidationError):
        settings.pool.size = 3


class SwitchedSettings(SettingsGroup):
    """A group with a roll-back switch."""

    rollback: ClassVar = Rollback("mode", "before", {"size": 5, "checks": False})

    mode: Literal["now", "before"] = variable("TEST_MODE", "now", "the switch")
    size: int = variable("TEST_SIZE", 50, "connections", ge=1)
    checks: bool = variable("TEST_CHECKS", True, "check before use")
    timeout_s: float = variable("TEST_OTHER_S", 30.0, "seconds")


@dataclass(frozen=True, slots=True)
class OneSwitch:
    """A service's settings."""

    switched: SwitchedSettings


def test_a_thrown_switch_wins_over_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """It works alone: nothing else has to be unset, and what it does not cover stays."""
    monkeypatch.setenv("TEST_SIZE", "70")
    monkeypatch.setenv("TEST_OTHER_S", "7")
    assert (SwitchedSettings().size, SwitchedSettings().checks) == (70, True)

    monkeypatch.setenv("TEST_MODE", "before")
    settings = SwitchedSettings()

    assert (settings.size, settings.checks, settings.timeout_s) == (5, False, 7)


def test_what_is_in_force_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator sees the value that counts, and that the switch made it."""
    monkeypatch.setenv("TEST_MODE", "before")
    monkeypatch.setenv("TEST_OTHER_S", "7")
    shown = {item.name: (item.value, item.origin) for item in describe(load(OneSwitch))}

    assert shown == {
        "TEST_MODE": ("before", "environment"),
        "TEST_SIZE": (5, "roll-back"),
        "TEST_CHECKS": (False, "roll-back"),
        "TEST_OTHER_S": (7.0, "environment"),
    }


def test_what_a_switch_covers_is_still_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that could not be used does not hide behind the switch until it is put back."""
    monkeypatch.setenv("TEST_MODE", "before")
    monkeypatch.setenv("TEST_SIZE", "none")

    with pytest.raises(SettingsInvalid, match="TEST_SIZE"):
        load(OneSwitch)
