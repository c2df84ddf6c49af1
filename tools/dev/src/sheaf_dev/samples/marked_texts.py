"""Texts with marks: a web page, Markdown, and RTF."""

from typing import Final

from sheaf_dev.samples.sample import HTML, MARKDOWN, RTF, Sample

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>How to report a claim</title>
<style>body { font-family: sans-serif }</style>
<script>document.title = "never part of the text";</script></head>
<body>
<h1>How to report a claim</h1>
<p>Call the desk on any day, or write to <a href="https://brightwater.example/claims">the
claims desk</a>.</p>
<ul><li>Photograph the damage first.</li><li>Keep what is broken.</li></ul>
<table><tr><th>Kind</th><th>Days to report</th></tr>
<tr><td>Water</td><td>7</td></tr><tr><td>Theft</td><td>2</td></tr></table>
</body></html>
"""

_HANDBOOK: Final = """\
# Handbook of the storm desk

## Shifts

The early shift begins at *six*, the late one at **two**.

| Shift | Desk | People |
|-------|------|--------|
| early | A    | 9      |
| late  | B    | 7      |

1. Greet the caller.
2. Ask for the policy number.

```
desk open --shift early
```
"""

_RTF: Final = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Helvetica;}}"
    r"{\info{\title Keys handed over}{\author Brightwater Mutual}}"
    r"\f0\fs28\b Keys handed over\b0\par\fs22 "
    r"The keys of 9 Tannery Yard were handed to Mr Gr\'fcnwald on 17 March.\par "
    r"The deposit of 400 pounds is returned within a week.\par}"
)


def claims_page() -> Sample:
    """A web page with a list, a link and a table; its script and style are no text."""
    return Sample(
        filename="how-to-claim.html",
        content=_PAGE.encode(),
        content_type=HTML,
        expected_pages=1,
        expected_phrases=("Call the desk on any day", "Photograph the damage first.", "Theft"),
    )


def desk_handbook() -> Sample:
    """Markdown with headings, a table, a numbered list and code."""
    return Sample(
        filename="handbook-storm-desk.md",
        content=_HANDBOOK.encode(),
        content_type=MARKDOWN,
        expected_pages=1,
        expected_phrases=(
            "Handbook of the storm desk",
            "Ask for the policy number.",
            "desk open --shift early",
        ),
    )


def keys_receipt() -> Sample:
    """RTF with a letter that is not ASCII, in the code page that it names."""
    return Sample(
        filename="receipt-keys.rtf",
        content=_RTF.encode("ascii"),
        content_type=RTF,
        expected_pages=1,
        expected_phrases=(
            "Keys handed over",
            "handed to Mr Grünwald on 17 March.",
            "The deposit of 400 pounds is returned within a week.",
        ),
    )
