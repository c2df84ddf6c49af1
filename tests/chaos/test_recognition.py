"""The OCR lane on the real system, and with its worker killed midway."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from support.system import System
from support.waiting import until

PAGES = 5
PATIENCE_S = 120
"""Loading an engine takes a second or two of CPU, at low priority."""

pytestmark = pytest.mark.timeout(300)


def scan(pages: int = PAGES) -> bytes:
    """A TIFF of several pages with a line of text each: two chunks of the OCR lane, if not more."""
    pictures = []
    for number in range(1, pages + 1):
        picture = Image.new("L", (900, 300), "white")
        font = ImageFont.load_default(40)
        ImageDraw.Draw(picture).text((60, 100), f"Sheet {number} of wool", "black", font)
        pictures.append(picture)
    out = io.BytesIO()
    pictures[0].save(out, "TIFF", save_all=True, append_images=pictures[1:])
    return out.getvalue()


async def test_a_scan_survives_the_death_of_its_worker(system: System, tmp_path: Path) -> None:
    """Pages that were put are not lost with the worker; nothing is left but the result."""
    failpoint = "ocr.pages_put"
    async with system.failing("orchestrator", failpoint, tmp_path):
        (document_id,) = await system.accepted({"scan.tiff": scan()})
        await until((tmp_path / f"{failpoint}.hit").exists, timeout_s=PATIENCE_S)

    (document,) = await system.finished([document_id], timeout_s=PATIENCE_S)
    assert (document["status"], document["pages"]) == ("completed", PAGES)
    assert document["progress"] == {"pages_done": PAGES, "pages_total": PAGES}
    assert (await system.row(document_id)).dispatches == 0
    assert await system.events(document_id) == [
        "queued",
        "processing",
        "queued",
        "processing",
        "completed",
    ]
    result = (await system.http.get(f"/v1/documents/{document_id}/result")).json()
    for page in result["pages"]:
        assert f"Sheet {page['number']} of wool" in page["text"]
    assert {key.rpartition("/")[2] for key in await system.keys() if document_id in key} == {
        "original",
        "result.json.zst",
    }
    await system.assert_nothing_lost_or_doubled()
