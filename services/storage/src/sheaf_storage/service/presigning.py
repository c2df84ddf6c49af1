"""Requests that clients send to the store themselves, and the uploads made of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sheaf_storage.domain import PresignedRequest, check_key
from sheaf_storage.ports import Description, ObjectStore, RequestSigner, UploadRef
from sheaf_storage.service.multipart import undo_beginning
from sheaf_storage.service.presign_rules import (
    SINGLE_PUT_MAX_BYTES,
    Declaration,
    attachment,
    check_content_type,
    check_expiry,
    check_upload,
    part_sizes,
)
from sheaf_storage.service.putting import PutLimits
from sheaf_storage.service.writes import Writes, within_deadline


@dataclass(frozen=True, slots=True)
class PresignedUpload:
    """A multipart upload that a client fills; `parts` are in the order of the content."""

    upload: UploadRef
    part_size_bytes: int
    parts: Sequence[PresignedRequest]


class Presigning:
    """See the contract; a request lives for `max_expiry_s` at most."""

    def __init__(
        self,
        store: ObjectStore,
        signer: RequestSigner,
        writes: Writes,
        limits: PutLimits,
        max_expiry_s: int,
    ) -> None:
        self._store = store
        self._signer = signer
        self._writes = writes
        self._limits = limits
        self._max_expiry_s = max_expiry_s

    async def get(
        self, key: str, expires_in_s: float, *, filename: str, content_type: str
    ) -> PresignedRequest:
        """A way to get an object that is there.

        Raises:
            InvalidInput: `KEY_INVALID`, `EXPIRY_INVALID`, `CONTENT_TYPE_INVALID`.
            NotFound: `OBJECT_NOT_FOUND`.
        """
        check_key(key)
        expiry_s = check_expiry(expires_in_s, self._max_expiry_s)
        if content_type:
            check_content_type(content_type)
        await within_deadline(self._store.head(key))
        return await within_deadline(
            self._signer.sign_get(
                key, expiry_s, disposition=attachment(filename), content_type=content_type
            )
        )

    async def put(self, declared: Declaration, expires_in_s: float) -> PresignedRequest:
        """A way to put an object as it was declared, and nothing else.

        Raises:
            InvalidInput: as `Declaration.check`, and `EXPIRY_INVALID`.
        """
        declared.check(min(self._limits.max_object_bytes, SINGLE_PUT_MAX_BYTES))
        expiry_s = check_expiry(expires_in_s, self._max_expiry_s)
        return await within_deadline(
            self._signer.sign_put(
                declared.key, declared.size_bytes, _description_of(declared), expiry_s
            )
        )

    async def begin(self, declared: Declaration, expires_in_s: float) -> PresignedUpload:
        """A way to put an object in parts; whoever leaves before it is known leaves nothing.

        Raises:
            InvalidInput: as `Declaration.check`, and `EXPIRY_INVALID`.
        """
        declared.check(self._limits.max_object_bytes)
        expiry_s = check_expiry(expires_in_s, self._max_expiry_s)
        sizes = part_sizes(declared.size_bytes, self._limits.part_size_bytes)
        begin = self._writes.start(
            self._store.begin_upload(declared.key, _description_of(declared))
        )
        try:
            upload = await self._writes.outcome(begin)
            parts = await within_deadline(self._signer.sign_parts(upload, sizes, expiry_s))
        except BaseException:
            self._writes.start(undo_beginning(self._store, begin))
            raise
        return PresignedUpload(upload, sizes[0], parts)

    async def abort(self, upload: UploadRef) -> None:
        """Removes an upload and its parts; nothing happens if it is gone or completed.

        Raises:
            InvalidInput: `KEY_INVALID`, `UPLOAD_ID_INVALID`.
        """
        check_upload(upload)
        await self._writes.run(self._store.abort_upload(upload))


def _description_of(declared: Declaration) -> Description:
    return Description(declared.content_type, declared.sha256)
