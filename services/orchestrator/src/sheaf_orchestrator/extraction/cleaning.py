"""Text as results hold it: plain Unicode lines, whatever a file or library put in."""

import re

_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_MAX_SEARCHED = 200_000_000
"""Hyphens times characters."""
_HYPHENATED = re.compile("(\\w*)\ufffe(?:\r?\n)?(\\w*)")


def clean_text(text: str) -> str:
    r"""The text with every line end as ``\n`` and without what no reader wants.

    Removed: NUL and other control characters except tab, byte order marks, noncharacters and
    lone surrogates (which no encoder would take). Vertical tab, form feed and the Unicode
    line separators count as line ends.
    """
    if text.isascii() and text.isprintable():
        return text  # most words, names and values: at a fifth of the cost
    if _BREAKS.search(text):
        text = _BREAKS.sub("\n", text)
    if _FORBIDDEN.search(text):
        text = _FORBIDDEN.sub("", text)
    return text


def join_hyphenated(text: str) -> str:
    """Resolve U+FFFE, which pdfium puts in place of a hyphen at a line's end and the break.

    The file does not say whether the hyphen belongs to the word. The page is asked first:
    if the word stands elsewhere on it joined, or with its hyphen, it is written so here. Else
    a break between two lower-case letters is taken as hyphenation and vanishes, and any other
    (``1040-NR``, ``Co-Pay``) keeps its hyphen.
    """
    if "\ufffe" not in text:
        return text

    # A text of one page is searched for each of its hyphens: not one made to take for ever.
    known = text if text.count("\ufffe") * len(text) < _MAX_SEARCHED else ""

    def resolve(match: re.Match[str]) -> str:
        left, right = match.groups()
        joined, hyphenated = left + right, f"{left}-{right}"
        if not joined or (left and right and joined in known):
            return joined
        if hyphenated in known or not (left[-1:].islower() and right[:1].islower()):
            return hyphenated
        return joined

    return _HYPHENATED.sub(resolve, text)
