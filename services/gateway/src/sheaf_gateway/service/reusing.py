"""Registering a batch, with results of documents whose content is the same."""

from dataclasses import replace

from sheaf_gateway.domain.documents import Document
from sheaf_gateway.domain.registration import NewBatch
from sheaf_gateway.service.copying import ResultCopier, count_registered
from sheaf_gateway.service.registration import Registrar, RegistrationRefused


class ReusingRegistrar:
    """Registers batches. Where results can be reused they are copied first, and named.

    Nothing about that makes a registration fail: a document without a copy is processed.
    """

    def __init__(self, registrar: Registrar, copier: ResultCopier) -> None:
        self._registrar = registrar
        self._copier = copier

    async def register(self, batch: NewBatch) -> tuple[Document, ...]:
        """The recorded documents. Raises as `Registrar.register`."""
        wanted = replace(batch, find_reusable=batch.find_reusable and self._copier.copies_any)
        registered = await self._registrar.register(wanted)
        if not registered.reusable:
            return registered.documents
        copies = await self._copier.copies(registered.reusable)
        again = replace(batch, find_reusable=False, copies=copies)
        try:
            documents = (await self._registrar.register(again)).documents
        except RegistrationRefused:
            await self._copier.discard(copies)
            raise
        count_registered(copies, sum(bool(document.duplicate_of) for document in documents))
        return documents
