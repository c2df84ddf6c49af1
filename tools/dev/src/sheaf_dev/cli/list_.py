"""`./sheaf list`: documents of the running system."""

from datetime import datetime
from itertools import islice
from typing import Annotated, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from sheaf_client import Document, DocumentStatus
from sheaf_dev.asking import AsJson, asking, print_json, shown
from sheaf_dev.connection import say
from sheaf_dev.outcomes import show_table

_MAX_PAGE: Final = 200
_COLUMNS: Final = ("id", "file", "status", "reason", "pages", "bytes", "product", "uploaded")


def list_(
    *,
    status: DocumentStatus | None = None,
    product: str | None = None,
    batch: str | None = None,
    parent: str | None = None,
    workflow: str | None = None,
    document_class: Annotated[str | None, Parameter(name="--class")] = None,
    content_type: str | None = None,
    since: datetime | None = None,
    before: datetime | None = None,
    limit: Annotated[int, Parameter(validator=Number(gte=1))] = 50,
    json_: AsJson = False,
) -> int:
    """List documents of the running system, newest first.

    Args:
        status: Only those in this status.
        product: Only those of this product.
        batch: Only those of this batch.
        parent: Only what was found in this document.
        workflow: Only those that this workflow holds or ended.
        document_class: Only those of this class.
        content_type: Only those of this content type, or of a family such as image/*.
        since: Only those uploaded then or later; local time if it names no zone.
        before: Only those uploaded earlier.
        limit: How many at most.
        json_: Print one JSON object a line.
    """
    with asking() as sheaf:
        found = sheaf.documents(
            page_size=min(limit + 1, _MAX_PAGE),
            status=status,
            product=product,
            batch_id=batch,
            parent_id=parent,
            workflow_id=workflow,
            document_class=document_class,
            content_type=content_type,
            uploaded_from=_aware(since),
            uploaded_before=_aware(before),
        )
        if json_:
            for document in islice(found, limit):
                print_json(document)
            return 0
        documents = list(islice(found, limit))
        show_documents(documents)
        if next(found, None) is not None:
            say(f"there are more than {limit}: --limit shows them")
    return 0


def show_documents(documents: list[Document]) -> None:
    """A table of documents."""
    show_table(
        _COLUMNS,
        (
            (
                document.id,
                shown(document.filename),
                document.status.value,
                document.reason,
                document.pages,
                document.size_bytes,
                document.product and shown(document.product),
                document.uploaded_at and f"{document.uploaded_at.astimezone():%Y-%m-%d %H:%M:%S}",
            )
            for document in documents
        ),
    )


def _aware(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone()
