"""What a page says about itself."""

from datetime import UTC, datetime
from typing import Any, Final

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.result import Metadata

_MAX_CHARACTERS: Final = 4_096
_MAX_ELEMENTS: Final = 1_000
_CREATED: Final = (
    "article:published_time",
    "dc.date",
    "dcterms.created",
    "dc.date.created",
    "date",
)
_MODIFIED: Final = ("article:modified_time", "dcterms.modified", "last-modified", "og:updated_time")


def read_head(tree: Any, encoding: str) -> tuple[Metadata, str | None]:
    """The metadata and the base of relative addresses, if the page names one."""
    said: dict[str, str] = {}
    base: str | None = None
    node = tree.head.first_child if tree.head is not None else None
    for _ in range(_MAX_ELEMENTS):
        if node is None:
            break
        if node.tag == "base":
            base = base or node.getattr("href")
        elif node.tag == "meta":
            names = (node.getattr(key) for key in ("name", "property", "http-equiv", "itemprop"))
            name = next((name for name in names if name), "").strip().lower()
            if name not in said and (value := tidy(node.getattr("content"))):
                said[name] = value
        node = node.next_sibling

    def first(*names: str) -> str | None:
        return next((said[name] for name in names if name in said), None)

    metadata = Metadata(
        title=tidy(tree.title) or first("og:title", "dc.title", "title"),
        author=first("author", "dc.creator", "article:author", "parsely-author"),
        subject=first("description", "og:description", "dc.description"),
        keywords=first("keywords", "news_keywords"),
        creator=first("generator", "progid"),
        created_at=parse_date(first(*_CREATED)),
        modified_at=parse_date(first(*_MODIFIED)),
        language=_language(tree) or first("content-language"),
        encoding=encoding,
    )
    return metadata, base


def _language(tree: Any) -> str | None:
    root = tree.body.parent if tree.body is not None else None
    declared = tidy(root.getattr("lang") or root.getattr("xml:lang")) if root is not None else None
    return declared if declared and declared.replace("-", "").isalnum() else None


def tidy(text: str | None) -> str | None:
    """A value of one line, cleaned and cut; None when nothing is left."""
    return " ".join(clean_text(text[:_MAX_CHARACTERS]).split()) or None if text else None


def parse_date(text: str | None) -> str | None:
    """ISO 8601 as results hold it, or None for any other way to write a date."""
    try:
        moment = datetime.fromisoformat(text.strip()) if text else None
        if moment is not None and moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if moment is None:
        return None
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
