"""What sealed secrets promise."""

import base64
from hashlib import sha256

import pytest

from sheaf_common.errors import FailedPrecondition
from sheaf_common.sealing import SealingKeys

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


def test_what_was_sealed_is_opened() -> None:
    """The secret comes back, for what it belongs to."""
    keys = SealingKeys([NEW])
    assert keys.open(keys.seal(b"geheim", belongs_to="a"), belongs_to="a") == b"geheim"


def test_a_sealed_secret_does_not_show_it() -> None:
    """Neither the secret nor the same bytes twice."""
    keys = SealingKeys([NEW])
    first, second = (keys.seal(b"geheim", belongs_to="a") for _ in range(2))
    assert b"geheim" not in first
    assert first != second


def test_keys_are_rotated() -> None:
    """An old key behind the new one still opens; without it nothing does."""
    sealed = SealingKeys([OLD]).seal(b"geheim", belongs_to="a")
    assert SealingKeys([NEW, OLD]).open(sealed, belongs_to="a") == b"geheim"
    with pytest.raises(FailedPrecondition) as refused:
        SealingKeys([NEW]).open(sealed, belongs_to="a")
    assert refused.value.reason == "SEAL_UNKNOWN"


def test_a_keyed_hash_tells_the_same_secret_to_who_has_the_oldest_key() -> None:
    """Whichever are added before it; it is neither the secret's plain hash nor another key's."""

    def hashed(*keys: bytes) -> bytes:
        keyed = SealingKeys(keys).keyed_hash()
        keyed.update(b"ge")
        keyed.update(b"heim")
        return keyed.digest()

    assert hashed(OLD) == hashed(NEW, OLD)
    assert len({hashed(OLD), hashed(NEW), sha256(b"geheim").digest()}) == 3


@pytest.mark.parametrize(("place", "belongs_to"), [(-1, "a"), (6, "a"), (None, "b")])
def test_a_changed_or_moved_secret_does_not_open(place: int | None, belongs_to: str) -> None:
    """One bit elsewhere, or another owner, and it stays shut."""
    keys = SealingKeys([NEW])
    sealed = bytearray(keys.seal(b"geheim", belongs_to="a"))
    if place is not None:
        sealed[place] ^= 1
    with pytest.raises(FailedPrecondition) as refused:
        keys.open(bytes(sealed), belongs_to=belongs_to)
    assert refused.value.reason == "SEAL_BROKEN"


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(b"x" * 31).decode(), "*" * 44])
def test_unusable_keys_are_refused_without_showing_them(text: str) -> None:
    """No key, a short one, one that is no base64."""
    with pytest.raises(ValueError, match="key") as refused:
        SealingKeys.parse(text)
    assert not text or text not in str(refused.value)


def test_keys_are_read_from_text() -> None:
    """Comma between, the first seals."""
    text = ",".join(base64.b64encode(key).decode() for key in (NEW, OLD))
    sealed = SealingKeys.parse(text).seal(b"x", belongs_to="a")
    assert SealingKeys([NEW]).open(sealed, belongs_to="a") == b"x"
