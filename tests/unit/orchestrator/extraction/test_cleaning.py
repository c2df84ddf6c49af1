"""What text looks like in a result."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_orchestrator.extraction.cleaning import clean_text, join_hyphenated

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\x00b\ud800c\ufeffd\uffffe\x1bf", "abcdef"),
        ("a\x0bb\x0cc\u2028d", "a\nb\nc\nd"),
        ("tab\tstays, so does soft\u00adhyphen", "tab\tstays, so does soft\u00adhyphen"),
    ],
)
def test_lines_end_in_one_way_and_controls_are_gone(text: str, clean: str) -> None:
    """Line ends become one kind; what no reader wants is removed."""
    assert clean_text(text) == clean


@given(ANYTHING)
def test_clean_text_is_clean(text: str) -> None:
    """The result can be encoded, has no NUL, and cleaning it again changes nothing."""
    clean = clean_text(text)
    clean.encode()
    assert "\x00" not in clean
    assert clean_text(clean) == clean


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("investi\ufffegating", "investigating"),
        ("Form 1040\ufffeNR", "Form 1040-NR"),
        ("middle\ufffeincome and middle-income", "middle-income and middle-income"),
        ("Co\ufffepay", "Copay"),
        ("exam\ufffe\r\nple", "example"),
        ("A\ufffeB", "A-B"),
        ("\ufffe", ""),
        ("(A\ufffe", "(A-"),
    ],
)
def test_words_parted_at_a_line_end_are_joined(text: str, joined: str) -> None:
    """As the word stands elsewhere on the page; else a hyphen between small letters goes."""
    assert join_hyphenated(text) == joined
