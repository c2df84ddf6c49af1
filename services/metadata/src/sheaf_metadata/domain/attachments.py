"""Files inside a document: which of them become documents, and what they take from it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from sheaf_metadata.domain.documents import Document, Lane, Status
from sheaf_metadata.domain.registration import NewDocument

MAX_ATTACHMENTS: Final = 100
"""Of one document."""
MAX_ATTACHMENTS_A_TRANSACTION: Final = 200
"""A transaction is over in a fraction of its second then, on a busy machine too."""
MAX_DEPTH: Final = 10
"""A document this deep in others has no documents inside it: mails can hold each other."""
MAX_BATCH_DOCUMENTS: Final = 5000
"""With all that its documents hold; as many as are read of a batch at once."""


def admitted(
    parent: Document, attachments: Sequence[NewDocument], known: Collection[bytes], room: int
) -> tuple[list[NewDocument], bool]:
    """The attachments to insert, and whether some had to be left out.

    `known` has the ids that are recorded already, or were deleted: those stay as they are. `room`
    is how many documents the batch can still take.
    """
    new = [each for each in attachments if each.document_id.bytes not in known]
    taken = [] if parent.depth >= MAX_DEPTH else new[: max(room, 0)]
    return taken, len(taken) < len(new)


def child_of(parent: Document, new: NewDocument) -> Document:
    """The document that an attachment becomes: queued, and its parent's in all else.

    The pages wanted are the parent's own: of what lies in it, all are read. It was uploaded with
    its parent, and its id has the time of its parent's: so lists by either find it beside it.
    """
    return Document(
        document_id=new.document_id,
        batch_id=parent.batch_id,
        parent_id=parent.document_id,
        user_id=parent.user_id,
        product=parent.product,
        status=Status.QUEUED,
        lane=Lane.TEXT,
        priority=parent.priority,
        filename=new.filename,
        content_type=new.content_type,
        size_bytes=new.size_bytes,
        sha256=new.sha256,
        object_key=new.object_key,
        attempt=1,
        uploaded_at=parent.uploaded_at,
        row_version=1,
        options=replace(parent.options, pages=()),
        depth=parent.depth + 1,
        metadata_json=parent.metadata_json,
    )
