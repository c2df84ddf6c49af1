"""What every `ObjectStore` promises, as tests: run over the fake and over S3.

A subclass's module has the fixtures `store` and `prefix` (a place of the test's own, ending
with a slash).
"""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from sheaf_common.errors import AlreadyExists, Conflict, InvalidInput, NotFound, OutOfRange
from sheaf_storage.domain import CHUNK_BYTES, ByteRange
from sheaf_storage.ports import Description, ObjectStore, PartRef, UploadRef

PART_BYTES = 5 * 2**20
CONTENT = b"0123456789"


def described(content: bytes) -> Description:
    """A description with the content's hash."""
    return Description("text/plain", hashlib.sha256(content).digest())


async def content_of(store: ObjectStore, key: str, wanted: ByteRange | None = None) -> bytes:
    """What is read from a range."""
    content = bytearray()
    async with store.open(key, wanted or ByteRange()) as reader:
        while chunk := await reader.read():
            assert len(chunk) <= CHUNK_BYTES
            content += chunk
    return bytes(content)


async def unfinished(store: ObjectStore, key: str) -> list[UploadRef]:
    """The uploads under way for a key."""
    return [found.upload async for found in store.unfinished_uploads() if found.upload.key == key]


class ObjectStoreContract:
    """See the module."""

    async def test_what_is_put_is_there(self, store: ObjectStore, prefix: str) -> None:
        """Content, size, hash, type and time come back."""
        key = f"{prefix}original"
        before = datetime.now(UTC) - timedelta(seconds=2)
        await store.put(key, CONTENT, described(CONTENT))
        info = await store.head(key)

        assert await content_of(store, key) == CONTENT
        assert (info.key, info.size_bytes, info.sha256, info.content_type) == (
            key, len(CONTENT), hashlib.sha256(CONTENT).digest(), "text/plain",
        )  # fmt: skip
        assert info.modified_at is not None
        assert before <= info.modified_at <= datetime.now(UTC) + timedelta(seconds=2)

    async def test_a_put_never_replaces(self, store: ObjectStore, prefix: str) -> None:
        """The second put of a key is refused and the first one's content stays."""
        key = f"{prefix}original"
        await store.put(key, CONTENT, described(CONTENT))
        with pytest.raises(AlreadyExists) as refused:
            await store.put(key, b"other", described(b"other"))

        assert refused.value.reason == "OBJECT_EXISTS"
        assert await content_of(store, key) == CONTENT

    async def test_what_is_missing_is_not_found(self, store: ObjectStore, prefix: str) -> None:
        """Head and read say so by name."""
        reasons = []
        for asking in (store.head(f"{prefix}none"), content_of(store, f"{prefix}none")):
            with pytest.raises(NotFound) as missing:
                await asking
            reasons.append(missing.value.reason)

        assert reasons == ["OBJECT_NOT_FOUND", "OBJECT_NOT_FOUND"]

    @pytest.mark.parametrize(
        ("offset", "length", "expected"),
        [
            (0, 0, b"0123456789"),
            (0, 3, b"012"),
            (4, 0, b"456789"),
            (4, 3, b"456"),
            (9, 1, b"9"),
            (8, 100, b"89"),
            (-3, 0, b"789"),
            (-3, 2, b"78"),
            (-100, 0, b"0123456789"),
            (-100, 4, b"0123"),
        ],
    )
    async def test_a_range_is_exactly_what_was_asked_for(
        self, store: ObjectStore, prefix: str, offset: int, length: int, expected: bytes
    ) -> None:
        """From the beginning or the end, cut off at the object's end, as HTTP has it."""
        key = f"{prefix}original"
        await store.put(key, CONTENT, described(CONTENT))

        assert await content_of(store, key, ByteRange(offset, length)) == expected

    @pytest.mark.parametrize(("offset", "length"), [(10, 0), (11, 5), (0, -1), (3, -1)])
    async def test_a_range_outside_is_refused(
        self, store: ObjectStore, prefix: str, offset: int, length: int
    ) -> None:
        """The error says how large the object is."""
        key = f"{prefix}original"
        await store.put(key, CONTENT, described(CONTENT))
        with pytest.raises(OutOfRange) as refused:
            await content_of(store, key, ByteRange(offset, length))

        assert (refused.value.reason, dict(refused.value.evidence)) == (
            "RANGE_NOT_SATISFIABLE", {"size_bytes": "10"},
        )  # fmt: skip

    async def test_a_range_tells_the_whole_objects_size(
        self, store: ObjectStore, prefix: str
    ) -> None:
        """Info describes the object, not the range."""
        key = f"{prefix}original"
        await store.put(key, CONTENT, described(CONTENT))
        async with store.open(key, ByteRange(2, 3)) as reader:
            assert reader.info.size_bytes == len(CONTENT)

    async def test_a_large_object_is_read_in_chunks(self, store: ObjectStore, prefix: str) -> None:
        """Its chunks in order are its content."""
        content = bytes(range(256)) * (3 * CHUNK_BYTES // 256) + b"end"
        key = f"{prefix}original"
        await store.put(key, content, described(content))

        assert await content_of(store, key) == content
        assert (
            await content_of(store, key, ByteRange(5, 2 * CHUNK_BYTES))
            == (content[5 : 5 + 2 * CHUNK_BYTES])
        )

    async def test_reading_may_end_early(self, store: ObjectStore, prefix: str) -> None:
        """What was not read is given up, and the next read starts afresh."""
        content = b"x" * (4 * CHUNK_BYTES)
        key = f"{prefix}original"
        await store.put(key, content, described(content))
        async with store.open(key, ByteRange()) as reader:
            await reader.read()

        assert await content_of(store, key) == content

    async def test_deleting_is_idempotent(self, store: ObjectStore, prefix: str) -> None:
        """What is gone and what never was count as deleted."""
        keys = [f"{prefix}a", f"{prefix}b"]
        await store.put(keys[0], CONTENT, described(CONTENT))
        await store.delete(keys)
        await store.delete(keys)

        with pytest.raises(NotFound):
            await store.head(keys[0])

    async def test_only_the_version_that_was_seen_is_deleted(
        self, store: ObjectStore, prefix: str
    ) -> None:
        """What replaced it stays, and what is gone is no error."""
        key = f"{prefix}original"
        await store.put(key, CONTENT, described(CONTENT))
        first = await store.head(key)
        await store.delete([key])
        await store.put(key, b"other", described(b"other"))
        await store.delete_unchanged(first)
        kept = await store.head(key)
        for _ in range(2):
            await store.delete_unchanged(kept)

        assert kept.sha256 == hashlib.sha256(b"other").digest()
        assert first.version != kept.version
        with pytest.raises(NotFound):
            await store.head(key)

    async def test_a_version_is_the_same_for_who_reads(
        self, store: ObjectStore, prefix: str
    ) -> None:
        """A head and a read name it alike."""
        key = f"{prefix}original"
        await store.put(key, CONTENT, described(CONTENT))
        async with store.open(key, ByteRange()) as reader:
            assert reader.info.version == (await store.head(key)).version != ""

    async def test_pages_hold_every_key_once(self, store: ObjectStore, prefix: str) -> None:
        """Each page starts after the last key of the one before; only the last has no more."""
        keys = sorted(f"{prefix}{number}/{name}" for number in range(3) for name in ("a", "b.c"))
        for key in keys:
            await store.put(key, CONTENT, described(CONTENT))
        found: list[str] = []
        more = True
        while more:
            page = await store.list(prefix, start_after=found[-1] if found else "", limit=4)
            found += [item.key for item in page.objects]
            more = page.more

        assert found == keys

    async def test_an_upload_is_unseen_until_it_is_complete(
        self, store: ObjectStore, prefix: str
    ) -> None:
        """Then it is there whole, with what was said of it when it began."""
        key = f"{prefix}original"
        content = b"a" * PART_BYTES + b"rest"
        upload = await store.begin_upload(key, described(content))
        parts = [
            await store.put_part(upload, 1, content[:PART_BYTES]),
            await store.put_part(upload, 2, content[PART_BYTES:]),
        ]
        with pytest.raises(NotFound):
            await store.head(key)
        await store.complete_upload(upload, parts)
        info = await store.head(key)

        assert await content_of(store, key) == content
        assert (info.size_bytes, info.sha256, info.content_type) == (
            len(content), hashlib.sha256(content).digest(), "text/plain",
        )  # fmt: skip
        assert await unfinished(store, key) == []

    async def test_an_upload_never_replaces(self, store: ObjectStore, prefix: str) -> None:
        """Completing on a taken key is refused; the upload stays until it is aborted."""
        key = f"{prefix}original"
        upload = await store.begin_upload(key, Description("text/plain", None))
        part = await store.put_part(upload, 1, b"other")
        await store.put(key, CONTENT, described(CONTENT))
        with pytest.raises(AlreadyExists):
            await store.complete_upload(upload, [part])

        assert await unfinished(store, key) == [upload]
        await store.abort_upload(upload)
        assert await unfinished(store, key) == []
        assert await content_of(store, key) == CONTENT

    @pytest.mark.parametrize("wrong", [PartRef(1, f'"{"0" * 32}"'), PartRef(2, "")])
    async def test_parts_that_were_not_put_make_nothing(
        self, store: ObjectStore, prefix: str, wrong: PartRef
    ) -> None:
        """The upload stays, and is completed with the right ones."""
        key = f"{prefix}original"
        upload = await store.begin_upload(key, described(CONTENT))
        part = await store.put_part(upload, 1, CONTENT)
        named = wrong if wrong.etag else PartRef(wrong.number, part.etag)
        with pytest.raises(InvalidInput) as refused:
            await store.complete_upload(upload, [named])
        with pytest.raises(NotFound):
            await store.head(key)
        await store.complete_upload(upload, [part])

        assert refused.value.reason == "PARTS_INVALID"
        assert await content_of(store, key) == CONTENT

    async def test_an_unknown_hash_is_not_recorded(self, store: ObjectStore, prefix: str) -> None:
        """An upload that began before its hash was known has none."""
        key = f"{prefix}original"
        upload = await store.begin_upload(key, Description("text/plain", None))
        await store.complete_upload(upload, [await store.put_part(upload, 1, CONTENT)])

        assert (await store.head(key)).sha256 == b""

    async def test_aborting_is_idempotent(self, store: ObjectStore, prefix: str) -> None:
        """Twice is as good as once, and a completed upload's object stays."""
        key = f"{prefix}original"
        upload = await store.begin_upload(key, Description("text/plain", None))
        await store.abort_upload(upload)
        await store.abort_upload(upload)
        with pytest.raises(Conflict) as gone:
            await store.put_part(upload, 1, CONTENT)
        completed = await store.begin_upload(key, Description("text/plain", None))
        await store.complete_upload(completed, [await store.put_part(completed, 1, CONTENT)])
        await store.abort_upload(completed)

        assert gone.value.reason == "UPLOAD_GONE"
        assert await content_of(store, key) == CONTENT

    async def test_unfinished_uploads_are_listed_with_their_age(
        self, store: ObjectStore, prefix: str
    ) -> None:
        """All of them, however many; a new one is a few seconds old at most."""
        begun = [
            await store.begin_upload(f"{prefix}{number}", Description("text/plain", None))
            for number in range(5)
        ]
        listed = {
            found.upload: found.age_s
            async for found in store.unfinished_uploads()
            if found.upload.key.startswith(prefix)
        }
        for upload in begun:
            await store.abort_upload(upload)

        assert set(listed) == set(begun)
        assert all(-2 <= age_s <= 10 for age_s in listed.values())

    async def test_the_store_answers(self, store: ObjectStore) -> None:
        """A ping returns."""
        await store.ping()
