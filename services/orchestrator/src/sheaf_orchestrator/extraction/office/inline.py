"""The text of one paragraph and its Markdown, built side by side."""

from typing import Final

from sheaf_orchestrator.extraction import markdown

_MAX_PIECES: Final = 200_000


class Inline:
    """Pieces of a paragraph; where it has links, its Markdown is more than its text."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._marks: list[str] = []
        self._pending: list[str] = []
        self._rich = False

    def add(self, text: str | None) -> None:
        """Plain text."""
        if text and len(self._texts) < _MAX_PIECES:
            self._texts.append(text)
            self._pending.append(text)

    def link(self, text: str, url: str) -> None:
        """Text that leads somewhere."""
        if not text:
            return
        if not url:
            self.add(text)
            return
        self._flush()
        self._texts.append(text)
        edge = len(text) - len(text.lstrip())
        self._marks.append(text[:edge] + markdown.link(text.strip(), url))
        self._marks.append(text[len(text.rstrip()) :] if text.strip() else "")
        self._rich = True

    def note(self, label: str) -> None:
        """The mark of a footnote."""
        self._flush()
        self._texts.append(f"[{label}]")
        self._marks.append(f"[^{label}]")
        self._rich = True

    def _flush(self) -> None:
        if self._pending:
            self._marks.append(markdown.escape("".join(self._pending)))
            self._pending = []

    @property
    def text(self) -> str:
        """The text, without soft hyphens."""
        return "".join(self._texts).replace("\u00ad", "")

    @property
    def marked(self) -> str | None:
        """The Markdown; None when it is the text, escaped."""
        if not self._rich:
            return None
        self._flush()
        return "".join(self._marks).replace("\u00ad", "")
