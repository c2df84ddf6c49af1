"""Names of attached files, as strangers' documents declare them."""

import pytest

from sheaf_orchestrator.domain import attachment_filename


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ("receipt.pdf", "receipt.pdf"),
        ("C:\\mails\\receipt.pdf", "receipt.pdf"),
        ("../../etc/passwd", "passwd"),
        (" two\r\nlines\x00\ud800.txt ", "twolines.txt"),
        ("", "attachment-3"),
        ("/\t/", "attachment-3"),
        ("é" * 300 + ".docx", "é" * 250 + ".docx"),
        ("x" * 300, "x" * 255),
    ],
)
def test_a_name_is_always_one_that_can_be_recorded(declared: str, name: str) -> None:
    """No path, no control character, not too long, never empty; the suffix stays."""
    assert attachment_filename(declared, 2) == name
