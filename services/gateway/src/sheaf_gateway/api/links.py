"""What can be asked next: the links of the API's answers."""

from sheaf_gateway.domain.documents import Document, DocumentStatus


def document_links(document: Document) -> dict[str, str]:
    """What can be asked of a document as it is now."""
    path = document_path(document.document_id)
    links = {
        "self": path,
        "batch": batch_path(document.batch_id),
        "content": f"{path}/content",
        "events": f"{path}/events",
    }
    if document.parent_id:
        links["parent"] = document_path(document.parent_id)
    if document.status is DocumentStatus.COMPLETED:
        names = ["text", "markdown", "result", *(["thumbnail"] if document.has_pictures else [])]
        links |= {name: f"{path}/{name}" for name in names}
    name = "reprocess" if document.has_ended else "cancel"
    return links | {name: f"{path}/{name}"}


def accepted_file_links(document_id: str) -> dict[str, str]:
    """Where a document that was just taken is followed."""
    path = document_path(document_id)
    return {"self": path, "events": f"{path}/events"}


def batch_links(batch_id: str) -> dict[str, str]:
    """Where a batch is followed."""
    path = batch_path(batch_id)
    return {
        "self": path,
        "documents": f"/v1/documents?batch_id={batch_id}",
        "events": f"{path}/events",
    }


def document_path(document_id: str) -> str:
    """Where a document is read."""
    return f"/v1/documents/{document_id}"


def batch_path(batch_id: str) -> str:
    """Where a batch is read."""
    return f"/v1/batches/{batch_id}"
