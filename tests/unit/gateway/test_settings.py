"""The gateway's variables that need a rule of their own."""

import base64

import pytest

from sheaf_common.settings import SettingsInvalid, describe, load
from sheaf_gateway.settings import GatewaySettings

KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it needs in any case."""
    monkeypatch.setenv("GRPC_TOKEN", "t")
    monkeypatch.setenv("REDIS_URL", "redis://cache:6379/0")
    monkeypatch.delenv("DOCUMENT_PASSWORD_KEYS", raising=False)


@pytest.mark.parametrize("keys", [KEY, f"{KEY}, {KEY}"])
def test_keys_of_passwords_are_secret(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    """`config` masks them; they seal."""
    monkeypatch.setenv("DOCUMENT_PASSWORD_KEYS", keys)
    settings = load(GatewaySettings)
    shown = {each.name: each.value for each in describe(settings)}

    assert set(shown["DOCUMENT_PASSWORD_KEYS"]) == {"*"}
    assert KEY not in repr(settings)
    assert settings.passwords.sealing_keys() is not None


@pytest.mark.parametrize("keys", ["short", "c2hvcnQ=", f"{KEY},", "schl\u00fcssel"])
def test_keys_that_seal_nothing_stop_the_start(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    """By name, without their value."""
    monkeypatch.setenv("DOCUMENT_PASSWORD_KEYS", keys)
    with pytest.raises(SettingsInvalid) as caught:
        load(GatewaySettings)

    assert set(caught.value.problems) == {"DOCUMENT_PASSWORD_KEYS"}
    assert keys.strip(",") not in str(caught.value)


@pytest.mark.parametrize("empty", [None, ""])
def test_without_keys_it_starts(monkeypatch: pytest.MonkeyPatch, empty: str | None) -> None:
    """Passwords are refused then."""
    if empty is not None:
        monkeypatch.setenv("DOCUMENT_PASSWORD_KEYS", empty)
    assert load(GatewaySettings).passwords.sealing_keys() is None
