"""What storage accepts as configuration."""

import pytest
from pydantic import ValidationError

from sheaf_storage.settings import BlobSettings


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
