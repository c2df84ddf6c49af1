"""Words of texts, and how many of them two texts share.

Order does not count: a text in another reading order has the same words. Case, ligatures and
the width of letters don't either (NFKC, case folded), nor does a hyphen at the end of a line.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

_HYPHENATED: Final = re.compile(
    r"(?<=[^\W\d_])[-\u00ad\u2010\u0002\ufffe][ \t]*\r?\n[ \t]*(?=[^\W\d_])"
)
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff\u0002\ufffe]")
_UNSPACED: Final = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Thai, kana and Han are written without spaces: there each character is a word."""
_TOKEN: Final = re.compile(rf"\d+(?:[.,]\d+)*|[{_UNSPACED}]|[^\W\d_{_UNSPACED}]+")
_SPACE: Final = re.compile(r"\s+")


def tokens(text: str) -> list[str]:
    """The words and numbers of a text, in its order; a number keeps its points and commas."""
    joined = _INVISIBLE.sub("", _HYPHENATED.sub("", text))
    return _TOKEN.findall(unicodedata.normalize("NFKC", joined).casefold())


def squeezed(text: str) -> str:
    """The text without any white space, folded as words are."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold())


@dataclass(frozen=True, slots=True)
class Score:
    """How the words that were found compare with those that should be."""

    common: int
    expected: int
    found: int

    @classmethod
    def of(cls, expected: str, found: str) -> Self:
        """Of two texts; a word counts as often as it stands in both."""
        wanted, got = Counter(tokens(expected)), Counter(tokens(found))
        return cls((wanted & got).total(), wanted.total(), got.total())

    @classmethod
    def total(cls, scores: Sequence[Self]) -> Self:
        """Of all texts together."""
        return cls(
            sum(score.common for score in scores),
            sum(score.expected for score in scores),
            sum(score.found for score in scores),
        )

    @property
    def recall(self) -> float:
        """The share of the expected words that was found; 1 if none is expected."""
        return self.common / self.expected if self.expected else 1.0

    @property
    def precision(self) -> float:
        """The share of the found words that was expected; 1 if none was found."""
        return self.common / self.found if self.found else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        both = self.expected + self.found
        return 2 * self.common / both if both else 1.0
