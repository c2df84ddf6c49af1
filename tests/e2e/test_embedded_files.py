"""Files inside a PDF, on the real system."""

import io

import pikepdf
import pytest

from sheaf_dev.samples.generator import text_pdf
from support.system import System


@pytest.mark.parametrize("ocr", ["auto", "always"])
async def test_files_inside_a_pdf_become_documents_once(system: System, ocr: str) -> None:
    """Whichever lane ends it; the result names them, and each ends as its content explains."""
    pdf = pikepdf.Pdf.open(io.BytesIO(text_pdf(60, 1)))
    pdf.attachments["invoice.xml"] = b"<invoice><total>42.00</total></invoice>"
    pdf.attachments["terms.pdf"] = text_pdf(61, 2)
    pdf.attachments["tune.mid"] = b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60" * 9
    content = io.BytesIO()
    pdf.save(content)

    (parent_id,) = await system.accepted({"a.pdf": content.getvalue()}, ocr=ocr)
    (parent,) = await system.finished([parent_id])
    batch = await system.http.get(f"/v1/batches/{parent['batch_id']}", params={"wait": 60})
    assert batch.json()["finished_at"] is not None

    result = (await system.http.get(f"/v1/documents/{parent_id}/result")).json()
    named = {each["filename"]: each["document_id"] for each in result["attachments"]}
    children = {each: await system.document(document_id) for each, document_id in named.items()}
    assert {name: (each["status"], each["reason"]) for name, each in children.items()} == {
        "invoice.xml": ("completed", None),
        "terms.pdf": ("completed", None),
        "tune.mid": ("failed", "UNSUPPORTED_FORMAT"),
    }
    assert {page["ocr"] for page in result["pages"]} == {ocr == "always"}
    whole = (await system.http.get(f"/v1/batches/{parent['batch_id']}")).json()
    assert sorted(each["id"] for each in whole["documents"]) == sorted([parent_id, *named.values()])
