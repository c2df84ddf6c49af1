"""Documents, kind and hostile, through the pool with the real extractors."""

import time

import msgspec
import pytest
from integration.orchestrator.extraction.claims import said
from integration.orchestrator.extraction.conftest import PoolFactory
from unit.orchestrator.extraction import lockedfiles, officefiles, pdfs

from sheaf_orchestrator.extraction import (
    ExtractionFailed,
    Limits,
    Options,
    Quarantined,
    Reason,
    Request,
    decode_result,
    extract_with_retry,
    types,
)
from sheaf_orchestrator.extraction.sandbox.launch import DEFAULT_REGISTRY

MIB = 1024 * 1024
PDF = Request(document_id="d", attempt=1, content_type="application/pdf")


def bomb(unit: bytes, mib: int) -> bytes:
    """A page whose content stream is the unit repeated to so many MiB."""
    return pdfs.one_page(unit * (mib * MIB // len(unit)))


async def test_kind_documents_are_read(pool: PoolFactory) -> None:
    """A letter, a filled form and a text file, one after the other in one subprocess."""
    text = Request(document_id="d", attempt=1, content_type="text/plain; charset=utf-8")
    async with pool(Limits(), spares=0, registry=DEFAULT_REGISTRY) as opened:
        assert said(await opened.extract(PDF, pdfs.written("Dear Sir"))) == "Dear Sir"
        assert "42.00" in said(await opened.extract(PDF, pdfs.form("42.00")))
        assert said(await opened.extract(text, "Grüße".encode())) == "Grüße"


async def test_a_password_opens_an_office_file_in_the_sandbox(pool: PoolFactory) -> None:
    """Its content type is that of what is inside; the next document knows no password."""
    locked = lockedfiles.agile_2010(officefiles.docx(officefiles.paragraph("Dear Sir")), "secret")
    ole = Request(document_id="d", attempt=1, content_type=types.OLE)
    given = msgspec.structs.replace(ole, options=Options(password=b"secret"))
    async with pool(Limits(), spares=0, registry=DEFAULT_REGISTRY) as opened:
        extraction = await opened.extract(given, locked)
        result = decode_result(extraction.result)
        assert (said(extraction), result.content_type) == ("Dear Sir", types.DOCX)
        assert (result.metadata.encrypted, result.size_bytes) == (True, len(locked))
        with pytest.raises(ExtractionFailed, match="needs a password"):
            await opened.extract(ole, locked)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(pdfs.nested_forms(depth=10, fan=10), id="2 KB that draw 10^10 words"),
        pytest.param(bomb(b"q ", 100), id="100 MB of nested states"),
        pytest.param(bomb(b"0 0 m 9 9 l S\n", 256), id="256 MB of strokes"),
    ],
)
async def test_a_bomb_harms_nobody(pool: PoolFactory, content: bytes) -> None:
    """It ends in its reason within its limits, twice; the next document is read."""
    limits = Limits(wall_s=3, rss_bytes=400 * MIB, address_space_bytes=600 * MIB)
    async with pool(limits, registry=DEFAULT_REGISTRY) as opened:
        began = time.monotonic()
        with pytest.raises(Quarantined) as caught:
            await extract_with_retry(opened, PDF, content)
        assert caught.value.reason in {Reason.MEMORY_LIMIT, Reason.TIME_LIMIT}
        assert time.monotonic() - began < 10
        assert said(await opened.extract(PDF, pdfs.written("still here"))) == "still here"
