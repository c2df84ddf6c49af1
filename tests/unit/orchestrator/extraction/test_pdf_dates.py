"""What becomes of a PDF date."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_orchestrator.extraction.pdf.metadata import parse_date


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("D:20230630202418Z", "2023-06-30T20:24:18Z"),
        ("D:20230630202418Z00'00'", "2023-06-30T20:24:18Z"),
        ("D:20230630202418+02'00'", "2023-06-30T18:24:18Z"),
        ("D:20230630202418-0330", "2023-06-30T23:54:18Z"),
        ("D:20230630202418-05", "2023-07-01T01:24:18Z"),
        ("20230630202418", "2023-06-30T20:24:18"),
        ("D:202306", "2023-06-01T00:00:00"),
        ("D:2023", "2023-01-01T00:00:00"),
        ("D:20231301000000Z", None),
        ("D:00000101000000Z", None),
        ("D:99991231235959-23'00'", None),
        ("D:20230630202418+99'99'", None),
        ("Mon Jan 1 2020", None),
        ("", None),
    ],
)
def test_dates_become_iso_8601(text: str, expected: str | None) -> None:
    """In UTC with a Z when the zone is known, without when it is not, null when it is no date."""
    assert parse_date(text) == expected


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    """Whatever the file says, there is a date or there is none."""
    parse_date(text)
    parse_date(f"D:2020{text}")
