"""What spreadsheets print above and below their pages."""

import re
from typing import Final

_CODE: Final = re.compile(r'&(?:"[^"]*"|K[0-9A-F]{6}|K\d\d[+-]\d{3}|\d{1,3}|[A-Z&]|.)', re.DOTALL)
_SECTION: Final = re.compile(r"&[LCR]")
_MAX_CHARACTERS: Final = 4_096


def edge_texts(coded: str) -> list[str]:
    """The texts in a header or footer such as ``&LLeft&CPage &P``, without its codes."""
    texts = []
    for section in _SECTION.split(coded[:_MAX_CHARACTERS]):
        plain = _CODE.sub(lambda code: "&" if code[0] == "&&" else "", section).strip()
        if any(sign.isalnum() for sign in plain):
            texts.append(plain)
    return texts
