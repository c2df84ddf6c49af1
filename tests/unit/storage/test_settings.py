"""What storage accepts as configuration."""

import pytest
from pydantic import ValidationError

from sheaf_storage.settings import BlobSettings, PresignSettings


def test_the_defaults_fit_together() -> None:
    """Streamed puts and puts of one message share the buffer, without starving each other."""
    settings = BlobSettings()

    assert (settings.max_object_bytes, settings.part_size_bytes) == (5 * 2**30, 8 * 2**20)
    assert settings.part_buffer_bytes + settings.message_buffer_bytes == settings.buffer_bytes


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("STORAGE_PART_SIZE_BYTES", {"STORAGE_PART_SIZE_BYTES": 5 * 2**20 - 1}),
        ("STORAGE_MAX_OBJECT_BYTES", {"STORAGE_MAX_OBJECT_BYTES": 2**40}),
        ("STORAGE_BUFFER_BYTES", {"STORAGE_PART_SIZE_BYTES": 256 * 2**20}),
    ],
)
def test_what_s3_or_the_memory_cannot_hold_is_refused(name: str, values: dict[str, int]) -> None:
    """A part below S3's least, an object of too many parts, a buffer for no upload."""
    with pytest.raises(ValidationError, match=name):
        BlobSettings.model_validate(values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STORAGE_PRESIGN_MAX_S", 0),
        ("STORAGE_PRESIGN_MAX_S", 604801),
        ("S3_PUBLIC_ENDPOINT_URL", "files.example.org"),
        ("S3_PUBLIC_ENDPOINT_URL", "https://files.example.org/?a=b"),
    ],
)
def test_what_no_request_can_be_signed_for_is_refused(name: str, value: object) -> None:
    """A life that S3 does not grant, an address that is none."""
    with pytest.raises(ValidationError, match=name):
        PresignSettings.model_validate({name: value})


def test_requests_live_an_hour_at_most() -> None:
    """Unless more is configured; by default they are for the address that storage uses."""
    assert (PresignSettings().max_s, PresignSettings().public_endpoint_url) == (3600, None)
