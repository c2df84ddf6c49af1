"""Deleting documents and batches."""

from litestar import Controller, delete
from litestar.di import NamedDependency
from litestar.params import FromPath

from sheaf_common.ids import parse_id
from sheaf_gateway.api import openapi
from sheaf_gateway.api.authentication import REQUIRES
from sheaf_gateway.domain.access import Scope
from sheaf_gateway.service.deletion import DeletionService


class DeletionController(Controller):
    """What a user wants to be gone."""

    opt = {REQUIRES: Scope.WRITE}  # noqa: RUF012 - Litestar reads it from the class

    @delete(
        "/documents/{document_id:str}",
        tags=["Documents"],
        responses=openapi.DELETE_RESPONSES,
        summary="Delete a document",
    )
    async def delete_document(
        self, document_id: FromPath[str], deletion: NamedDependency[DeletionService]
    ) -> None:
        """Deletes a document, what was found inside it, and all that is stored of them.

        In whatever state it is: work on it stops within seconds. From the answer on it is as if
        it had never been; a repeated call finds nothing.
        """
        await deletion.document(parse_id(document_id, "document_id"))

    @delete(
        "/batches/{batch_id:str}",
        tags=["Batches"],
        responses=openapi.DELETE_RESPONSES,
        summary="Delete a batch",
    )
    async def delete_batch(
        self, batch_id: FromPath[str], deletion: NamedDependency[DeletionService]
    ) -> None:
        """Deletes a batch with all its documents.

        A very large batch goes in several steps: if the call fails, repeat it.
        """
        await deletion.batch(parse_id(batch_id, "batch_id"))
