"""What became of files that were sent, and of what was found in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sheaf_client import Document
from sheaf_dev.outcomes import milliseconds


@dataclass(frozen=True, slots=True)
class SentFile:
    """What became of a file. `status` is `sent` until its document ends, or is rejected.

    `error` means that it is not known what became of it, or that it could not be read. A file
    that was found in another has that one's path, and its own name in `inside`.
    """

    path: Path
    status: str = "waiting"
    inside: str | None = None
    document_id: str | None = None
    parent_id: str | None = None
    reason: str | None = None
    partial: bool = False
    pages: int | None = None
    ocr_pages: int | None = None
    characters: int | None = None
    accept_s: float | None = None
    result_s: float | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing more will become of it."""
        return self.status not in {"waiting", "sent"}

    @property
    def name(self) -> str:
        """As it is shown: what was found in a file stands below it."""
        return str(self.path) if self.inside is None else f"  > {self.inside}"

    def as_json(self) -> dict[str, Any]:
        """Its entry in the output of `process --json`."""
        return {
            "path": str(self.path),
            "inside": self.inside,
            "id": self.document_id,
            "parent_id": self.parent_id,
            "status": self.status,
            "reason": self.reason,
            "partial": self.partial,
            "pages": self.pages,
            "ocr_pages": self.ocr_pages,
            "characters": self.characters,
            "accept_ms": milliseconds(self.accept_s),
            "result_ms": milliseconds(self.result_s),
        }


def found_in(parent: SentFile, document: Document) -> SentFile:
    """What is followed of a document that was found in another."""
    names = (parent.inside, document.filename)
    return SentFile(
        parent.path,
        status="sent",
        inside=" > ".join(name for name in names if name is not None),
        document_id=document.id,
        parent_id=document.parent_id,
    )


def after_parents(files: Iterable[SentFile]) -> list[SentFile]:
    """The same files, each followed by what was found in it."""
    found: dict[str | None, list[SentFile]] = {}
    for file in files:
        found.setdefault(file.parent_id, []).append(file)
    ordered: list[SentFile] = []
    waiting = found.get(None, [])[::-1]
    while waiting:
        file = waiting.pop()
        ordered.append(file)
        if file.document_id is not None:
            waiting.extend(reversed(found.get(file.document_id, ())))
    return ordered


def updated(file: SentFile, documents: Mapping[str, Document]) -> SentFile:
    """The file as it is now; only its end changes it."""
    document = documents.get(file.document_id or "")
    if file.settled or document is None or not document.status.is_terminal:
        return file
    took_s = None
    if document.uploaded_at and document.finished_at:
        took_s = (document.finished_at - document.uploaded_at).total_seconds()
    return replace(
        file,
        status=document.status.value,
        reason=document.reason,
        partial=document.partial,
        pages=document.pages,
        ocr_pages=document.progress.pages_total if document.progress else None,
        characters=document.characters,
        result_s=took_s,
    )
