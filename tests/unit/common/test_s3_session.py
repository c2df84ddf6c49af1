"""What is read faster than botocore reads it is read the same."""

import pytest
from botocore.utils import parse_timestamp

from sheaf_common.pools.s3_session import parsed_timestamp


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 29 Nov 2026 22:20:05 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "2026-11-29T22:20:05.123Z",
        "2026-11-29T22:20:05+02:00",
    ],
)
def test_times_are_those_that_botocore_reads(text: str) -> None:
    """The same moment, with a zone, in every form in which S3 writes one."""
    parsed = parsed_timestamp(text)

    assert parsed == parse_timestamp(text)
    assert parsed.tzinfo is not None


@pytest.mark.parametrize("text", ["", "yesterday GMT", "yesterday"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """As botocore does: by a ValueError."""
    with pytest.raises(ValueError, match=r".*"):
        parse_timestamp(text)
    with pytest.raises(ValueError, match=r".*"):
        parsed_timestamp(text)
