"""The encoding of an HTML file, as browsers find it, but trusting UTF-8 that is valid."""

import re
from typing import Final

from resiliparse.parse.encoding import map_encoding_to_html5

from sheaf_orchestrator.extraction.text.decoding import Decoded, decode

_PRESCAN_BYTES: Final = 4096
_DECLARED: Final = re.compile(
    rb"""(?:<meta[^>]{0,512}?charset|<\?xml[^>]{0,128}?encoding)\s*=\s*["']?\s*([\w.:-]{2,40})""",
    re.IGNORECASE,
)
"""Source: WHATWG HTML, 13.2.3.2 (prescan); a little further than its 1,024 bytes."""

_STARTS_AS_HTML: Final = re.compile(rb"\s*(?:<!doctype\s+html|<html)", re.IGNORECASE)
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def decode_html(content: bytes | bytearray) -> Decoded | None:
    """The text of ``content``, or None when it is not text.

    A byte order mark or valid UTF-8 decides, then what the page declares, then a guess.
    """
    try:
        # A BOM is left to ``decode``; UTF-16 without one is no valid UTF-8, or full of NUL.
        text = str(content, "utf-8")
        if not text.startswith("\ufeff") and "\0" not in text[:_PRESCAN_BYTES]:
            return Decoded(text, "utf-8", 0)
    except UnicodeDecodeError:
        declared = _DECLARED.search(content, 0, _PRESCAN_BYTES)
        name = declared and map_encoding_to_html5(declared[1].decode("ascii"), fallback_utf8=False)
        if name and not name.startswith("utf"):  # declared in ASCII and not valid: not UTF-n
            text = str(content, name, "replace")
            return Decoded(text, name.replace("_", "-"), text.count("\ufffd"))
    found = decode(content)
    if found is not None or not _STARTS_AS_HTML.match(content):
        return found
    # Browsers show a page with control characters in it, without them.
    clean = _CONTROLS.sub(b"", content)
    found = decode(clean)
    return found and found._replace(replaced=found.replaced + len(content) - len(clean))
