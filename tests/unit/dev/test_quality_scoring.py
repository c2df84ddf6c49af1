"""How `quality` compares texts: words, not layout."""

from collections import Counter

import pytest

from sheaf_dev.quality.form_values import is_found
from sheaf_dev.quality.scoring import Score, squeezed, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Total due: 1,240.50 GBP.", ["total", "due", "1,240.50", "gbp"]),
        ("ﬁnal \uff21\uff22\uff23 Straße", ["final", "abc", "strasse"]),
        ("a docu-\nment and docu\u00adment", ["a", "document", "and", "document"]),
        ("well-known 3-4", ["well", "known", "3", "4"]),
        ("三営業日 for you", ["三", "営", "業", "日", "for", "you"]),
        ("· — ! \u200b", []),
    ],
)
def test_words_are_what_two_readers_agree_on(text: str, expected: list[str]) -> None:
    """Not case, width, ligatures, hyphens at the end of a line, or punctuation."""
    assert expected == tokens(text)


def test_a_score_counts_each_word_as_often_as_both_have_it() -> None:
    """In any order; what is read twice is one too many."""
    score = Score.of("one two two three", "two three three four")
    assert (score.common, score.expected, score.found) == (2, 4, 4)
    assert (score.recall, score.precision, score.f1) == (0.5, 0.5, 0.5)


def test_an_empty_text_is_neither_missed_nor_wrong() -> None:
    """Nothing expected and nothing found is right; all of it missing is not."""
    assert (Score.of("", "").f1, Score.of("", "").recall) == (1.0, 1.0)
    assert (Score.of("word", "").recall, Score.of("word", "").f1) == (0.0, 0.0)


def test_a_total_weighs_texts_by_their_words() -> None:
    """A page of one word does not count like a page of nine."""
    total = Score.total([Score(9, 9, 9), Score(0, 1, 1)])
    assert (total.recall, total.precision) == (0.9, 0.9)


@pytest.mark.parametrize(
    ("value", "text"),
    [("Ada Lovelace", "name: Lovelace, Ada"), ("123456789", "1 2 3 4 5 6 7 8 9")],
)
def test_a_form_value_is_found_by_its_words_or_all_its_characters(value: str, text: str) -> None:
    """A field may set each character apart."""
    assert is_found(value, Counter(tokens(text)), squeezed(text))


@pytest.mark.parametrize(("value", "text"), [("17", "2017"), ("Ada Ada", "Ada"), ("x", "")])
def test_a_form_value_is_not_found_by_chance(value: str, text: str) -> None:
    """A short number within another is no find."""
    assert not is_found(value, Counter(tokens(text)), squeezed(text))
