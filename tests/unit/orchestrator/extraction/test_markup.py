"""What is read of Markdown."""

import pytest

from sheaf_orchestrator.extraction import (
    ExtractionError,
    Limits,
    Link,
    Options,
    OutlineEntry,
    Reason,
    markup,
)
from sheaf_orchestrator.extraction.result import Extracted

SOURCE = """---
title: "A: b"
Author: Ann
tags: [x, y]
date: 2024-05-01 10:00:00
layout: none
---
# First ##

Text with [a link](https://e.org/x) and <https://e.org/y>.

Second
------
```sh
# no heading
```
* * *
- item
---
"""


def extract(text: str, limits: Limits | None = None) -> Extracted:
    """What is in the text."""
    return markup.extract(text.encode(), Options(), limits or Limits())


def test_it_is_kept_as_it_is_written() -> None:
    """Text and Markdown are the source; line ends are as everywhere."""
    extracted = extract(SOURCE.replace("\n", "\r\n"))
    assert extracted.pages[0].text == extracted.markdown[0] == SOURCE
    assert (extracted.unit, extracted.pages[0].characters) == ("part", len(SOURCE))


def test_headings_are_the_outline() -> None:
    """Of both styles, not in code; front matter and rules are none."""
    assert extract(SOURCE).outline == [
        OutlineEntry(title="First", level=0, page=1),
        OutlineEntry(title="Second", level=1, page=1),
    ]


def test_front_matter_is_metadata() -> None:
    """Its simple pairs; without it the first heading is the title."""
    metadata = extract(SOURCE).metadata
    assert (metadata.title, metadata.author, metadata.keywords) == ("A: b", "Ann", "x, y")
    assert metadata.created_at == "2024-05-01T10:00:00"
    assert extract("# Only\n\ntext").metadata.title == "Only"


def test_links_are_found() -> None:
    """Inline ones and bare ones in angles."""
    assert extract(SOURCE).pages[0].links == [
        Link(url="https://e.org/x", text="a link"),
        Link(url="https://e.org/y"),
    ]


def test_over_the_limit_it_is_partial_and_binary_is_refused() -> None:
    """The beginning is kept."""
    extracted = extract("word " * 10, Limits(characters=5))
    assert (extracted.pages[0].text, extracted.partial) == ("word ", True)
    for content, reason in ((b"", Reason.EMPTY), (bytes(99), Reason.UNSUPPORTED_FORMAT)):
        with pytest.raises(ExtractionError) as caught:
            markup.extract(content, Options(), Limits())
        assert caught.value.reason is reason
